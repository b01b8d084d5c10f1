import { once } from 'node:events'
import { enableCompileCache, getCompileCacheDir } from 'node:module'
import { Worker } from 'node:worker_threads'
import { test } from 'tap'
import { threadEnvironment } from '../../../services/workers/thread-environment.ts'

const TELL = `
const { parentPort } = require('node:worker_threads')
parentPort.postMessage([Object.keys(process.env), require('node:module').getCompileCacheDir()])
`

void test('a thread shares the compiled code, and nothing else of the environment', async (t) => {
  enableCompileCache()
  const worker = new Worker(TELL, { eval: true, env: threadEnvironment() })
  t.strictSame(await once(worker, 'message'), [[['NODE_COMPILE_CACHE'], getCompileCacheDir()]])
})
