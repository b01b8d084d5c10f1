import { test } from 'tap'
import { UpstreamDocuments } from '../../../services/openapi/documents.ts'
import { KnownSpecifications } from '../../../services/openapi/known-specifications.ts'
import type { RequestUpstream } from '../../../services/openapi/source.ts'

const upstream = (origin: string, openapi = '/openapi.json') => ({ name: 'fleet', targets: [{ origin }], openapi })
const source = { upstream: 'fleet', location: '/openapi.json', targets: ['http://a'] }

/** An upstream that says it has this version of OpenAPI, or does not answer. */
const saying =
  (version: string | null): RequestUpstream =>
  async () => {
    if (version === null) throw new Error('connect ECONNREFUSED')
    const body = (async function* () {
      yield Buffer.from(JSON.stringify({ openapi: version }))
    })()
    return { status: 200, body }
  }

/** Loads once, and says what is known then. */
async function load(known: KnownSpecifications, version: string | null): Promise<unknown> {
  const documents = new UpstreamDocuments({ sources: [source], request: saying(version), known, onWarning: () => {} })
  const [state] = await documents.refresh()
  documents.close()
  return state?.specification?.document['openapi']
}

void test('what was loaded is known to the next until it has loaded anew', async (t) => {
  const first = new KnownSpecifications([upstream('http://a')], null)
  t.equal(await load(first, null), undefined)
  t.equal(await load(first, '3.1.0'), '3.1.0')
  const second = new KnownSpecifications([upstream('http://a')], first)
  t.equal(await load(second, null), '3.1.0')
  t.equal(await load(second, '3.1.1'), '3.1.1')
  t.equal(await load(new KnownSpecifications([upstream('http://a')], second), null), '3.1.1')
  t.match(first.of(source)?.document, { openapi: '3.1.0' }, 'each has its own')
})

void test('another target or another path may be another API, and an upstream that has gone is forgotten', async (t) => {
  const known = new KnownSpecifications([upstream('http://a')], null)
  await load(known, '3.1.0')
  for (const next of [upstream('http://b'), upstream('http://a', '/v2.json')]) {
    const [{ origin }] = next.targets as [{ origin: string }]
    const other = new KnownSpecifications([next], known)
    t.equal(other.of({ upstream: 'fleet', location: next.openapi, targets: [origin] }), undefined)
    t.equal(new KnownSpecifications([upstream('http://a')], other).of(source), undefined)
  }
})

void test('a file is read again', async (t) => {
  const location = 'file:///openapi.json'
  const known = new KnownSpecifications([upstream('http://a', location)], null)
  const inFile = { ...source, location }
  known.keep({ source: inFile, specification: { upstream: 'fleet', document: {}, base: '/', targets: [], digest: '' } })
  t.equal(known.of(inFile), undefined)
})

void test('who is to hear of documents hears of each that is another than before', async (t) => {
  const known = new KnownSpecifications([upstream('http://a')], null)
  const heard: unknown[] = []
  known.announce = ({ specification }) => void heard.push(specification.document['openapi'])
  for (const version of ['3.1.0', '3.1.0', '3.1.1', null]) await load(known, version)
  t.strictSame(heard, ['3.1.0', '3.1.1'])
})
