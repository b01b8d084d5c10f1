import type { Exchange } from '../downstream/exchange.ts'
import { ReservedFields } from '../downstream/reserved-fields.ts'
import type { Gate, GateMaker } from '../gate/gate.ts'
import { AccessGate } from './access-gate.ts'
import { AddressGate } from './address-gate.ts'
import { Consumers, type ConsumersOptions } from './consumers/consumers.ts'
import type { ReadConsumer } from './consumers/directory.ts'
import { Audit } from './audit.ts'
import { BasicScheme } from './basic/basic-scheme.ts'
import { AccessCounters } from './counters.ts'
import { UnknownWayError } from './errors.ts'
import { FailedCredentials } from './failed-credentials.ts'
import { HmacScheme, replayBounds } from './hmac/hmac-scheme.ts'
import { replaysInRedis } from './hmac/shared-replays.ts'
import { IdentityFields } from './identity-fields.ts'
import { KeyScheme } from './key/key-scheme.ts'
import { isRevocable, type Machines, NO_MACHINES } from './machines.ts'
import { MtlsScheme } from './mtls/mtls-scheme.ts'
import type { AccessOptions } from './options.ts'
import { Providers } from './providers.ts'
import { Revocations } from './revoked/revocations.ts'
import type { ConsumerReport, ConsumersReport } from './report.ts'
import type { RouteAccessOptions } from './route/options.ts'
import type { Authenticator } from './scheme.ts'

/** Told of in a report. */
const MOST_CALLERS = 100

/** What access needs to know of a route. */
export interface GuardedRoute {
  key: string
  access: RouteAccessOptions | null
}

export interface AccessParts {
  log: ConsumersOptions['log']
  /** Those that limits know; by default, consumers name any. */
  tiers?: readonly string[]
  /** Milliseconds since 1970. */
  now?: () => number
  /** Of the gateway whose place is taken: what it has counted. */
  previous?: Access | null
  /** By default there are none. */
  machines?: Machines
}

/** Who may call: consumers, the ways in which they show who they are, and the gates of the routes that ask. */
export class Access {
  readonly consumers: Consumers
  readonly counters: AccessCounters
  /** Tokens, logins, and services that are asked. */
  readonly providers: Providers
  /** What holds no longer, though it looks as if. */
  readonly revocations: Revocations
  /** From where credentials fail too often. */
  readonly failures: FailedCredentials
  readonly #audit: Audit
  readonly #file: string | null
  readonly #keys: AccessOptions['keys']
  /** What clients may not send; `null` where no route asks who they are. */
  readonly reserved: ReservedFields | null
  /** By its name in `by`: `'key'`, `'jwt:main'`. */
  readonly #ways: ReadonlyMap<string, Authenticator>
  readonly #fields: IdentityFields
  /** What it has accepted is not accepted again, by the one that takes this one's place either. */
  readonly hmac: HmacScheme

