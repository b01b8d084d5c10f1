import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { main } from '../../cli/main.ts'

export interface Outcome {
  code: number
  out: string
  err: string
}

/** Runs the command line in this process, with streams of its own. */
export async function headrace(cwd: string, args: string[], variables: Record<string, string> = {}): Promise<Outcome> {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const [out, err] = [text(stdout), text(stderr)]
  const code = await main(args, { cwd, variables, stdout, stderr })
  stdout.end()
  stderr.end()
  return { code, out: await out, err: await err }
}
