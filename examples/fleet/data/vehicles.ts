import type { Vehicle } from '../resources/vehicles.ts'
import { dayBefore, daysBefore } from './calendar.ts'
import type { Random } from './random.ts'

type Model = Pick<Vehicle, 'type' | 'make' | 'model' | 'payloadKg'> & {
  fuels: [Vehicle['fuelType'], ...Vehicle['fuelType'][]]
}

const MODELS: [Model, ...Model[]] = [
  { type: 'van', make: 'Ford', model: 'Transit', payloadKg: 1300, fuels: ['diesel', 'electric'] },
  { type: 'van', make: 'Renault', model: 'Master', payloadKg: 1450, fuels: ['diesel', 'electric'] },
  { type: 'van', make: 'Mercedes-Benz', model: 'Sprinter', payloadKg: 1250, fuels: ['diesel'] },
  { type: 'truck', make: 'Volvo', model: 'FL', payloadKg: 9200, fuels: ['diesel', 'electric'] },
  { type: 'truck', make: 'MAN', model: 'TGL', payloadKg: 7400, fuels: ['diesel'] },
  { type: 'pickup', make: 'Toyota', model: 'Hilux', payloadKg: 1000, fuels: ['diesel'] },
  { type: 'pickup', make: 'Isuzu', model: 'D-Max', payloadKg: 1080, fuels: ['diesel'] },
  { type: 'car', make: 'Skoda', model: 'Octavia', payloadKg: 520, fuels: ['petrol', 'hybrid'] },
  { type: 'car', make: 'Hyundai', model: 'Kona', payloadKg: 480, fuels: ['electric', 'hybrid'] },
]

const VIN_ALPHABET = 'ABCDEFGHJKLMNPRSTUVWXYZ0123456789'

export function generateVehicles(random: Random, count: number): Vehicle[] {
  return Array.from({ length: count }, (_, index) => {
    const { fuels, ...model } = random.pick(MODELS)
    const year = random.integer(2016, 2025)
    return {
      id: index + 1,
      vin: random.text(17, VIN_ALPHABET),
      plate: `${random.text(2, 'ABCDEFGHJKLMNPRSTVWXYZ')}-${random.integer(100, 999)}-${random.text(2, 'ABCDEFGHJKLMNPRSTVWXYZ')}`,
      ...model,
      year,
      colour: random.pick(['white', 'white', 'blue', 'orange']),
      fuelType: random.pick(fuels),
      status: random.pick(['active', 'active', 'active', 'active', 'idle', 'idle', 'workshop', 'retired']),
      depot: random.pick(['Antwerp', 'Gdansk', 'Graz', 'Lyon', 'Malmo', 'Porto']),
      odometerKm: (Number(dayBefore(0).slice(0, 4)) - year) * random.integer(14_000, 32_000) + random.integer(0, 9_000),
      createdAt: daysBefore(random.integer(200, 1400)),
      updatedAt: daysBefore(random.decimal(0.1, 30, 4)),
    }
  })
}