  /** @throws HR_ACCESS_CONSUMERS_FILE, HR_ACCESS_CONSUMER_CONFLICT, HR_ACCESS_KEY_SET, HR_ACCESS_COOKIE_SECRET */
  constructor(options: AccessOptions, routes: readonly GuardedRoute[], parts: AccessParts) {
    const { log, tiers = [], now = Date.now, previous = null, machines = NO_MACHINES } = parts
    this.#file = options.consumersFile
    this.#keys = options.keys
    this.#audit = new Audit(log, options.audit, now)
    this.revocations = new Revocations({
      machines,
      dataDir: options.dataDir,
      used: isRevocable(routes),
      log,
      now,
      previous: previous?.revocations ?? null,
    })
    const { revoked } = this.revocations
    this.failures = new FailedCredentials(options.failureLimit, previous?.failures ?? null)
    this.counters = previous?.counters ?? new AccessCounters(now)
    this.consumers = new Consumers({
      inline: options.consumers,
      file: options.consumersFile,
      tiers,
      log,
      previous: previous?.consumers ?? null,
    })
    this.providers = new Providers(options, {
      log,
      consumers: this.consumers,
      machines,
      now,
      previous: previous?.providers ?? null,
      isRevoked: (claims) => revoked.holdsToken(claims),
      isEnded: (session) => revoked.holdsSession(session),
    })
    this.providers.endSession = ({ id, until }) =>
      this.revocations.revoke([{ kind: 'session', name: id, at: now(), until }])
    revoked.onChange(this.#forget)
    this.consumers.changed = () => this.providers.forget()
    this.#fields = new IdentityFields(options.identity)
    const isOn = routes.some(({ access }) => access !== null)
    this.reserved = isOn ? new ReservedFields([...this.#fields.reserved, ...this.providers.reserved]) : null
    this.hmac = new HmacScheme(options.hmac, {
      realm: options.realm,
      consumers: this.consumers,
      now,
      previous: previous?.hmac,
      shared: replaysInRedis(machines, replayBounds(options.hmac).lifetimeMs),
    })
    this.#ways = new Map([
      ...waysOf(options, { consumers: this.consumers, isRevoked: (keyId) => revoked.holdsKey(keyId), now }),
      ['hmac', this.hmac],
    ])
  }

  /** Begins what goes on by itself: following files. */
  start(): void {
    this.revocations.start()
    void this.consumers.start()
    this.providers.start()
  }

  close(): void {
    this.revocations.revoked.offChange(this.#forget)
    this.revocations.close()
    this.consumers.stop()
    this.providers.close()
  }

  readonly #forget = (): void => this.providers.forget()

  /** The gates of routes. */
  get makers(): readonly GateMaker<GuardedRoute>[] {
    return [(route) => this.#addressGate(route), (route) => this.#accessGate(route)]
  }

  /** An exchange is over: what a gate has turned away is counted. */
  readonly finished = (exchange: Exchange<{ key: string }>): void => {
    if (exchange.denied === '') return
    this.counters.deny(exchange.denied, exchange.code, exchange.identity)
    this.#audit.denied(exchange)
  }

  /** Who there is, and who calls. Goes through all: for people who ask. */
  report(): ConsumersReport {
    const { consumers } = this.consumers.directory
    return {
      file: this.#file,
      consumers: consumers.map((consumer) => this.#reportOf(consumer)),
      callers: this.counters.callers(MOST_CALLERS),
    }
  }

  #reportOf(consumer: ReadConsumer): ConsumerReport {
    const { name, enabled, tier, groups, scopes, keys, secrets, password, certificates } = consumer
    const { directory } = this.consumers
    return {
      name,
      enabled,
      tier,
      groups,
      scopes,
      ways: [
        ...(keys.length > 0 ? (['key'] as const) : []),
        ...(password !== null ? (['basic'] as const) : []),
        ...(secrets.length > 0 ? (['hmac'] as const) : []),
        ...(certificates.length > 0 ? (['mtls'] as const) : []),
      ],
      keys: keys.map(({ id, created, expiresAt, note }) => ({
        id,
        created,
        expires: expiresAt === null ? null : new Date(expiresAt).toISOString(),
        lastUsed: timeOf(directory.keys.get(id)?.use.lastUsedAt ?? 0),
        note,
        revoked: this.revocations.revoked.holdsKey(id),
      })),
    }
  }

  #addressGate({ access }: GuardedRoute): Gate | null {
    if (access === null) return null
    const { allow, deny } = access.addresses
    return allow.length + deny.length === 0 ? null : new AddressGate(access.addresses)
  }

  /** @throws HR_ACCESS_WAY */
  #accessGate({ access }: GuardedRoute): Gate | null {
    if (access === null || (access.by.length === 0 && !access.anonymous)) return null
    const ways = access.by.map((name) => this.#way(name, access)).filter((way) => way !== null)
    return new AccessGate(access, {
      ways,
      fields: this.#fields,
      counters: this.counters,
      failures: this.failures,
      keys: this.#keys,
    })
  }

  /** @returns `null` for one that is part of another */
  #way(name: string, { by, anonymous }: RouteAccessOptions): Authenticator | null {
    const way = this.#ways.get(name) ?? this.providers.way(name, by, anonymous)
    if (way === undefined) throw new UnknownWayError(name, [...this.#ways.keys(), ...this.providers.names].join(', '))
    return way
  }
}

/** Every way that is set up, by its name in `by`. */
function waysOf(
  options: AccessOptions,
  parts: { consumers: Consumers; isRevoked: (keyId: string) => boolean; now: () => number },
): Map<string, Authenticator> {
  const { realm } = options
  const { consumers } = parts
  return new Map<string, Authenticator>([
    ['basic', new BasicScheme(options.basic, { realm, consumers })],
    ['mtls', new MtlsScheme(parts)],
    ['key', new KeyScheme(options.keys, { realm, ...parts })],
  ])
}

function timeOf(ms: number): string | null {
  return ms === 0 ? null : new Date(ms).toISOString()
}
