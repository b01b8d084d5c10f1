#!/usr/bin/env node
import { processEnvironment } from './config/environment.ts'
import { isServing, main } from './cli/main.ts'
import { restartWithYoungGeneration } from './server/young-generation.ts'

const variables = processEnvironment()
if (isServing(process.argv.slice(2))) restartWithYoungGeneration(variables.NODE_OPTIONS)

for (const stream of [process.stdout, process.stderr]) stream.on('error', ignoreClosedPipe)

// The version of Node is checked before this is loaded: by the launcher of the published package (scripts/pack.ts).
process.exitCode = await main(process.argv.slice(2), {
  cwd: process.cwd(),
  variables,
  stdout: process.stdout,
  stderr: process.stderr,
})

/** `headrace print | head`: a reader that has seen enough is no failure. */
function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
