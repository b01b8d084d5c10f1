/** nginx as a reverse proxy with one worker and upstream keep-alive: what a native proxy costs on this machine. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { serve } from './command.ts'
import { announce, argument } from './peer.ts'

const origin = new URL(argument('origin'))
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

const configuration = (folder: string, port: number): string => `
daemon off;
worker_processes 1;
${process.getuid?.() === 0 ? 'user root;' : ''}
pid ${join(folder, 'nginx.pid')};
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 75s;
  keepalive_requests 1000000000;
${TEMPORARY.map((name) => `  ${name}_temp_path ${join(folder, name)};`).join('\n')}
  upstream origin {
    server ${origin.host};
    keepalive 128;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / {
      proxy_pass http://origin;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_buffers 32 8k;
      proxy_max_temp_file_size 0;
    }
  }
}
`

if (process.platform === 'linux') {
  await serve({
    file: 'nginx',
    configuration: (folder, port) => ({ name: 'nginx.conf', text: configuration(folder, port) }),
    args: (file, folder) => ['-p', folder, '-c', file, '-e', 'stderr'],
    workers: (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number),
  })
} else {
  announce({ unavailable: 'its workers are found through /proc: Linux only' })
}
