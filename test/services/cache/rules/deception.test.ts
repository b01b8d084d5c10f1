import { test } from 'tap'
import { isDisguised } from '../../../../services/cache/rules/deception.ts'
import { storability } from '../../../../services/cache/rules/storable.ts'
import { head, NOW, policy, request } from './messages.ts'

const disguised = (path: string, type: string | null, status = 200): boolean =>
  isDisguised(path, { status, fields: type === null ? [] : ['content-type', type] })

const HONEST: [path: string, type: string][] = [
  ['/a.css', 'text/css'],
  ['/a.CSS', 'Text/CSS; charset=utf-8'],
  ['/a.min.js', 'text/javascript'],
  ['/a.mjs', 'application/javascript; charset=utf-8'],
  ['/a.js', 'application/x-javascript'],
  ['/a.jpg', 'image/webp'],
  ['/a.svg', 'image/svg+xml'],
  ['/favicon.ico', 'image/vnd.microsoft.icon'],
  ['/a.woff2', 'font/woff2'],
  ['/a.woff', 'application/font-woff'],
  ['/a.mp4', 'video/mp4'],
  ['/a.ogg', 'application/ogg'],
  ['/a.pdf', 'application/pdf'],
  ['/a.docx', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['/a.zip', 'application/x-zip-compressed'],
  ['/a.json', 'application/vnd.api+json'],
  ['/a.js.map', 'application/json'],
  ['/a.rss', 'application/rss+xml'],
  ['/a.png', 'application/octet-stream'],
  // Endings that say nothing.
  ['/a', 'text/html'],
  ['/a.html', 'text/html'],
  ['/a.php', 'text/html'],
  ['/v1.2/vehicles', 'application/json'],
  ['/users/j.doe', 'application/json'],
  ['/a.css/', 'text/html'],
]

for (const [path, type] of HONEST) {
  void test(`${path} may be ${type}`, async (t) => t.equal(disguised(path, type), false))
}

const DISGUISED: [path: string, type: string | null][] = [
  ['/account/x.css', 'text/html'],
  ['/account/x.CSS', 'text/html; charset=utf-8'],
  ['/account/x.js', 'application/json'],
  ['/account;x.css', 'text/html'],
  ['/account/x.css;jsessionid=1.2', 'text/html'],
  ['/account%2Fx.css', 'text/html'],
  ['/account%23x.png', 'text/html'],
  ['/account/.jpg', 'text/html'],
  ['/x.pdf', 'text/html'],
  ['/x.zip', 'application/json'],
  ['/x.docx', 'application/xhtml+xml'],
  ['/x.json', 'text/html'],
  ['/x.css', null],
]

for (const [path, type] of DISGUISED) {
  void test(`${path} is not ${type ?? 'without a type'}`, async (t) => t.equal(disguised(path, type), true))
}

void test('what has no content is nothing else than it says', async (t) => {
  t.equal(disguised('/x.css', null, 204), false)
  t.equal(disguised('/x.css', null, 301), false)
  t.equal(disguised('/x.css', 'text/html', 301), true)
  t.equal(disguised('/x.css', 'text/html', 404), true)
})

void test('only a route with the guard asks', async (t) => {
  const page = head({ 'cache-control': 'max-age=60', 'content-type': 'text/html' })
  const asked = request({ path: '/account/x.css' })
  t.equal(storability(asked, page, policy(), NOW).store, true)
  t.match(storability(asked, page, policy({ guard: true }), NOW), { store: false, reason: 'disguised', lasting: true })
  t.equal(storability(request({ path: '/account' }), page, policy({ guard: true }), NOW).store, true)
})
