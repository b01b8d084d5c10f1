/**
 * nginx with one worker and upstream keep-alive: what a native proxy and a native cache cost on this machine.
 * `--variant` is `proxy`, `cache` (as Debian installs it: sendfile on) or `cache-sendfile-off`.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { serve, type Place } from './command.ts'
import { announce, argument } from './peer.ts'
import { childrenOf } from './process-tree.ts'

const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
const VARIANTS: Readonly<Record<string, { cache: boolean; sendfile: 'on' | 'off' }>> = {
  proxy: { cache: false, sendfile: 'on' },
  cache: { cache: true, sendfile: 'on' },
  'cache-sendfile-off': { cache: true, sendfile: 'off' },
}

const origin = new URL(argument('origin'))
const certificate = argument('certificate')
const variant = VARIANTS[argument('variant')]
if (variant === undefined) throw new TypeError(`--variant is one of ${Object.keys(VARIANTS).join(', ')}`)
const { cache, sendfile } = variant

const configuration = ({ folder, port, securePort }: Place): string => `
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${join(folder, 'nginx.pid')};
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  sendfile ${sendfile};
  tcp_nopush ${sendfile};
  tcp_nodelay on;
  keepalive_timeout 75s;
  keepalive_requests 1000000;
${TEMPORARY.map((name) => `  ${name}_temp_path ${join(folder, name)};`).join('\n')}
  ${cache ? `proxy_cache_path ${join(folder, 'cache')} levels=1:2 keys_zone=bench:32m max_size=1g;` : ''}
  ssl_certificate ${join(certificate, 'cert.pem')};
  ssl_certificate_key ${join(certificate, 'key.pem')};
  upstream origin {
    server ${origin.host};
    keepalive 128;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    listen 127.0.0.1:${securePort} ssl http2 backlog=4096;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_buffers 32 8k;
      ${cache ? 'proxy_cache bench;' : 'proxy_max_temp_file_size 0;'}
    }
  }
}
`

/** Without the cache's loader: it goes after a minute, and with it what it has counted. */
const workers = (pid: number): number[] => [
  pid,
  ...childrenOf(pid).filter((child) => !readFileSync(`/proc/${child}/cmdline`, 'latin1').includes('cache loader')),
]

if (process.platform === 'linux') {
  await serve({
    file: 'nginx',
    configuration: (place) => ({ name: 'nginx.conf', text: configuration(place) }),
    args: (file, { folder }) => ['-p', folder, '-c', file, '-e', 'stderr'],
    workers,
    secure: true,
  })
} else {
  announce({ unavailable: 'its workers are found through /proc: Linux only' })
}
