import { test } from 'tap'
import { ageAt, bornAt, initialAge, receivedAge } from '../../../../services/cache/rules/age.ts'
import { head, httpDate, NOW } from './messages.ts'

void test('the first number of Age counts, over lists and lines', (t) => {
  const cases: [string | string[], number | undefined][] = [
    ['30', 30],
    ['7200, 0', 7200],
    ['0, 7200', 0],
    [['7200', '0'], 7200],
    [['0', '7200'], 0],
    ['0, 0', 0],
    ['2147483647', 2_147_483_647],
    ['2147483649', 2_147_483_647],
    ['abc', undefined],
    ['-7200', undefined],
    ['7200.0', undefined],
    ['', undefined],
    ['7200;foo=bar', undefined],
    [['abc', '7200'], 7200],
  ]
  for (const [age, expected] of cases) t.equal(receivedAge(head({ age }).fields), expected, String(age))
  t.equal(receivedAge(head({}).fields), undefined)
  t.end()
})

void test('the age on arrival is the larger of Date and Age plus delay (RFC 9111 §4.2.3)', (t) => {
  t.equal(initialAge(head({})), 0)
  t.equal(initialAge(head({ date: httpDate(-7200) })), 7_200_000, 'apparent_age')
  t.equal(initialAge(head({ date: httpDate(50) })), 0, 'a fast clock makes nothing younger')
  t.equal(initialAge(head({ age: '30' })), 30_000)
  t.equal(initialAge(head({ age: '30' }, { requestedAt: NOW - 2500 })), 32_500, 'corrected for the response delay')
  t.equal(initialAge(head({ age: '30', date: httpDate(-100) })), 100_000)
  t.equal(initialAge(head({ date: 'foo' }, { requestedAt: NOW - 10 })), 10, 'an invalid Date is that of the arrival')
  t.equal(initialAge(head({}, { requestedAt: NOW + 5 })), 0, 'a clock set back')
  t.end()
})

void test('the parts of a second that Date cannot say are no age', (t) => {
  t.equal(initialAge(head({}, { requestedAt: NOW + 900, receivedAt: NOW + 900 })), 0)
  t.equal(initialAge(head({}, { requestedAt: NOW + 1900, receivedAt: NOW + 1900 })), 1000)
  t.end()
})

void test('age goes on in the store, in whole seconds', (t) => {
  const born = bornAt(head({ age: '30' }))
  t.equal(ageAt(born, NOW), 30)
  t.equal(ageAt(born, NOW + 1999), 31)
  t.equal(ageAt(born, NOW + 2000), 32)
  t.equal(ageAt(NOW, NOW - 5000), 0, 'a clock set back')
  t.equal(ageAt(0, 1e15), 2_147_483_647)
  t.end()
})
