import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { type Test, test } from 'tap'
import { PROBLEM_CODES } from '../../config/errors.ts'
import { loadConfig } from '../../config/load.ts'

/** Whatever a file holds, the loader gives a configuration, or problems with codes and places inside of the text. */

async function holds(t: Test, name: string, texts: fc.Arbitrary<string>): Promise<void> {
  const cwd = t.testdir({})
  const file = join(cwd, name)
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      writeFileSync(file, text)
      const loaded = await loadConfig({ cwd, variables: { SET: '{ a: [' }, file })
      if (loaded.ok) return Object.isFrozen(loaded.config) && Array.isArray(loaded.config.listen)
      const lines = text.split('\n')
      return (
        loaded.problems.length > 0 &&
        loaded.problems.every(({ code, line, column, excerpt }) => {
          if (!(code in PROBLEM_CODES)) return false
          return (
            line === null ||
            column === null ||
            (line <= lines.length && column <= (lines[line - 1] ?? '').length + 1 && excerpt !== null)
          )
        })
      )
    }),
    { numRuns: 250 },
  )
  t.pass(name)
}

const word = fc.constantFrom(
  'listen',
  'upstreams',
  'routes',
  'a',
  'targets',
  'to',
  'port',
  'tls',
  '__proto__',
  'log',
  '/a/:x',
  'GET /b',
  '',
)
const leaf = fc.oneof(
  fc.constantFrom('http://a', '${SET}', '${UNSET}', '${X:-1}', '30s', '30', 'a', null, true, -1, 1e300),
  fc.string(),
  fc.integer(),
)
const tree = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 4 }),
  ),
})).value
const near = fc.record(
  {
    listen: tree,
    upstreams: fc.oneof(fc.dictionary(word, fc.record({ targets: fc.oneof(fc.constant(['http://a']), tree) })), tree),
    routes: fc.oneof(
      fc.dictionary(
        fc.oneof(word, fc.webPath(), fc.string()),
        fc.oneof(fc.record({ to: word, rewrite: fc.oneof(fc.webPath(), word) }), tree),
      ),
      tree,
    ),
    admin: tree,
    endpoints: tree,
    limits: tree,
  },
  { requiredKeys: [] },
)

/** Text with a piece cut out and another put in. */
const mutated = (texts: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      texts,
      fc.nat(400),
      fc.nat(5),
      fc.constantFrom('', '{', '}', '[', ':', '\n', '\t', '"', '*', '&a', '${', '\u0000', '😀'),
    )
    .map(
      ([text, at, length, put]) =>
        text.slice(0, at % (text.length + 1)) + put + text.slice((at % (text.length + 1)) + length),
    )

const json = fc.oneof(near, tree).map((value) => JSON.stringify(value, null, 2) ?? '')
const yaml = fc.oneof(near, tree).map((value) => stringify(value))

void test('JSON, whole, mutated or garbage, never ends in a crash', (t) =>
  holds(t, 'headrace.config.json', fc.oneof(json, mutated(json), fc.string(), fc.string({ unit: 'binary' }))))

void test('YAML, whole, mutated or garbage, never ends in a crash', (t) =>
  holds(t, 'headrace.config.yaml', fc.oneof(yaml, mutated(yaml), json, fc.string(), fc.string({ unit: 'binary' }))))
