/** Varnish with its own rules, one pool of threads and memory as its store. */
import { join } from 'node:path'
import { serve } from './command.ts'
import { announce, argument } from './peer.ts'
import { childrenOf } from './process-tree.ts'

const origin = new URL(argument('origin'))

/** Without a jail (-j): its user could not enter a folder of ours. */
const FIXED = '-F -s malloc,64m -p thread_pools=1 -p listen_depth=4096 -T none -j none'.split(' ')

const configuration = `
vcl 4.1;
backend default {
  .host = "${origin.hostname}";
  .port = "${origin.port}";
}
`

if (process.platform === 'linux') {
  await serve({
    file: 'varnishd',
    configuration: () => ({ name: 'bench.vcl', text: configuration }),
    args: (file, { folder, port }) => [...FIXED, '-n', join(folder, 'varnish'), '-a', `127.0.0.1:${port}`, '-f', file],
    workers: (pid) => [pid, ...childrenOf(pid)],
    secure: false,
  })
} else {
  announce({ unavailable: 'its processes are found through /proc: Linux only' })
}
