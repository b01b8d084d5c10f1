import { test } from 'tap'
import { KeyTable } from '../../../services/limit/key-table.ts'

void test('a key has the number that it was given, whatever others there are', async (t) => {
  const table = new KeyTable({ maxKeys: 100_000 })
  for (let i = 1; i <= 50_000; i++) {
    table.seek(`key ${i}`, 0)
    table.put(i)
  }
  let wrong = 0
  for (let i = 1; i <= 50_000; i++) if (table.seek(`key ${i}`, 0) !== i) wrong++
  // Where nine keys meet in a set of eight, one is gone.
  t.ok(wrong < 25, `${wrong} of 50,000 were displaced`)
  t.equal(table.seek('key 0', 0), 0)
})

void test('a million keys take no more than 34 MB, however many more come', async (t) => {
  const table = new KeyTable({ maxKeys: 1_000_000 })
  for (let i = 0; i < 1_050_000; i++) {
    table.seek(`2001:db8:${i}`, 0)
    table.put(1 + i)
  }
  t.ok(table.bytes <= 34e6, `${table.bytes} bytes`)
})

void test('a flood of keys displaces itself, and nobody who has used more', async (t) => {
  const table = new KeyTable({ maxKeys: 1_000 })
  for (let i = 0; i < 100; i++) {
    table.seek(`held back ${i}`, 0)
    table.put(1_000_000)
  }
  for (let i = 0; i < 200_000; i++) {
    table.seek(`flood ${i}`, 0)
    table.put(100)
  }
  let kept = 0
  for (let i = 0; i < 100; i++) if (table.seek(`held back ${i}`, 0) === 1_000_000) kept++
  t.equal(kept, 100)
})

void test('numbers that have passed make room before the table grows', async (t) => {
  const table = new KeyTable({ maxKeys: 1_000_000 })
  const { bytes } = table
  for (let i = 1; i <= 100_000; i++) {
    table.seek(`key ${i}`, i - 1)
    table.put(i)
  }
  t.equal(table.bytes, bytes)
})
