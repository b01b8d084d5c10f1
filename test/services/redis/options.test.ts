import { test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { parseRedisUrl, REDIS_URL_PATTERN } from '../../../services/redis/topology.ts'

const open = { tls: false, username: null, password: null }

void test('the URL says where Redis is, and how it is laid out', async (t) => {
  const single = (host: string, port: number, db = 0) => ({ kind: 'single', node: { host, port }, db })
  const cases: [string, object][] = [
    ['redis://localhost', { ...open, topology: single('localhost', 6379) }],
    ['valkey://h:7/3', { ...open, topology: single('h', 7, 3) }],
    ['rediss://u:p%40s:s@[::1]:7/', { tls: true, username: 'u', password: 'p@s:s', topology: single('::1', 7) }],
    ['redis://h:65535', { ...open, topology: single('h', 65_535) }],
    ['redis://:100%@h', { ...open, password: '100%', topology: single('h', 6379) }],
    [
      'redis+cluster://a:1,b',
      {
        ...open,
        topology: {
          kind: 'cluster',
          seeds: [
            { host: 'a', port: 1 },
            { host: 'b', port: 6379 },
          ],
        },
      },
    ],
    [
      'valkeys+sentinel://:x@a,b:5/main/2',
      {
        ...open,
        tls: true,
        password: 'x',
        topology: {
          kind: 'sentinel',
          name: 'main',
          sentinels: [
            { host: 'a', port: 26379 },
            { host: 'b', port: 5 },
          ],
          db: 2,
        },
      },
    ],
  ]
  for (const [url, address] of cases) {
    t.match(url, new RegExp(REDIS_URL_PATTERN))
    t.same(parseRedisUrl(url), address, url)
  }
  for (const url of [
    'http://h',
    'redis:h',
    'redis://',
    'redis://a,b',
    'redis+sentinel://a',
    'redis+cluster://a/0/',
    'redis://h:0',
    'redis://h:65536',
  ]) {
    t.notMatch(url, new RegExp(REDIS_URL_PATTERN), url)
  }
})

void test('without a URL there is no Redis; with one, the rest has defaults', async (t) => {
  t.equal(resolveConfig({}).redis, null)
  const root = t.testdir({ 'ca.pem': '' })
  const { redis, cache } = resolveConfig({ redis: { url: 'rediss://h', tls: { ca: 'ca.pem' } } }, { root })
  t.match(redis, {
    prefix: 'headrace',
    maxConnections: 20,
    connectTimeoutMs: 5_000,
    commandTimeoutMs: 1_000,
    tls: { ca: `${root}/ca.pem`, cert: null, verify: true },
  })
  t.same(cache.redis, { enabled: true, maxAgeMs: 43_200_000, maxEntryBytes: 1_048_576 })
  t.throws(() => resolveConfig({ redis: { url: 'redis://h', maxConnections: 51 } }), { message: /from 2 to 50/ })
})
