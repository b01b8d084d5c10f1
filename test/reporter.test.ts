import { text } from 'node:stream/consumers'
import { test } from 'tap'
import Reporter from './reporter.ts'

/** What it makes of tap's output, given in pieces of a size that is no line's. */
async function report(output: string): Promise<string[]> {
  const reporter = new Reporter()
  for (let at = 0; at < output.length; at += 7) reporter.write(output.slice(at, at + 7))
  reporter.end()
  return (await text(reporter)).split('\n')
}

const FAILING = `TAP version 14
1..2
# Subtest: test/a.test.ts
    # Subtest: outer
        ok 1 - should be equal
        # Subtest: inner
            not ok 1 - the same thing
              ---
              diff: |
                -2

                +1
              ...
            \n            1..1
        not ok 2 - inner # time=15.4ms
          ---
          at:
            lineNumber: 5
          ...
        \n        1..2
    not ok 1 - outer # time=46.4ms
    \n    ok 2 - off # SKIP no reason
    ok 3 - later # TODO
    not ok 4 - some day # TODO
    1..4
not ok 1 - test/a.test.ts # time=1179.0ms
  ---
  exitCode: 1
  ...

# Subtest: test/b.test.ts
    1..0 # no tests found
not ok 2 - test/b.test.ts # time=60000.1ms
  ---
  command: node
  exitCode: null
  signal: SIGALRM
  ...

# { total: 6, pass: 3, fail: 2, todo: 2, skip: 1 }
# time=61000ms
`

void test('a line a file; at the end what failed and why, each once, and the counts', async (t) => {
  t.strictSame(await report(FAILING), [
    'not ok test/a.test.ts (5 in 1.2 s)',
    'not ok test/b.test.ts (0 in 60.0 s)',
    'skipped: test/a.test.ts > off (no reason)',
    '',
    'not ok: test/a.test.ts > outer > inner > the same thing',
    '  diff: |',
    '    -2',
    '    +1',
    'not ok: test/b.test.ts',
    '  exitCode: null',
    '  signal: SIGALRM',
    '3 passed, 2 failed',
    '',
  ])
})

void test('where nothing failed there is nothing but counts', async (t) => {
  const output = '# Subtest: a.test.ts\n    ok 1 - x\n    1..1\nok 1 - a.test.ts # time=12ms\n# { total: 1, pass: 1 }\n'
  t.strictSame(await report(output), ['ok a.test.ts (1 in 0.0 s)', '1 passed, 0 failed', ''])
})

void test('however much failed, the end is short and names every file', async (t) => {
  const diagnostics = `  ---\n${'  line\n'.repeat(60)}  ...\n`
  const files = [1, 2, 3, 4].map(
    (file) =>
      `# Subtest: ${file}.test.ts\n    not ok 1 - x\n${diagnostics.replaceAll(/^/gm, '    ')}not ok ${file} - ${file}.test.ts\n`,
  )
  const lines = await report(`${files.join('')}# { total: 4, fail: 4 }\n`)
  t.ok(lines.length < 110)
  t.match(lines.at(-3), /more lines\. Failures are in 1\.test\.ts, 2\.test\.ts, 3\.test\.ts, 4\.test\.ts$/)
  t.equal(lines.at(-2), '0 passed, 4 failed')
})
