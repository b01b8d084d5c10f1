import type { SecondTierReport } from '../cache/second-tier.ts'
import { family, type MetricDefinition, type MetricFamily, type MetricSource } from './families.ts'

const up: MetricDefinition = {
  name: 'headrace_cache_tier_up',
  type: 'gauge',
  help: 'Whether the second tier of the cache is asked: 0 while it fails or is too slow for any process, which then serves without it',
  labels: ['tier'],
  aggregator: 'min',
}

const reads: MetricDefinition = {
  name: 'headrace_cache_tier_reads_total',
  type: 'counter',
  help: 'Look-ups in the second tier: hit, miss, failure (too late, or failed) and skipped (not asked: away, or too many waiting)',
  labels: ['tier', 'result'],
}

const broken: MetricDefinition = {
  name: 'headrace_cache_tier_broken_total',
  type: 'counter',
  help: 'Stored responses that were found and could not be read: damaged, or not of this gateway',
  labels: ['tier'],
}

const writes: MetricDefinition = {
  name: 'headrace_cache_tier_writes_total',
  type: 'counter',
  help: 'Responses for the second tier: written, or dropped (queue or disk full, tier away, or purged meanwhile)',
  labels: ['tier', 'result'],
}

const queued: MetricDefinition = {
  name: 'headrace_cache_tier_queued',
  type: 'gauge',
  help: 'Responses that wait to be written to the second tier',
  labels: ['tier'],
}

const purging: MetricDefinition = {
  name: 'headrace_cache_tier_purges_waiting',
  type: 'gauge',
  help: 'Purges that the second tier has not taken yet: while it is away they wait, and hold for reads of their process',
  labels: ['tier'],
}

const entries: MetricDefinition = {
  name: 'headrace_cache_tier_entries',
  type: 'gauge',
  help: 'Responses in the file of the second tier',
  labels: ['tier'],
  aggregator: 'max',
}

const bytes: MetricDefinition = {
  name: 'headrace_cache_tier_bytes',
  type: 'gauge',
  help: 'Size of what the file of the second tier holds',
  labels: ['tier'],
  aggregator: 'max',
}

const memory: MetricDefinition = {
  name: 'headrace_cache_redis_memory_bytes',
  type: 'gauge',
  help: 'Memory that Redis uses, for whatever; the masters of a cluster added up',
  labels: [],
  aggregator: 'max',
}

const memoryLimit: MetricDefinition = {
  name: 'headrace_cache_redis_memory_limit_bytes',
  type: 'gauge',
  help: 'Memory that Redis may use (maxmemory); none without a limit',
  labels: [],
  aggregator: 'max',
}

const evicted: MetricDefinition = {
  name: 'headrace_cache_redis_evicted_keys_total',
  type: 'counter',
  help: 'Keys that Redis has dropped for room since it started, whoever made them',
  labels: [],
  aggregator: 'max',
}

const following: MetricDefinition = {
  name: 'headrace_cache_bus_up',
  type: 'gauge',
  help: 'Whether purges of other machines are heard as they happen: 0 where any process may be missing some',
  labels: [],
  aggregator: 'min',
}

const heard: MetricDefinition = {
  name: 'headrace_cache_bus_purges_total',
  type: 'counter',
  help: 'Purges of other processes and machines that were heard: by a message, or recovered from the log because theirs was lost',
  labels: ['how'],
}

const gaps: MetricDefinition = {
  name: 'headrace_cache_bus_gaps_total',
  type: 'counter',
  help: 'Times that purges may have been missed, the first connection among them: what was in memory is dropped, to come back from Redis',
  labels: [],
}

const DEFINITIONS = [
  up,
  reads,
  broken,
  writes,
  queued,
  purging,
  entries,
  bytes,
  memory,
  memoryLimit,
  evicted,
  following,
  heard,
  gaps,
]

/** The tier behind the cache's memory, as this process sees it. @param read `null` where there is none */
export function cacheTierMetrics(read: () => SecondTierReport | null): MetricSource {
  return {
    definitions: DEFINITIONS,
    collect() {
      const report = read()
      return report === null ? DEFINITIONS.map((each) => family(each, [])) : [...ofTier(report), ...ofRedis(report)]
    },
  }
}

function ofTier(report: SecondTierReport): MetricFamily[] {
  const { name: tier, hits, failures } = report
  const labels = { tier }
  const one = (definition: MetricDefinition, value: number | null): MetricFamily =>
    family(definition, value === null ? [] : [{ labels, value }])
  const by = (definition: MetricDefinition, values: Record<string, number>): MetricFamily =>
    family(
      definition,
      Object.entries(values).map(([result, value]) => ({ labels: { tier, result }, value })),
    )
  return [
    one(up, report.state === 'up' ? 1 : 0),
    by(reads, { hit: hits, miss: report.reads - hits - failures, failure: failures, skipped: report.skipped }),
    one(broken, report.broken),
    by(writes, { written: report.writes, dropped: report.dropped }),
    one(queued, report.queued),
    one(purging, report.purging),
    one(entries, report.entries),
    one(bytes, report.bytes),
  ]
}

function ofRedis({ memory: used, bus }: SecondTierReport): MetricFamily[] {
  const one = (definition: MetricDefinition, value: number | null | undefined): MetricFamily =>
    family(definition, value === null || value === undefined ? [] : [{ labels: {}, value }])
  return [
    one(memory, used?.usedBytes),
    one(memoryLimit, used?.maxBytes),
    one(evicted, used?.evictedKeys),
    one(following, bus === null ? null : bus.state === 'following' ? 1 : 0),
    family(
      heard,
      bus === null
        ? []
        : [
            { labels: { how: 'message' }, value: bus.received - bus.recovered },
            { labels: { how: 'recovered' }, value: bus.recovered },
          ],
    ),
    one(gaps, bus?.gaps),
  ]
}
