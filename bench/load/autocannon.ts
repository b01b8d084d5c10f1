/** autocannon, where a request costs the contender more than it costs autocannon (27 µs). */
import autocannon from 'autocannon'
import type { Traffic } from '../scenarios/scenario.ts'
import { type LoadResult, type OpenClient, Tally } from './client.ts'

/** autocannon looks this often whether it is done; the last answer's time is ours. */
const POLL_MS = 25

async function run(base: URL, traffic: Traffic, amount: number): Promise<LoadResult> {
  const { method, path, fields, body, answer } = traffic.requests[0]!
  const tally = new Tally(traffic, amount)
  let bytes = 0
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const options: autocannon.Options & { sampleInt: number } = {
      url: base.origin + path,
      method,
      connections: traffic.connections,
      amount,
      headers: fields,
      sampleInt: POLL_MS,
      ...(body === null ? {} : { body }),
    }
    const instance = autocannon(options, (error: Error | null, outcome) => (error ? reject(error) : resolve(outcome)))
    instance.on('response', (_client, status, responseBytes, milliseconds) => {
      bytes += responseBytes
      if (status === answer.status) tally.succeeded(0, milliseconds)
      else tally.failed(`status ${status} instead of ${answer.status}`)
    })
  })
  if (result.errors > 0) tally.failed('a connection error or a timeout', result.errors)
  // It gives the bytes of an answer with its head: more than those of the body, then.
  if (bytes < amount * answer.bodyBytes) tally.failed('answers came short')
  return tally.result()
}

/** @throws TypeError for requests that it cannot make */
export const openAutocannon: OpenClient = (base, traffic) => {
  if (traffic.requests.length !== 1 || traffic.requests[0]?.unique === true) {
    throw new TypeError('autocannon is given one request, always the same')
  }
  return Promise.resolve({ run: (requests: number) => run(base, traffic, requests), close: () => {} })
}
