import { join } from 'node:path'
import { writeFileSync } from 'node:fs'
import { test } from 'tap'
import { digestModule, moduleFiles } from '../../../services/options/module-files.ts'

void test('a module is its file and those that it imports, however they are named', async (t) => {
  const folder = t.testdir({
    'a.ts': `import type { T } from "./types.ts"
      import './side.mjs?x=1'
      import{b}from'./b.cjs'
      import { posix } from 'node:path'
      import data from './data.json' with { type: 'json' }
      export { c } from '../x/absent.ts'
      const later = await import(\`./later.js\`)
      const never = await import(\`./\${name}.js\`)
      import fastify from 'fastify'
      import odd from './a%2Fb.ts'`,
    'types.ts': '',
    'side.mjs': "import './a.ts'",
    'b.cjs': "const { d } = require('./d'), e = require('./e')",
    'd.js': '',
    e: { 'index.js': "import './deep.js'", 'deep.js': '' },
    'data.json': '"./not.js"',
    'later.js': '',
  })
  const names = moduleFiles(join(folder, 'a.ts')).map((file) => file.slice(folder.length + 1))
  const files = ['a.ts', 'types.ts', 'side.mjs', 'b.cjs', 'data.json', 'later.js', 'd.js', 'e/index.js', 'e/deep.js']
  t.equal(names[0], 'a.ts')
  t.equal(new Set(names).size, names.length)
  for (const file of files) t.ok(names.includes(file), file)
  t.equal(names.length, files.length + 1, 'and the one that is absent')
})

void test('its digest changes with any of them, also where one comes or goes', async (t) => {
  const folder = t.testdir({ 'a.mjs': "import './b.mjs'" })
  const file = join(folder, 'a.mjs')
  const absent = digestModule(file)
  writeFileSync(join(folder, 'b.mjs'), '1')
  const one = digestModule(file)
  writeFileSync(join(folder, 'b.mjs'), '2')
  t.equal(new Set([absent, one, digestModule(file)]).size, 3)
  t.throws(() => digestModule(join(folder, 'c.mjs')), { code: 'ENOENT' })
})
