/**
 * `npm run proof [-- --only a,b] [--json file]`: load and latency figures against their targets, one proof after another,
 * each bounded in time. Ends with 0 when all are met, 1 when one is missed, 2 for wrong arguments, 130 when interrupted.
 */
import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { circumstances } from '../circumstances.ts'
import { PROOFS } from './all.ts'
import type { Figure, Proof } from './proof.ts'
import { judge, type ProofReport, proofTable, type Report } from './report.ts'

/** @throws for what is no argument, or no proof */
function readArguments(): { proofs: readonly Proof[]; json: string | null } {
  const { values } = parseArgs({ options: { only: { type: 'string' }, json: { type: 'string' } } })
  const names = values.only?.split(',') ?? PROOFS.map(({ name }) => name)
  const unknown = names.filter((name) => !PROOFS.some((proof) => proof.name === name))
  if (unknown.length > 0) {
    throw new TypeError(`There is no ${unknown.join(', ')}; there are ${PROOFS.map(({ name }) => name).join(', ')}`)
  }
  return { proofs: PROOFS.filter(({ name }) => names.includes(name)), json: values.json ?? null }
}

/** What a proof came to, or why it came to nothing. */
async function outcomeOf(proof: Proof): Promise<{ figures: Figure[]; note: string | null; skipped: boolean }> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`It took longer than ${proof.limitMs / 1000} s`)), proof.limitMs)
  try {
    const findings = await Promise.race([proof.run(), late.promise])
    if ('skipped' in findings) return { figures: [], note: findings.skipped, skipped: true }
    return { figures: findings.figures, note: null, skipped: false }
  } catch (error) {
    return { figures: [], note: `It broke off: ${(error as Error).message}`, skipped: false }
  } finally {
    clearTimeout(timer)
  }
}

async function prove(proof: Proof): Promise<ProofReport> {
  const before = loadavg()[0]!
  const startedAt = performance.now()
  const outcome = await outcomeOf(proof)
  return judge(proof, outcome, {
    seconds: (performance.now() - startedAt) / 1000,
    load: { before, after: loadavg()[0]! },
  })
}

async function main(): Promise<number> {
  const { proofs, json } = readArguments()
  const report: Report = { ...circumstances(), proofs: [] }
  for (const proof of proofs) {
    const result = await prove(proof)
    report.proofs.push(result)
    console.log(`\n${proofTable(result)}`)
  }
  const { commit, modified, node, machine } = report
  console.log(`\nCommit ${commit}${modified ? ' (modified)' : ''}, Node ${node}, ${machine.cores} × ${machine.cpu}`)
  if (json !== null) writeFileSync(json, `${JSON.stringify(report, null, 2)}\n`)
  return report.proofs.some(({ met }) => met === false) ? 1 : 0
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
try {
  // What broke off in a proof may still be under way.
  process.exit(await main())
} catch (error) {
  console.error((error as Error).message)
  process.exit(2)
}
