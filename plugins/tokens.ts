import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Access } from '../services/access/access.ts'
import type { LocalControl } from '../services/control/local.ts'

/**
 * What processes tell each other, so that none goes on with what another knows to be over: keys, tokens and sessions that
 * were revoked, signatures that were accepted, sessions that were refreshed, and keys of issuers that one of them has read. It
 * obeys the control port's `revoke`, `tokens-refresh`, `token-keys` and `session-renewed`. It shares nothing.
 */
export interface TokensOptions {
  access: Pick<Access, 'hmac' | 'providers' | 'revocations'>
  local: Pick<LocalControl, 'obey'>
  /** By what the others know this process; `null` where there are none. */
  process: number | null
}

async function tokens(fastify: FastifyInstance, { access, local, process }: TokensOptions): Promise<void> {
  const { hmac, providers, revocations } = access
  local.obey({
    revoke: ({ from, list }) => {
      if (from === null || from !== process) revocations.told(list, from === null)
    },
    'tokens-refresh': ({ id }) => providers.refresh(id),
    'token-keys': ({ from, issuer, text }) => {
      if (from !== process) providers.adoptKeys(issuer, text)
    },
    'session-renewed': ({ from, digest, renewed }) => {
      if (from !== process) providers.renewals.told(digest, renewed)
    },
  })
  if (process === null) return
  // What does not answer is replaced by its supervisor, or learns at its start what was revoked.
  const failed = (error: unknown): void =>
    fastify.log.warn({ err: error }, 'not every process heard of what holds no longer')
  // A process that starts, or is late, reads and refreshes for itself: nothing is wrong then.
  const unheard = (error: unknown): void =>
    fastify.log.debug({ reason: (error as Error).message }, 'not every process heard of what this one has read')
  revocations.announce = async (list) => {
    await fastify.control.tell('revoke', { from: process, list: [...list] }).catch(failed)
  }
  hmac.shareWith(async (id) => (await fastify.control.ask('signature-take', { id })).result)
  providers.sharing.processes = {
    tell: (issuer, text) => void fastify.control.tell('token-keys', { from: process, issuer, text }).catch(unheard),
    takeTurn: async (source) => (await fastify.control.ask('token-keys-turn', { source })).result,
  }
  providers.renewals.processes = {
    tell: (digest, renewed) =>
      void fastify.control.tell('session-renewed', { from: process, digest, renewed }).catch(unheard),
    takeTurn: async (digest) => (await fastify.control.ask('token-keys-turn', { source: `session ${digest}` })).result,
  }
}

export default fp(tokens, { name: 'headrace-tokens', fastify: '5.x', dependencies: ['headrace-control'] })
