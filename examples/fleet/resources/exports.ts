import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { EPOCH_MS } from '../data/calendar.ts'
import { reportAt } from '../data/positions.ts'
import { problems } from '../http/problem.ts'

const MAX_ROWS = 5_000_000
const ROWS_A_CHUNK = 500
const VEHICLES = 240
const HEADER = 'vehicleId,at,latitude,longitude,speedKmh,headingDegrees,energyPercent,engineOn\n'

/**
 * `GET /exports/telematics.csv`: the reports of the whole fleet, minute by minute back from the epoch. Rows are made as the
 * client takes them: the export needs the same few kilobytes whether it is read to the end, slowly, or not at all.
 */
export function registerExports(app: FastifyInstance): void {
  const schema = {
    operationId: 'exportTelematics',
    summary: 'Telematics history as CSV (large, streamed)',
    tags: ['exports'],
    querystring: Type.Object({ rows: Type.Integer({ minimum: 1, maximum: MAX_ROWS, default: 100_000 }) }),
    response: {
      200: { description: 'RFC 4180', content: { 'text/csv': { schema: Type.String() } } },
      ...problems(400),
    },
  }
  app.get<{ Querystring: { rows: number } }>('/exports/telematics.csv', { schema }, async (request, reply) =>
    reply
      .type('text/csv; charset=utf-8; header=present')
      .header('content-disposition', 'attachment; filename="telematics.csv"')
      .header('cache-control', 'private, no-store')
      .send(Readable.from(chunks(request.query.rows), { objectMode: false, highWaterMark: 64 * 1024 })),
  )
}

/** Readable.from asks for the next chunk when there is room for it: that is the backpressure. */
function* chunks(rows: number): Generator<string> {
  yield HEADER
  for (let start = 0; start < rows; start += ROWS_A_CHUNK) {
    let text = ''
    for (let row = start; row < Math.min(start + ROWS_A_CHUNK, rows); row++) text += line(row)
    yield text
  }
}

function line(row: number): string {
  const second = EPOCH_MS / 1000 - Math.floor(row / VEHICLES) * 60
  const report = reportAt((row % VEHICLES) + 1, second)
  return `${report.id},${report.at},${report.latitude},${report.longitude},${report.speedKmh},${report.headingDegrees},${report.energyPercent},${report.engineOn}\n`
}
