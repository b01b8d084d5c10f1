import type { SplitInput } from '../../services/split/options.ts'
import { closest } from '../suggest.ts'
import type { Settings } from '../schema.ts'
import type { CheckContext, Say } from './context.ts'

/** Each side of a split can get requests, and what else is said of it has an effect. */
export function checkSplits({ settings, report }: CheckContext): void {
  for (const [key, { to, cache }] of Object.entries(settings.routes)) {
    if (to === undefined || typeof to === 'string' || report.touches('routes', key, 'to')) continue
    const say: Say = (path, message, suggestion) => {
      report.add('HR_CONFIG_ROUTE_OPTION', ['routes', key, 'to', ...path], message, { suggestion })
    }
    checkSides(to, say)
    checkRules(to, say)
    checkSticky(to, settings.upstreams, say)
    if (to.cache === 'shared' && cache === false) {
      say(['cache'], "the route has no cache that its sides could share: add 'cache' to the route, or leave this out")
    }
  }
}

function checkSides({ split, rules }: SplitInput, say: Say): void {
  const sides = Object.entries(split)
  if (sides.length === 0) return say(['split'], 'name at least one upstream and its share')
  if (sides.every(([, weight]) => weight === 0)) {
    return say(['split'], 'no side has a share: give one more than 0, or requests that no rule takes go nowhere')
  }
  for (const [name, weight] of sides) {
    if (weight > 0 || rules.some(({ to }) => to === name)) continue
    say(['split', name], `nothing goes to '${name}': its share is 0, and no rule names it`)
  }
}

function checkRules({ split, rules }: SplitInput, say: Say): void {
  rules.forEach(({ header, cookie, is, to }, index) => {
    const path = ['rules', index]
    if ((header === undefined) === (cookie === undefined)) {
      const fault = header === undefined ? 'a rule looks at something' : 'a rule looks at one thing'
      say(path, `${fault}: name a 'header' or a 'cookie'`)
    }
    if (!Object.hasOwn(split, to)) {
      const add = `add it to split, with 0 where only rules send there`
      say([...path, 'to'], `'${to}' is no side of the split: ${add}`, closest(to, Object.keys(split)))
    }
    const before = rules.findIndex(
      (one) =>
        one.header?.toLowerCase() === header?.toLowerCase() &&
        one.cookie === cookie &&
        (one.is === undefined || one.is === is),
    )
    if (before < index) say(path, `the rule ${before + 1} takes the same requests before it`)
  })
}

function checkSticky({ split, sticky }: SplitInput, upstreams: Settings['upstreams'], say: Say): void {
  if (sticky === undefined) return
  if (Object.values(split).filter((weight) => weight > 0).length < 2) {
    return say(['sticky'], 'only one side has a share: there is nothing that a client could be kept from')
  }
  if (typeof sticky === 'string') return
  const other = Object.keys(split).find((name) => upstreams[name]?.sticky?.cookie === sticky.cookie)
  if (other === undefined) return
  say(['sticky', 'cookie'], `the upstream '${other}' keeps its targets in a cookie of this name: choose another`)
}
