/** nginx as a reverse proxy with one worker and upstream keep-alive: what a native proxy costs on this machine. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { announce, argument } from './peer.ts'

const START_ATTEMPTS = 100
const START_INTERVAL_MS = 50

function configuration(folder: string, port: number, origin: URL): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
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
${temporary.map((name) => `  ${name}_temp_path ${join(folder, name)};`).join('\n')}
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
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false // not listening yet
  } finally {
    socket.destroy()
  }
}

async function start(): Promise<void> {
  if (process.platform !== 'linux') return announce({ unavailable: 'its CPU time is read from /proc: Linux only' })
  const folder = mkdtempSync(join(tmpdir(), 'headrace-bench-nginx-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration(folder, port, new URL(argument('origin'))))
  const nginx = spawn('nginx', ['-p', folder, '-c', file, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'inherit'] })
  nginx.on('error', (error: NodeJS.ErrnoException) => {
    announce({ unavailable: error.code === 'ENOENT' ? 'nginx is not installed' : error.message })
  })
  const { pid } = nginx
  if (pid === undefined) return
  nginx.on('exit', (code) => process.exit(code ?? 1))
  process.on('exit', () => nginx.kill('SIGKILL'))
  // nginx removes its pid file as it ends: this process, and with it the folder, stays until then.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => nginx.kill('SIGTERM'))
  for (let attempt = 0; attempt < START_ATTEMPTS && !(await accepts(port)); attempt++) await delay(START_INTERVAL_MS)
  const workers = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
  announce({ url: `http://127.0.0.1:${port}`, pids: workers })
}

await start()
