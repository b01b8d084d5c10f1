import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Control } from '../services/control/control.ts'
import type { LocalControl } from '../services/control/local.ts'
import type { Exchange } from '../services/downstream/exchange.ts'
import type { GatewayState } from '../services/lane/gateway-state.ts'
import type { Http2Counters } from '../services/listener/counters.ts'
import type { RequestHandlers } from '../services/listener/handlers.ts'
import type { MetricSource } from '../services/monitor/families.ts'
import type { KnownSpecifications } from '../services/openapi/known-specifications.ts'
import type { RelatedDocument } from '../services/openapi/describe.ts'
import type { RoutePlan } from '../services/proxy/plan.ts'

/** What the process gives to both planes. */
export interface Parts {
  log: FastifyBaseLogger
  version: string
  /** The control port that admin routes speak to. */
  control: Control
  /** The admin token; unused where the control plane is off. */
  token: string
  /** The other plane's documents, asked when a document is built. */
  related?: () => RelatedDocument | null
}

/** What a data-plane process adds. */
export interface DataPlaneParts extends Parts {
  /** Answers the control port for this process. */
  local: LocalControl
  draining: () => boolean
  /** Told of every request that is over, such as the access log. */
  finished: readonly ((exchange: Exchange<RoutePlan>) => void)[]
  /** Further sources of metrics: the listeners. */
  sources: readonly MetricSource[]
  /** What the listeners' HTTP/2 sessions have counted; without listeners there is none. */
  http2?: () => readonly Http2Counters[]
  /** What other processes know of upstreams, where there is no gateway before this one. By default, nothing. */
  specifications?: KnownSpecifications
  /** The gateway whose place this one takes in the same process: what can be kept of it is. Close it when it is idle. */
  previous?: Gateway | null
}

/** The data plane, ready to be given requests. */
export interface Gateway {
  app: FastifyInstance
  handlers: RequestHandlers
  /** What it hands on to the one that takes its place. */
  state: GatewayState
  /** Nothing is under way in it. */
  readonly idle: boolean
}
