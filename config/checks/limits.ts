import type { LimitInput, RouteLimitInput } from '../../services/limit/options.ts'
import { parseDuration, parseRate } from '../../services/options/units.ts'
import type { Path, Report } from '../problem.ts'
import { closest, closestUnit } from '../suggest.ts'
import type { CheckContext, Say } from './context.ts'

type Use = Exclude<RouteLimitInput, string | false | unknown[]>
/** Each limit says how much it allows, once; what a request costs can be had; and names of limits are names of some. */
export function checkLimits({ settings, report }: CheckContext): void {
  const say = sayer(report)
  for (const [name, limit] of Object.entries(settings.rateLimit)) checkLimit(limit, ['rateLimit', name], say)
  const known = Object.keys(settings.rateLimit)
  for (const [key, { rateLimit }] of Object.entries(settings.routes)) {
    if (rateLimit !== undefined && rateLimit !== false)
      checkUses(rateLimit, ['routes', key, 'rateLimit'], { known, settings, say })
  }
  checkTiersOfConsumers(settings, say)
  for (const [name, { rateLimit, quota }] of Object.entries(settings.tiers)) {
    const path = ['tiers', name]
    if (rateLimit === undefined && quota?.day === undefined && quota?.month === undefined) {
      say(path, 'the tier allows and forbids nothing: give it a rateLimit, or a quota with a day or a month')
    }
    if (rateLimit !== undefined) checkUses(rateLimit, [...path, 'rateLimit'], { known, settings, say })
    if (quota?.day !== undefined && quota.month !== undefined && quota.day > quota.month) {
      say([...path, 'quota', 'day'], 'more in a day than in a month: the quota of the day is never used up')
    }
  }
}

/** Where there are tiers, a consumer's is one of them; else it is for the upstream to know. */
function checkTiersOfConsumers({ access, tiers }: CheckContext['settings'], say: Say): void {
  const known = Object.keys(tiers)
  if (known.length === 0) return
  for (const [name, { tier }] of Object.entries(access.consumers)) {
    if (tier === undefined || known.includes(tier)) continue
    say(['access', 'consumers', name, 'tier'], `there is no tier '${tier}': add it to tiers`, closest(tier, known))
  }
}

function sayer(report: Report): Say {
  return (path, message, suggestion) => {
    if (report.touches(...path)) return
    report.add('HR_CONFIG_LIMIT', path, message, { suggestion })
  }
}

function checkUses(
  uses: Exclude<RouteLimitInput, false>,
  path: Path,
  { known, settings, say }: { known: string[]; settings: CheckContext['settings']; say: Say },
): void {
  for (const [index, use] of [uses].flat().entries()) {
    const at = Array.isArray(uses) ? [...path, index] : path
    const name = typeof use === 'string' ? use : use.limit
    if (name === undefined) checkLimit(use as Use, at, say)
    else if (!known.includes(name)) {
      const rate = /^\d/.test(name) ? closestUnit('rate', name) : undefined
      const suggestion = closest(name, known) ?? (rate && `{ rate: '${rate}' }`)
      say(at, `there is no limit '${name}': add it to rateLimit, or write one here`, suggestion)
    } else if (typeof use !== 'string') checkShared(use, settings.rateLimit[name] as LimitInput, { at, say })
  }
}

/** What is said beside a name has an effect. */
function checkShared(use: Use, limit: LimitInput, { at, say }: { at: Path; say: Say }): void {
  const own = (['rate', 'max', 'burst', 'measured'] as const).find((property) => use[property] !== undefined)
  if (own !== undefined) {
    say(
      [...at, own],
      `the limit '${use.limit}' says this for all who share it: beside its name, only 'cost' has an effect`,
    )
  }
  checkCost(use.cost, limit, { at, say })
}

function checkLimit(limit: LimitInput, path: Path, say: Say): void {
  const { rate, max, timeWindow, measured } = limit
  if (rate === undefined && max === undefined) {
    say(path, "how much does it allow? Write a 'rate' such as '100/min', or 'max' and 'timeWindow'")
  } else if (rate !== undefined && max !== undefined) {
    say([...path, 'max'], "'rate' and 'max' both say how much it allows: keep one")
  }
  if (rate !== undefined && parseRate(rate)?.count === 0)
    say([...path, 'rate'], 'nothing would ever pass: give it 1 at least')
  if ((parseDuration(timeWindow) ?? 0) < 1_000)
    say([...path, 'timeWindow'], 'a second at least: clients are told of it in seconds')
  if (measured !== undefined && limit.cost !== 1) {
    say([...path, 'cost'], `what a request costs is measured ('${measured}'): leave 'cost' out`)
  }
  checkCost(limit.cost, limit, { at: path, say })
}

function checkCost(cost: number, { rate, max, burst }: LimitInput, { at, say }: { at: Path; say: Say }): void {
  const most = burst ?? (rate === undefined ? max : parseRate(rate)?.count) ?? Number.POSITIVE_INFINITY
  if (most > 0 && cost > most)
    say([...at, 'cost'], `a request costs ${cost}, and there are never more than ${most}: none would pass`)
}
