import type { Test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { Http2Streams } from '../../../services/upstream/http2-streams.ts'
import { Target } from '../../../services/upstream/target.ts'

/** A target at a URL, with an upstream's options; its connections end with the test. */
export function targetAt(t: Test, url: string, options: Record<string, unknown> = {}): Target {
  const [upstream] = resolveConfig({ upstreams: { api: { targets: [url], ...options } } }, { root: '/' }).upstreams
  const member = { url, origin: url, address: null, weight: 1, priority: 0, draining: false }
  const target = new Target(member, upstream as NonNullable<typeof upstream>, {
    http2Streams: new Http2Streams({ pingLimitMs: 60_000 }),
    sticky: null,
    tls: {},
  })
  t.teardown(() => target.close())
  return target
}
