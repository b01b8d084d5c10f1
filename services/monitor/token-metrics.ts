import type { Access } from '../access/access.ts'
import { family, type MetricDefinition, type MetricSource } from './families.ts'

const keys: MetricDefinition = {
  name: 'headrace_token_keys',
  type: 'gauge',
  help: 'Keys in force that an issuer signs tokens with; with none, its tokens are answered 503',
  labels: ['issuer'],
  aggregator: 'min',
}
const age: MetricDefinition = {
  name: 'headrace_token_keys_age_seconds',
  type: 'gauge',
  help: 'Since the keys of an issuer were last known to hold. Far more than their maxAge: they cannot be read again',
  labels: ['issuer'],
  aggregator: 'max',
}
const reads: MetricDefinition = {
  name: 'headrace_token_key_reads_total',
  type: 'counter',
  help: 'Times that the keys of an issuer were to be read, by what came of it: done, failed',
  labels: ['issuer', 'outcome'],
}
const tokens: MetricDefinition = {
  name: 'headrace_tokens_total',
  type: 'counter',
  help: 'Tokens of an issuer by how they were decided: remembered (at once), verified (a signature was checked). Few of the former: more tokens are in use than its cache holds',
  labels: ['issuer', 'decided'],
}
const sessions: MetricDefinition = {
  name: 'headrace_login_refreshes_total',
  type: 'counter',
  help: 'Sessions of browsers that were refreshed at their identity provider, by login',
  labels: ['login'],
}
const asked: MetricDefinition = {
  name: 'headrace_forward_auth_total',
  type: 'counter',
  help: 'Requests to a service that says who may call, by what came of them: decided, failed (those are answered 503, unless its onFailure is skip)',
  labels: ['service', 'outcome'],
}
const revoked: MetricDefinition = {
  name: 'headrace_revoked',
  type: 'gauge',
  help: 'Keys, tokens, subjects and sessions that are refused though they have not ended yet; at 100000 those that end first are let through again',
  labels: [],
  aggregator: 'max',
}

/** Issuers, logins and services that are asked, by their names in the configuration; read when someone asks. */
export function tokenMetrics(access: Pick<Access, 'providers' | 'revocations'> | null): MetricSource {
  return {
    definitions: [keys, age, reads, tokens, sessions, asked, revoked],
    collect() {
      if (access === null) return []
      const revocations = family(revoked, [{ labels: {}, value: access.revocations.revoked.size }])
      if (access.providers.names.length === 0) return [revocations]
      const { issuers, logins, forwards } = access.providers
      const known = [...issuers].map(([issuer, one]) => ({ issuer, one, report: one.keys.report() }))
      return [
        family(
          keys,
          known.map(({ issuer, report }) => ({ labels: { issuer }, value: report.keys })),
        ),
        family(
          age,
          known.flatMap(({ issuer, report: { ageMs } }) =>
            ageMs === null ? [] : [{ labels: { issuer }, value: ageMs / 1000 }],
          ),
        ),
        family(
          reads,
          known.flatMap(({ issuer, report: { fetches, failures } }) => [
            { labels: { issuer, outcome: 'done' }, value: Math.max(fetches - failures, 0) },
            { labels: { issuer, outcome: 'failed' }, value: failures },
          ]),
        ),
        family(
          tokens,
          known.flatMap(({ issuer, one }) => [
            { labels: { issuer, decided: 'remembered' }, value: one.verdicts.hits },
            { labels: { issuer, decided: 'verified' }, value: one.verified },
          ]),
        ),
        family(
          sessions,
          [...logins].map(([login, one]) => ({ labels: { login }, value: one.sessions.refreshes })),
        ),
        family(
          asked,
          [...forwards].flatMap(([service, one]) => [
            { labels: { service, outcome: 'decided' }, value: Math.max(one.asked - one.failures, 0) },
            { labels: { service, outcome: 'failed' }, value: one.failures },
          ]),
        ),
        revocations,
      ]
    },
  }
}
