import type { Case } from '../case.ts'
import { age } from './age.ts'
import { modifiedSince, noneMatches } from './conditions.ts'
import { directives } from './directives.ts'
import { authorization, general, interim, invalidation, methods } from './effects.ts'
import { expires, expiresSyntax } from './expires.ts'
import { fields, heads, updates } from './fields.ts'
import { cacheControlSyntax, freshness } from './freshness.ts'
import { ranges } from './ranges.ts'
import { pragma, requests } from './requests.ts'
import { stale } from './stale.ts'
import { heuristics, statuses } from './statuses.ts'
import { targetedControl } from './targeted.ts'
import { vary, varySyntax } from './vary.ts'

/** The suite, in the order of its page. */
export const CHAPTERS: readonly { title: string; cases: readonly Case[] }[] = [
  { title: 'Lifetime by Cache-Control', cases: freshness },
  { title: 'Reading Cache-Control', cases: cacheControlSyntax },
  { title: 'Reading Age', cases: age },
  { title: 'Lifetime by Expires', cases: expires },
  { title: 'Reading dates', cases: expiresSyntax },
  { title: 'Lifetime by CDN-Cache-Control', cases: targetedControl },
  { title: 'Heuristic lifetime', cases: heuristics },
  { title: 'Directives of answers', cases: directives },
  { title: 'Directives of requests', cases: requests },
  { title: 'Pragma', cases: pragma },
  { title: 'Statuses', cases: statuses },
  { title: 'Methods', cases: methods },
  { title: 'Stale answers', cases: stale },
  { title: 'Vary', cases: vary },
  { title: 'Reading Vary', cases: varySyntax },
  { title: 'Conditions by date', cases: modifiedSince },
  { title: 'Conditions by entity tag', cases: noneMatches },
  { title: 'Stored fields', cases: fields },
  { title: 'Updates by a 304', cases: updates },
  { title: 'Updates by HEAD', cases: heads },
  { title: 'Invalidation', cases: invalidation },
  { title: 'Ranges', cases: ranges },
  { title: 'Credentials', cases: authorization },
  { title: 'Interim answers', cases: interim },
  { title: 'Age, Date, queries, cookies', cases: general },
]

export const CASES: readonly Case[] = CHAPTERS.flatMap(({ cases }) => cases)
