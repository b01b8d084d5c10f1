#!/usr/bin/env -S node --max-semi-space-size=4
import { processEnvironment } from './config/environment.ts'
import { main } from './cli/main.ts'

// The version of Node is checked before this is loaded: by the launcher of the published package (scripts/pack.ts).
process.exitCode = await main(process.argv.slice(2), {
  cwd: process.cwd(),
  variables: processEnvironment(),
  stdout: process.stdout,
  stderr: process.stderr,
})
