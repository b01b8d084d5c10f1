import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'tap'
import { PATIENCE } from '../helper.ts'

/** Examples that are programs: run as their first lines say, they end by themselves, and print what their docs promise. */

const run = promisify(execFile)

const PROGRAMS: [name: string, shows: RegExp[]][] = [
  [
    'cors',
    [
      /^OPTIONS \/orders\/7 204 .*?'access-control-allow-methods': 'GET, PUT'/s,
      /'access-control-allow-origin': null/,
      /^GET \/orders\/7\?xxxxxxxxxx 414 /m,
    ],
  ],
  [
    'validation',
    [/code: 'HR_VALIDATION_REQUEST'/, /pointer: '\/sku'/, /^passes: 200$/m, /^drift: [^]*side: 'response'/m],
  ],
  ['transformations', [/^null \{/, /asked: '\/accounts\?page=2'/, /number: '\*\*\*'/, /self: '\/acme\/accounts'/]],
  ['load-shedding', [/^\d+ served, the slowest in \d+ ms; [1-9]\d* turned away$/m]],
]

for (const [name, shows] of PROGRAMS) {
  void test(`examples/${name}.ts`, { timeout: PATIENCE }, async (t) => {
    const file = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url))
    const { stdout, stderr } = await run(process.execPath, [file], {
      cwd: t.testdir(),
      env: { PATH: process.env.PATH },
    })
    for (const line of shows) t.match(stdout, line)
    t.equal(stderr, '')
  })
}
