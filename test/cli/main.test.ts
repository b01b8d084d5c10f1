import { test } from 'tap'
import { headrace } from './command-line.ts'

void test('help goes to standard output, and to standard error where nothing was asked', async (t) => {
  const help = await headrace('/', ['--help'])
  t.equal(help.code, 0)
  for (const command of ['<url>', 'serve', 'check', 'print', 'explain', 'openapi', 'status', 'log'])
    t.match(help.out, `headrace ${command}`)
  const nothing = await headrace('/', [])
  t.same(nothing, { code: 2, out: '', err: help.out })
})

void test('every command has help of its own', async (t) => {
  for (const command of ['serve', 'check', 'print', 'explain', 'openapi', 'status', 'log', 'proxy']) {
    const { code, out } = await headrace('/', [command, '--help'])
    t.equal(code, 0)
    t.match(out, '--help')
  }
  t.match((await headrace('/', ['http://localhost', '-h'])).out, '--save')
})

void test('the version is the manifest’s', async (t) => {
  const { code, out } = await headrace('/', ['--version'])
  t.equal(code, 0)
  t.match(out, /^\d+\.\d+\.\d+\n$/)
})

void test('what is not understood ends with 2 and a suggestion', async (t) => {
  const cases: [args: string[], said: string | RegExp][] = [
    [['chekc'], "there is no command 'chekc'; did you mean 'check'?"],
    [['frobnicate'], 'headrace --help lists them'],
    [['check', '--confg', 'x'], "check has no option '--confg'; did you mean '--config'?"],
    [['check', '-x'], "check has no option '-x'"],
    [['check', 'extra'], "unexpected argument 'extra'"],
    [['check', '--config'], /--config.* argument missing/],
    [['check', '--json=1'], /--json' does not take an argument/],
    [['explain'], 'explain needs [METHOD] PATH'],
    [['explain', 'GET', 'users'], "'users' is no path"],
    [['explain', '/', '-H', 'nonsense'], "'nonsense' is no field"],
    [['http://localhost', '--format', 'toml'], "--format is yaml or ts, not 'toml'"],
    [['http://'], 'is no address'],
    [['__proto__'], "there is no command '__proto__'"],
  ]
  for (const [args, said] of cases) {
    const { code, out, err } = await headrace('/', args)
    t.equal(code, 2, args.join(' '))
    t.equal(out, '')
    t.match(err, said)
  }
})
