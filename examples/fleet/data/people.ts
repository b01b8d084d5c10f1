import type { Driver } from '../resources/drivers.ts'
import type { User } from '../resources/users.ts'
import { dayBefore, daysBefore } from './calendar.ts'
import type { Random } from './random.ts'

const GIVEN: [string, ...string[]] = [
  'Ada', 'Amir', 'Beata', 'Bruno', 'Carla', 'Dario', 'Elif', 'Emil', 'Fatou', 'Goran', 'Hana', 'Ines', 'Jonas', 'Karim',
  'Lena', 'Marek', 'Nadia', 'Olga', 'Pedro', 'Rosa', 'Samir', 'Tilda', 'Uwe', 'Vera', 'Wim', 'Yara', 'Zoran',
] // biome-ignore format: a word list
const FAMILY: [string, ...string[]] = [
  'Almeida', 'Berg', 'Costa', 'Dubois', 'Eriksson', 'Ferrari', 'Gruber', 'Haddad', 'Ivanova', 'Jansen', 'Kowalski', 'Lopes',
  'Maes', 'Nowak', 'Okafor', 'Peeters', 'Quist', 'Rossi', 'Svensson', 'Tanaka', 'Urban', 'Varga', 'Wagner', 'Yilmaz',
] // biome-ignore format: a word list

/** Addresses below example.com can never reach anybody (RFC 2606). */
function person(random: Random, id: number): { name: string; email: string } {
  const given = random.pick(GIVEN)
  const family = random.pick(FAMILY)
  return { name: `${given} ${family}`, email: `${given}.${family}.${id}@fleet.example.com`.toLowerCase() }
}

export function generateDrivers(random: Random, count: number): Driver[] {
  return Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    ...person(random, index + 1),
    phone: `+32 2 555 ${String(random.integer(0, 9999)).padStart(4, '0')}`,
    licenceClass: random.pick(['B', 'B', 'C1', 'C', 'CE']),
    licenceExpiresOn: dayBefore(-random.integer(5, 2500)),
    status: random.pick(['available', 'driving', 'driving', 'off-duty', 'on-leave']),
    depot: random.pick(['Antwerp', 'Gdansk', 'Graz', 'Lyon', 'Malmo', 'Porto']),
    hiredOn: dayBefore(random.integer(30, 5000)),
    createdAt: daysBefore(random.integer(30, 1400)),
    updatedAt: daysBefore(random.decimal(0.1, 29, 4)),
  }))
}

export function generateUsers(random: Random, count: number): User[] {
  return Array.from({ length: count }, (_, index) => ({
    id: index + 1,
    ...person(random, index + 1),
    role: random.pick(['admin', 'dispatcher', 'dispatcher', 'mechanic', 'mechanic', 'viewer']),
    active: random.chance(0.92),
    lastLoginAt: daysBefore(random.decimal(0, 40, 3)),
    createdAt: daysBefore(random.integer(60, 1400)),
    updatedAt: daysBefore(random.decimal(0.1, 50, 4)),
  }))
}
