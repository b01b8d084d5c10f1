import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { loadConfig } from '../../config/load.ts'

/** What a file is told, by its name: `line:column message`, and what was meant. */
async function told(t: Test, name: string, text: string): Promise<string[]> {
  const cwd = t.testdir({})
  writeFileSync(join(cwd, name), text)
  return problemsOf(cwd, name)
}

async function problemsOf(cwd: string, file: string): Promise<string[]> {
  const loaded = await loadConfig({ cwd, variables: {}, file })
  return loaded.ok
    ? []
    : loaded.problems.map(({ line, column, message, suggestion }) =>
        [line === null ? '' : `${line}:${column} `, message, suggestion === null ? '' : `; ${suggestion}?`].join(''),
      )
}

void test('a file that cannot be read says what it is, and what else is there', async (t) => {
  const cwd = t.testdir({ 'gateway.yaml': '', 'notes.txt': '', plain: '' })
  mkdirSync(join(cwd, 'folder.yaml'))
  t.strictSame(await problemsOf(cwd, 'gatway.yaml'), [`the file does not exist in ${cwd}; did you mean gateway.yaml?`])
  t.strictSame(await problemsOf(cwd, 'gateway.json'), [`the file does not exist in ${cwd}; did you mean gateway.yaml?`])
  t.strictSame(await problemsOf(cwd, 'other.yaml'), [`the file does not exist in ${cwd}`])
  t.strictSame(await problemsOf(cwd, 'no/a.yaml'), [`the file does not exist, nor does its folder ${join(cwd, 'no')}`])
  t.match(await problemsOf(cwd, 'plain/a.yaml'), [/does not exist/])
  for (const folder of ['folder.yaml', '.']) {
    t.strictSame(await problemsOf(cwd, folder), ['this is a folder: --config names the file in it'])
  }
  t.match(await problemsOf(cwd, 'notes.txt'), [/one of \.ts, .*; not '\.txt'$/])
  t.match(await problemsOf(cwd, 'plain'), [/this one has no extension$/])
  t.match(await problemsOf('/dev', 'null'), [/no extension/])
})

void test('YAML is told in words for those who write it', async (t) => {
  const yaml = (text: string) => told(t, 'a.yaml', text)
  t.strictSame(await yaml('listen:\n\tport: 1\n'), ['2:1 YAML is indented with spaces: replace the tab'])
  t.strictSame(await yaml('routes:\n  /a: {}\n  /a: {}\n'), ["3:3 '/a' is written twice"])
  t.strictSame(await yaml('log: { level: info, level: warn }\n'), ["1:21 'level' is written twice"])
  t.strictSame(await yaml('log: {}\n---\nlog: {}\n'), ["2:1 the file holds several documents ('---'): keep one"])
  t.strictSame(await yaml('routes:\n  *.a.test/*: { to: a }\n'), [
    "2:3 a key that begins with * is written in quotes: '*.a.test/*'",
  ])
  t.strictSame(await yaml('log: {}\nlisten: *b\n'), ["2:9 there is no anchor &b before '*b'"])
})

void test('JSON is told what it lacks of JavaScript', async (t) => {
  const json = (text: string) => told(t, 'a.json', text)
  t.strictSame(await json('{ // why\n}'), ['1:3 JSON has no comments: remove it, or write YAML'])
  t.strictSame(await json('// why\n{}'), ['1:1 JSON has no comments: remove it, or write YAML'])
  t.strictSame(await json('{ "log": {}, }'), ["1:14 there is a comma too many before '}'"])
  t.strictSame(await json("{ 'log': {} }"), ['1:3 JSON quotes text with ", and not with \''])
  t.strictSame(await json('{ log: {} }'), ['1:3 JSON quotes the names of properties: "name"'])
})

void test('a switch is told as one, and taken as text', async (t) => {
  const yaml = (text: string) => told(t, 'a.yaml', text)
  t.strictSame(await yaml('compression: "true"\nadmin: "false"\n'), [])
  t.match(await yaml('compression: yes\n'), [
    /^1:14 expected an object with codings, .* or true or false, got 'yes'; true\?$/,
  ])
  t.match(await yaml('compression: ture\n'), [/; true\?$/])
  t.match(await yaml('admin: off\n'), [
    /^1:8 expected an object such as \{ port: 9090 \} or false, got 'off'; false\?$/,
  ])
})

