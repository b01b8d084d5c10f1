/**
 * Ends this process when the channel to its supervisor is gone, or if it is gone already. What listens to the process's
 * `exit` is run before, so that the log is complete. It may be called again.
 */
export function endWithSupervisor(): void {
  // Before the listener of node:cluster, which would call process.exit().
  process.prependListener('disconnect', endOrphan)
  if (process.send !== undefined && !process.connected) endOrphan()
}

/**
 * Ends this process, whatever it does. process.exit() waits for every thread: for a lookup in the DNS that nobody answers, for
 * a file that cannot be opened, and at times for ever (https://github.com/nodejs/node/issues/54918).
 */
export function endOrphan(): never {
  process.on('exit', () => process.kill(process.pid, 'SIGKILL'))
  process.exit()
}
