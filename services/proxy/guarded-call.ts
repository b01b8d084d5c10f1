import type { Dispatcher } from 'undici'
import type { Target } from '../upstream/target.ts'
import { ProxyCall } from './proxy-call.ts'
import type { UpstreamHead } from './response-fields.ts'

type Controller = Dispatcher.DispatchController

/**
 * A call that an exception of ours ends, and nothing else: whoever calls these methods would take it for another thing.
 * undici blames the upstream for what `onResponseStart` and `onResponseData` throw, forgets an answer whose
 * `onResponseEnd` throws, and lets `onResponseError` end the process (core/request.js, core/util.js `errorRequest`); so
 * do the timer of the deadlines, and sockets that close.
 */
export class GuardedCall extends ProxyCall {
  override start(): void {
    try {
      super.start()
    } catch (error) {
      this.broke(error)
    }
  }

  override startAt(target: Target): void {
    try {
      super.startAt(target)
    } catch (error) {
      this.broke(error)
    }
  }

  override enter(target: Target): void {
    try {
      super.enter(target)
    } catch (error) {
      this.broke(error)
    }
  }

  override onRequestStart(controller: Controller): void {
    try {
      super.onRequestStart(controller)
    } catch (error) {
      this.broke(error)
    }
  }

  override onResponseStart(controller: Controller, status: number, head: UpstreamHead): void {
    try {
      super.onResponseStart(controller, status, head)
    } catch (error) {
      this.broke(error)
    }
  }

  override onResponseData(controller: Controller, chunk: Buffer): void {
    try {
      super.onResponseData(controller, chunk)
    } catch (error) {
      this.broke(error)
    }
  }

  override onResponseEnd(controller: Controller, trailers: UpstreamHead): void {
    try {
      super.onResponseEnd(controller, trailers)
    } catch (error) {
      this.broke(error)
    }
  }

  override onResponseError(controller: Controller, cause: Error): void {
    try {
      super.onResponseError(controller, cause)
    } catch (error) {
      this.broke(error)
    }
  }

  override expire(): void {
    try {
      super.expire()
    } catch (error) {
      this.broke(error)
    }
  }

  override cancel(outcome?: 'client_abort' | 'superseded'): void {
    try {
      super.cancel(outcome)
    } catch (error) {
      this.broke(error)
    }
  }
}
