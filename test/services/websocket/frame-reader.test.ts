import fc from 'fast-check'
import { test } from 'tap'
import { closeFrame } from '../../../services/websocket/close-frame.ts'
import { FrameReader } from '../../../services/websocket/frame-reader.ts'
import { closeCodeOf, frame, type Shape } from './frames.ts'

const reader = (set: Partial<ConstructorParameters<typeof FrameReader>[0]> = {}): FrameReader =>
  new FrameReader({ from: 'client', maxMessageBytes: 100_000, extended: false, ...set })

const FAULTS: [name: string, frames: Partial<Shape>[], code: 1002 | 1009][] = [
  ['a client that does not mask', [{ masked: false }], 1002],
  ['a reserved bit', [{ rsv: 4 }], 1002],
  ['a reserved opcode', [{ opcode: 3 }], 1002],
  ['a reserved control opcode', [{ opcode: 11 }], 1002],
  ['a control frame in pieces', [{ opcode: 9, fin: false }], 1002],
  ['a control frame of 126 bytes', [{ opcode: 9, payload: 'x'.repeat(126) }], 1002],
  ['a Close of one byte', [{ opcode: 8, payload: 'x' }], 1002],
  ['a continuation of nothing', [{ opcode: 0 }], 1002],
  ['a message within another', [{ fin: false }, { opcode: 2 }], 1002],
  ['a length in more bytes than it needs', [{ length: { form: 16, value: 125n } }], 1002],
  ['a length in eight bytes that two hold', [{ length: { form: 64, value: 65_535n } }], 1002],
  ['a length with its highest bit set', [{ length: { form: 64, value: 2n ** 63n } }], 1002],
  ['a length that no number holds', [{ length: { form: 64, value: 2n ** 62n } }], 1009],
  ['a message too large', [{ length: { form: 64, value: 100_001n } }], 1009],
  [
    'a message too large in its frames',
    [
      { fin: false, payload: 'x'.repeat(60_000) },
      { opcode: 0, payload: 'x'.repeat(40_001) },
    ],
    1009,
  ],
  ['a frame behind a Close', [{ opcode: 8 }, {}], 1002],
]

for (const [name, shapes, code] of FAULTS) {
  void test(`${name} is ${code}, and goes on to nobody`, (t) => {
    const frames = shapes.map((shape) => frame({ masked: true, ...shape }))
    const sound = Buffer.concat(frames.slice(0, -1))
    const read = reader().read(Buffer.concat(frames))
    t.equal(read.violation, code)
    t.same(read.pass, sound)
    t.end()
  })
}

void test('what a server sends is not masked, and an extension may use the reserved bits', (t) => {
  t.equal(reader({ from: 'server' }).read(frame({ masked: true })).violation, 1002)
  t.equal(reader({ from: 'server' }).read(frame({ masked: false })).violation, null)
  t.equal(reader({ extended: true }).read(frame({ masked: true, rsv: 4 })).violation, null)
  t.end()
})

void test('a Close of ours is what each side would send', (t) => {
  for (const side of ['client', 'server'] as const) {
    const close = closeFrame(1001, side)
    t.equal(closeCodeOf(close), 1001)
    const watching = reader({ from: side })
    t.same(watching.read(close), { pass: close, violation: null })
    t.ok(watching.closed)
  }
  t.end()
})

const data = fc.record({
  opcode: fc.constantFrom(1, 2, 9, 10),
  size: fc.constantFrom(0, 1, 125, 126, 127, 300, 65_535, 65_536),
})

void test('whatever the chunks, sound frames go by whole, and what has gone by always ends in a payload or between two', (t) => {
  fc.assert(
    fc.property(
      fc.array(data, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (frames, cuts) => {
        const written = frames.map(({ opcode, size }) =>
          frame({ opcode, masked: true, payload: 'x'.repeat(opcode > 8 ? Math.min(size, 125) : size) }),
        )
        const all = Buffer.concat(written)
        const heads = new Set<number>()
        let end = 0
        for (const one of written) {
          const head = one.length - (one.length > 65_535 + 8 ? 14 : one.length > 125 + 6 ? 8 : 6)
          for (let at = end + 1; at < end + one.length - head; at++) heads.add(at)
          end += one.length
        }
        const points = [...new Set([0, ...cuts.map((cut) => cut % all.length), all.length])].sort((a, b) => a - b)
        const watching = reader()
        let passed = 0
        for (let i = 1; i < points.length; i++) {
          const { pass, violation } = watching.read(all.subarray(points[i - 1], points[i]))
          t.equal(violation, null)
          t.ok(pass.equals(all.subarray(passed, passed + pass.length)))
          passed += pass.length
          t.notOk(heads.has(passed), 'not within a head')
        }
        t.equal(passed, all.length)
        t.ok(watching.between)
      },
    ),
    { numRuns: 200 },
  )
  t.end()
})
