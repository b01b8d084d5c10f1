import { readFileSync } from 'node:fs'

/** Established (include/net/tcp_states.h). */
const ESTABLISHED = '01'

/**
 * Bytes that the kernel holds of loopback connections to these ports: sent and not taken, or taken and not read.
 * Linux lets a receive buffer grow to 32 MiB (`tcp_rmem`), so that what a writer got rid of says little of what the
 * gateway holds without this. Where there is no /proc, it is nothing: buffers are small there.
 */
export function heldByKernel(...ports: number[]): number {
  const ours = new Set(ports.map((port) => port.toString(16).toUpperCase().padStart(4, '0')))
  let bytes = 0
  for (const table of ['tcp', 'tcp6']) {
    // The queues' columns are hexadecimal: `  0: 0100007F:ACDD 0100007F:C350 01 0000F000:00001A2B …` (proc_pid_net(5))
    for (const line of connections(table)) {
      const [, local = '', remote = '', state, queues = ''] = line.trim().split(/\s+/)
      if (state !== ESTABLISHED || ![local, remote].some((address) => ours.has(address.split(':')[1] ?? ''))) continue
      for (const queue of queues.split(':')) bytes += Number.parseInt(queue, 16)
    }
  }
  return bytes
}

function connections(table: string): string[] {
  try {
    return readFileSync(`/proc/self/net/${table}`, 'latin1').split('\n').slice(1)
  } catch {
    return []
  }
}
