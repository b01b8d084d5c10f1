import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv4 } from 'node:net'
import type { Test } from 'tap'

/** An address, or a server of a service; of the name '' where there is none. */
export type DnsRecord = string | { name: string; port: number; priority?: number; weight?: number }

export interface DnsServer {
  /** `127.0.0.1:port`, where it listens. */
  address: string
  /** What there is, by name in lower case; of what is not there it says so. */
  records: Map<string, DnsRecord[]>
  ttl: number
  /** It fails on questions for IPv4 addresses. */
  failsOnIPv4: boolean
  /** Names that were asked for, in order. */
  asked: string[]
}

const A = 1
const AAAA = 28
const SRV = 33
const HEADER_BYTES = 12
/** A response to a recursive question, from one who does that; then, that there is no such name (RFC 1035 §4.1.1). */
const ANSWER = 0x8180
const NO_NAME = 0x8183
/** That it could not be answered. */
const FAILURE = 0x8182
/** The name of the question, which begins behind the header (§4.1.4). */
const SAME_NAME = 0xc000 | HEADER_BYTES

/** A name server on the loopback, over UDP (RFC 1035). It closes with the test. */
export async function startDnsServer(t: Test, records: Record<string, DnsRecord[]>): Promise<DnsServer> {
  const socket = createSocket('udp4')
  const server: DnsServer = {
    address: '',
    records: new Map(Object.entries(records)),
    ttl: 60,
    failsOnIPv4: false,
    asked: [],
  }
  socket.on('message', (question, { port, address }) => socket.send(answer(server, question), port, address))
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  server.address = `127.0.0.1:${socket.address().port}`
  return server
}

function answer({ records, ttl, failsOnIPv4, asked }: DnsServer, question: Buffer): Buffer {
  const labels: string[] = []
  let end = HEADER_BYTES
  for (let length = question[end]!; length > 0; length = question[end]!) {
    labels.push(question.toString('latin1', end + 1, end + 1 + length))
    end += 1 + length
  }
  end += 5
  const name = labels.join('.').toLowerCase()
  const type = question.readUInt16BE(end - 4)
  asked.push(name)
  const known = records.get(name)
  const fails = failsOnIPv4 && type === A
  const data = fails ? [] : (known ?? []).flatMap((record) => dataOf(record, type) ?? [])
  const header = Buffer.alloc(HEADER_BYTES)
  question.copy(header, 0, 0, 2)
  header.writeUInt16BE(fails ? FAILURE : known === undefined ? NO_NAME : ANSWER, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(data.length, 6)
  const answers = data.map((rdata) => {
    const head = Buffer.alloc(HEADER_BYTES)
    head.writeUInt16BE(SAME_NAME, 0)
    head.writeUInt16BE(type, 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt32BE(ttl, 6)
    head.writeUInt16BE(rdata.length, 10)
    return Buffer.concat([head, rdata])
  })
  return Buffer.concat([header, question.subarray(HEADER_BYTES, end), ...answers])
}

/** `undefined` where the record is of another type. */
function dataOf(record: DnsRecord, type: number): Buffer | undefined {
  if (typeof record === 'string') {
    if (type === (isIPv4(record) ? A : AAAA)) return addressData(record)
    return undefined
  }
  if (type !== SRV) return undefined
  const { name, port, priority = 0, weight = 0 } = record
  const numbers = Buffer.alloc(6)
  numbers.writeUInt16BE(priority, 0)
  numbers.writeUInt16BE(weight, 2)
  numbers.writeUInt16BE(port, 4)
  const labels = (name === '' ? [] : name.split('.')).map((label) =>
    Buffer.from(`${String.fromCharCode(label.length)}${label}`, 'latin1'),
  )
  return Buffer.concat([numbers, ...labels, Buffer.alloc(1)])
}

/** `::1` and its like alone, of IPv6: eight groups, with one run left out at the beginning. */
function addressData(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const groups = address.replace('::', '').split(':')
  const data = Buffer.alloc(16)
  groups.forEach((group, index) => data.writeUInt16BE(Number.parseInt(group, 16), 16 - 2 * (groups.length - index)))
  return data
}
