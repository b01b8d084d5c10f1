import { readFile } from 'node:fs/promises'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { rowParams } from '../collection/schemas.ts'
import { EPOCH_MS } from '../data/calendar.ts'
import type { Table } from '../data/table.ts'
import { problems } from '../http/problem.ts'
import { COLOURS, type Vehicle, VEHICLE_TYPES } from './vehicles.ts'

/** `GET /vehicles/:id/photo`: a JPEG of 480 × 320, one for each type and colour. */
export async function registerPhotos(app: FastifyInstance, vehicles: Table<Vehicle>): Promise<void> {
  const photos = await loadPhotos()
  const schema = {
    operationId: 'getVehiclePhoto',
    summary: 'Photo of a vehicle',
    tags: ['vehicles'],
    params: rowParams,
    produces: ['image/jpeg'],
    response: {
      200: {
        description: 'The photo',
        content: { 'image/jpeg': { schema: Type.Unsafe<Buffer>({ type: 'string', format: 'binary' }) } },
      },
      ...problems(400, 404),
    },
  }
  app.get<{ Params: { id: number } }>('/vehicles/:id/photo', { schema }, async (request, reply) => {
    const { id, type, colour } = vehicles.get(request.params.id)
    return reply
      .type('image/jpeg')
      .header('cache-control', 'public, max-age=86400, stale-while-revalidate=604800')
      .header('last-modified', new Date(EPOCH_MS).toUTCString())
      .header('surrogate-key', `photos vehicles-${id}`)
      .send(photos.get(`${type}-${colour}`))
  })
}

async function loadPhotos(): Promise<Map<string, Buffer>> {
  const names = VEHICLE_TYPES.flatMap((type) => COLOURS.map((colour) => `${type}-${colour}`))
  const files = names.map(
    async (name) => [name, await readFile(new URL(`../photos/${name}.jpg`, import.meta.url))] as const,
  )
  return new Map(await Promise.all(files))
}
