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
  t.same(await headrace('/', ['help', 'serve']), await headrace('/', ['serve', '--help']))
})

void test('the version is the manifest’s', async (t) => {
  const { code, out } = await headrace('/', ['--version'])
  t.equal((await headrace('/', ['version'])).out, out)
  t.equal(code, 0)
  t.match(out, /^\d+\.\d+\.\d+\n$/)
})

void test('what is not understood ends with 2 and a suggestion', async (t) => {
  const cases: [args: string[], said: string | RegExp][] = [
    [['chekc'], "there is no command 'chekc'; did you mean 'check'?"],
    [['start'], "there is no command 'start'; did you mean 'serve'?"],
    [['validate'], "did you mean 'check'?"],
    [
      ['check', 'gateway.yaml'],
      "unexpected argument 'gateway.yaml'; a configuration is named by --config gateway.yaml",
    ],
    [['--config', 'x.yaml'], "headrace has no option '--config'; did you mean 'headrace serve --config'?"],
    [['frobnicate'], 'headrace --help lists them'],
    [['check', '--confg', 'x'], "check has no option '--confg'; did you mean '--config'?"],
    [['check', '-x'], "check has no option '-x'"],
    [['check', 'extra'], "unexpected argument 'extra'"],
    [['check', '--config'], "'--config' needs a value: --config FILE"],
    [['check', '-c', '--json'], "'-c' needs a value: -c FILE"],
    [['serve', '--port', '-1'], "'--port' needs a value: --port N"],
    [['check', '--json=1'], "'--json' takes no value"],
    [['explain'], 'headrace explain needs [METHOD] PATH'],
    [['--port', '3000'], 'headrace needs <url>'],
    [['--versoin'], "headrace has no option '--versoin'; did you mean '--version'?"],
    [['help', 'chekc'], "did you mean 'check'?"],
    [['example.com'], 'an address is written headrace http://example.com'],
    [['htp://localhost:3000/a'], 'an address is written headrace http://localhost:3000/a'],
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
