/**
 * V8's option for half of the young generation, in MiB, and what a gateway wants of it. V8 lets it grow to 32 MiB a half:
 * the few KiB that each request leaves behind then go through more memory than a core's cache holds.
 */
const OPTION = '--max-semi-space-size'
const MEBIBYTES = 16

/**
 * Starts this program again with a small young generation, as the same process and with the same arguments: V8 takes the
 * option at its start only. Figures: docs/architecture.md, "Memory". It does nothing where the size was chosen by whoever
 * started the program (on Node's command line or in NODE_OPTIONS), where a parent talks to it over a channel, which would
 * be lost, and where the system cannot (Windows).
 *
 * Call it before anything is open or loaded. Processes that this one forks inherit the option.
 */
export function restartWithYoungGeneration(nodeOptions = ''): void {
  const { execPath, execArgv, argv } = process
  const isChosen = [...execArgv, nodeOptions].some((given) => given.replaceAll('_', '-').includes(OPTION))
  if (isChosen || process.execve === undefined || process.channel !== undefined) return
  try {
    process.execve(execPath, [execPath, `${OPTION}=${MEBIBYTES}`, ...execArgv, ...argv.slice(1)])
  } catch {
    // A sandbox may forbid it (Node's --permission, seccomp): the gateway serves as it is.
  }
}
