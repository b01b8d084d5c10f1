import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/**
 * Draws the twelve vehicle photos of this folder: one SVG for each type and colour, turned into JPEG by a headless
 * Chromium. The JPEGs are committed, so nothing needs this at run time; to draw them again, with Chromium installed:
 *
 *     node examples/fleet/photos/draw.ts [path of chromium]
 */
const PAINT = { white: '#eef1f4', blue: '#2f6fb3', orange: '#e5812c' }
const SKY = { white: '#9cc4dd', blue: '#f0cfa0', orange: '#a9d3d6' }
const GLASS = '#27384a'
const SHADE = '#00000030'

const wheel = (x: number, radius = 30): string =>
  `<circle cx="${x}" cy="250" r="${radius}" fill="#20242a"/>
   <circle cx="${x}" cy="250" r="${radius * 0.55}" fill="#b9c0c8"/><circle cx="${x}" cy="250" r="${radius * 0.2}" fill="#555"/>`

const BODIES: Record<string, (paint: string) => string> = {
  van: (paint) => `
    <path d="M70 245 V110 q0-18 18-18 H330 q20 0 34 18 L408 170 q16 4 20 20 V245 Z" fill="${paint}"/>
    <path d="M302 108 h28 q12 0 20 12 L386 168 H302 Z" fill="${GLASS}"/><path d="M70 205 H428 v14 H70 Z" fill="${SHADE}"/>
    <path d="M290 100 V238 M180 100 V238" stroke="${SHADE}" stroke-width="3"/>${wheel(140)}${wheel(356)}`,
  truck: (paint) => `
    <rect x="40" y="70" width="270" height="160" rx="6" fill="${paint}"/>
    <path d="M40 110 H310 M40 190 H310" stroke="${SHADE}" stroke-width="4"/><rect x="40" y="230" width="390" height="14" fill="#3a4048"/>
    <path d="M322 240 V112 q0-12 12-12 H380 q14 0 20 14 L424 172 V240 Z" fill="${paint}"/>
    <path d="M336 116 H378 q8 0 12 8 L408 168 H336 Z" fill="${GLASS}"/>${wheel(100, 32)}${wheel(172, 32)}${wheel(376, 32)}`,
  pickup: (paint) => `
    <path d="M46 245 V172 H214 L234 120 q4-10 16-10 H318 q14 0 22 12 L372 170 q50 4 62 22 V245 Z" fill="${paint}"/>
    <path d="M246 126 H284 V168 H232 Z M294 126 H320 q8 0 12 8 L352 168 H294 Z" fill="${GLASS}"/>
    <path d="M46 186 H212" stroke="${SHADE}" stroke-width="6"/>${wheel(122, 34)}${wheel(358, 34)}`,
  car: (paint) => `
    <path d="M44 245 V206 q4-26 42-30 L140 172 L186 124 q8-8 22-8 H286 q16 0 28 12 L356 172 q68 4 78 34 V245 Z" fill="${paint}"/>
    <path d="M196 130 H240 V170 H158 Z M250 130 H284 q10 0 18 8 L332 170 H250 Z" fill="${GLASS}"/>
    <path d="M44 216 H434" stroke="${SHADE}" stroke-width="5"/>${wheel(124)}${wheel(350)}`,
}

function illustration(body: string, paint: string, sky: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="480" height="320" viewBox="0 0 480 320">
    <defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="${sky}"/><stop offset="1" stop-color="#f7f4ee"/></linearGradient></defs>
    <rect width="480" height="320" fill="url(#sky)"/><path d="M0 200 L90 130 L170 190 L260 110 L370 196 L480 140 V320 H0 Z" fill="#00000014"/>
    <rect y="262" width="480" height="58" fill="#767d86"/><path d="M0 294 H480" stroke="#fff" stroke-width="4" stroke-dasharray="36 28"/>
    <ellipse cx="240" cy="280" rx="210" ry="9" fill="${SHADE}"/>${BODIES[body]?.(paint)}
    <rect x="412" y="196" width="14" height="18" rx="4" fill="#fff3b8"/></svg>`
}

const drawings = Object.keys(BODIES).flatMap((type) =>
  (Object.keys(PAINT) as (keyof typeof PAINT)[]).map((colour) => ({
    name: `${type}-${colour}.jpg`,
    svg: illustration(type, PAINT[colour], SKY[colour]),
  })),
)

const page = `<body><script>(async () => {
  const out = {}
  for (const { name, svg } of ${JSON.stringify(drawings)}) {
    const image = new Image()
    image.src = 'data:image/svg+xml;base64,' + btoa(svg)
    await image.decode()
    const canvas = Object.assign(document.createElement('canvas'), { width: 480, height: 320 })
    canvas.getContext('2d').drawImage(image, 0, 0)
    out[name] = canvas.toDataURL('image/jpeg', 0.72).split(',')[1]
  }
  document.body.textContent = JSON.stringify(out)
})()</script></body>`

const chromium = process.argv[2] ?? 'chromium'
const folder = await mkdtemp(join(tmpdir(), 'fleet-photos-'))
const file = join(folder, 'page.html')
await writeFile(file, page)
const { stdout } = await promisify(execFile)(
  chromium,
  ['--headless', '--no-sandbox', '--disable-gpu', '--virtual-time-budget=10000', '--dump-dom', `file://${file}`],
  { maxBuffer: 16 * 1024 * 1024 },
)
const encoded = JSON.parse(/\{.*\}/s.exec(stdout)?.[0] ?? '{}') as Record<string, string>
for (const [name, base64] of Object.entries(encoded)) {
  await writeFile(new URL(name, import.meta.url), Buffer.from(base64, 'base64'))
}
await rm(folder, { recursive: true })
console.log(`${Object.keys(encoded).length} photos drawn`)