void test('how a URL with a password is written is said whole, and the password is not', async (t) => {
  t.match(await told(t, 'a.yaml', 'redis: { url: localhost }\n'), [/expected 'redis:\/\/\[user:password@\]host/])
  const [problem] = await told(t, 'a.yaml', "upstreams: { a: { targets: ['http://me:hunter2@a.test'] } }\n")
  t.notMatch(problem, 'hunter2')
})

void test('a token that no field could carry is refused', async (t) => {
  const token = (text: string) => told(t, 'a.yaml', `admin: { token: "${text}" }\n`)
  t.strictSame(await token('of-letters_and.signs=~'), [])
  for (const text of ['with a blank', 'a line\\n', 'schlüssel']) {
    t.match(await token(text), [/^1:17 expected text without blanks, got something else$/], text)
  }
})

void test('what a value should have been is said by example or by its properties', async (t) => {
  const route = (text: string) =>
    told(t, 'a.yaml', `upstreams: { a: { targets: ['http://a'] } }\nroutes: { '/*': { to: a, ${text} } }\n`)
  t.match(await route('timeout: 5s'), [/expected an object with firstByte, idle, total, streamIdle, got '5s'$/])
  t.match(await route('strip: true'), [/unknown property 'strip'; stripPrefix\?$/])
  t.match(await route('rateLimit: 5/minute'), [/there is no limit '5\/minute': .*; \{ rate: '5\/min' \}\?$/])
  t.strictSame(await told(t, 'a.yaml', "upstreams: { a: { targets: [''] } }\n"), [
    "1:29 expected an origin such as 'http://127.0.0.1:3000', 'https://example.com', 'h2c://10.0.0.7:50051' or 'unix:/run/app.sock', got ''",
  ])
})

void test('what other gateways and routers write is told in our notation', async (t) => {
  const routes = async (key: string): Promise<string> =>
    (await told(t, 'a.yaml', `upstreams: { a: { targets: ['http://a'] } }\nroutes: { '${key}': { to: a } }\n`)).join()
  for (const [key, meant] of [
    ['/a/{id}', '/a/:id'],
    ['/a/{id:[0-9]+}/b', '/a/:id/b'],
    ['/a/<int:id>', '/a/:id'],
    ['/a/:id(\\d+)', '/a/:id'],
    ['/a/**', '/a/*'],
    ['https://a.test/b/*', 'a.test/b/*'],
    ['a.test:8080/b', 'a.test/b'],
    ['get | post /a', 'GET,POST /a'],
  ] as const) {
    t.ok((await routes(key)).endsWith(`; ${meant}?`), `${key}: ${await routes(key)}`)
  }
  t.match(await told(t, 'a.yaml', "upstreams: { a: 'http://a' }\n"), [
    /^1:17 expected an object such as \{ targets: \['http:\/\/127\.0\.0\.1:3000'\] \}, got 'http:\/\/a'$/,
  ])
  t.match(
    await told(t, 'a.yaml', "upstreams: { a: { targets: ['http://a'] } }\nroutes: { '/*': { to: a, upstream: b } }\n"),
    [/^2:26 unknown property 'upstream'; there are to, .*, docs$/],
  )
})

void test('a variable as the shell writes it is no password', async (t) => {
  const expected = "'$TOKEN' is not replaced: a variable is written ${TOKEN}; ${TOKEN}?"
  t.strictSame(await told(t, 'a.yaml', 'admin: { token: $TOKEN }\n'), [`1:17 ${expected}`])
  t.strictSame(await told(t, 'a.json', '{ "admin": { "token": "$TOKEN" } }'), [`1:23 ${expected}`])
  t.strictSame(await told(t, 'a.yaml', 'admin: { token: $TOKENs-are-fine }\n'), [])
})

void test('code says where it fails, also at its end and in its imports', async (t) => {
  const code = (text: string, name = 'a.ts') => told(t, name, text)
  t.strictSame(await code('export default {\n  listen: {\n  }\n'), ["3:4 Expected ',', got '<eof>'"])
  t.match(await code("import x from './gone.ts'\nexport default x\n"), [/^1:15 .*Cannot find module '.*gone\.ts'/])
  t.match(await code("const x = 1\nawait import('gone/x')\nexport default x\n"), [/^2:14 .*package 'gone'/])
  t.match(await code('export default () => ({})\n'), [
    /^1:16 the default export is a function; .*: export what it returns/,
  ])
  for (const name of ['a.ts', 'a.js', 'a.mjs']) {
    t.match(await code('const config = { listen: { port: 1 } }\n', name), [/no default export: write 'export default/])
  }
})

void test('a byte order mark shifts no place, CRLF neither', async (t) => {
  const expected = "expected an integer from 0 to 65535, got 'x'"
  for (const mark of ['', '\uFEFF']) {
    t.strictSame(await told(t, 'a.yaml', `${mark}listen: { port: x }\r\n`), [`1:17 ${expected}`])
    t.strictSame(await told(t, 'a.json', `${mark}{ "listen": { "port": "x" } }\r\n`), [`1:23 ${expected}`])
    t.strictSame(await told(t, 'a.ts', `${mark}export default { listen: { port: 'x' } }\r\n`), [`1:34 ${expected}`])
    t.match(await told(t, 'a.ts', `${mark}export default { a: b.c }\r\n`), [/^1:21 .*b is not defined/])
  }
})

void test('an address that lacks a part is completed, and one of another kind is not', async (t) => {
  const meant = async (target: string) => (await told(t, 'a.yaml', `upstreams: { a: { targets: [${target}] } }\n`))[0]
  t.match(await meant('localhost:3000'), "; 'http://localhost:3000'?")
  t.match(await meant('3000'), "; 'http://127.0.0.1:3000'?")
  t.match(await meant("'http:/a'"), "; 'http://a'?")
  t.match(await meant("'HTTPS:a.test'"), "; 'https://a.test'?")
  t.notMatch(await meant('ftp://a'), '?')
  t.match(await meant('dns+http://a/b'), "a route's rewrite adds '/b'; 'dns+http://a'?")
  t.match(await meant('srv+http://a.test'), "'_service._tcp.name'")
  t.match(await meant("'http:/10.0.0.7'"), "; 'http://10.0.0.7'?")
})

void test('a target of HTTP/2 in cleartext is an h2c://, whatever other gateways call it', async (t) => {
  const meant = async (target: string) => (await told(t, 'a.yaml', `upstreams: { a: { targets: ['${target}'] } }\n`))[0]
  for (const target of ['h2c://10.0.0.7:50051', 'dns+h2c://a.test:50051', 'srv+h2c://_a._tcp.test']) {
    t.equal(await meant(target), undefined, target)
  }
  t.match(await meant('grpc://10.0.0.7:50051'), "; 'h2c://10.0.0.7:50051'?")
  t.match(await meant('grpcs://a.test'), "; 'https://a.test', with http2: true?")
  t.match(await meant('ws://a.test'), "; 'http://a.test'?")
  t.match(await meant('h2c://a.test/b'), "; 'h2c://a.test'?")
  t.match(await meant('dns+h2c://a.test/b'), "; 'dns+h2c://a.test'?")
  t.match(await meant('h2c://u:p@a.test'), 'no credentials')
  t.match(await meant('srv+h2c://a.test'), "'_service._tcp.name'")
  t.match(await meant('h2c:10.0.0.7'), "'http://127.0.0.1:3000'")
})

void test('what is said of how an upstream is used is told where it cannot be understood', async (t) => {
  const meant = async (options: string) =>
    (await told(t, 'a.yaml', `upstreams: { a: { targets: ['http://a'], ${options} } }\n`)).join()
  t.match(await meant('health: {}'), "a health check needs the 'path' to ask for, or the 'preset'")
  t.match(await meant('health: { preset: qdrnt }'), "; 'qdrant'?")
  t.match(await meant("health: { path: /, status: '2xx' }"), "expected statuses such as '200'")
  t.match(await meant('balance: least-request'), "; 'least-requests'?")
  t.match(
    await meant("balance: { hash: 'headr:x' }"),
    "expected 'header:x-tenant', 'cookie:sid', 'path', 'client' or 'consumer'",
  )
  t.match(await meant('balance: { hash: path, maxLoad: 0.5 }'), 'expected a number from 1 to 100')
  t.match(await meant('retry: { on: [conect] }'), "; 'connect'?")
  t.match(await meant('retry: { on: [200] }'), 'expected an integer from 400 to 599')
  t.match(
    await meant('hedge: { after: p42 }'),
    "expected a duration such as '100ms', or the time that so many answers take",
  )
  t.match(await meant('breaker: { failure: 3 }'), "unknown property 'failure'; failures?")
})

void test('a name server is an address, with a port of its own where it has one', async (t) => {
  const servers = (...list: string[]) =>
    told(
      t,
      'a.yaml',
      `upstreams: { a: { targets: ['srv+http://_a._tcp.test'], nameServers: ${JSON.stringify(list)} } }\n`,
    )
  t.strictSame(await servers('10.0.0.2', '10.0.0.2:8600', '[fd00::2]', '[::1]:8600'), [])
  for (const wrong of [
    'ns.test',
    '10.0.0.256',
    '10.0.0.2:70000',
    '10.0.0.2:0',
    '[::1',
    '[1::2::3]',
    'udp://10.0.0.2',
  ]) {
    t.match((await servers(wrong)).join(), /^1:\d+ .*10\.0\.0\.2:8600/, wrong)
  }
})
