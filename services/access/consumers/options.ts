import type { Static } from 'typebox'
import { OneOf, Secret } from '../../options/schema.ts'
import type { Priority } from '../../downstream/priority.ts'
import { Type } from '../../options/type.ts'

const Word = Type.String({ pattern: '^[!-~]{1,128}$', expects: 'a word of printable ASCII without blanks' })
const Words = (description: string) => Type.Array(Word, { default: [], maxItems: 256, description })

/** What the name of a consumer looks like; it goes upstream in a field, and may be the user name of Basic. */
export const CONSUMER_NAME = '^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$'
export const KEY_ID = '^[0-9a-z]{8,16}$'

const keySchema = Type.Object(
  {
    id: Type.String({
      pattern: KEY_ID,
      expects: "the middle part of a key 'hr_ID_…'",
      description: 'The part of the key between its underscores: by it the key is found, shown and revoked',
    }),
    hash: Type.String({
      pattern: '^sha256:[A-Za-z0-9_-]{43}$',
      expects: "'sha256:' and 43 characters, as `headrace key create` writes it",
      description: "SHA-256 of the whole key in base64url, behind 'sha256:'",
    }),
    created: Type.Optional(Type.String({ description: 'When it was made, for people' })),
    expires: Type.Optional(
      Type.String({
        pattern: '^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,3})?)?Z)?$',
        expects: "a date in UTC: '2027-01-31' or '2027-01-31T12:00:00Z'",
        description: 'From then on it is not accepted: a date (its beginning, UTC) or a time in UTC',
      }),
    ),
    note: Type.Optional(Type.String({ description: 'What it is for, for people' })),
  },
  { additionalProperties: false, description: 'An API key, as `headrace key create` writes it' },
)

const secretSchema = Type.Object(
  {
    id: Type.String({
      pattern: '^[!#-\\[\\]-~]{1,64}$',
      expects: 'a word of printable ASCII',
      description: '`keyid` of the signatures that are made with it',
    }),
    secret: Type.Optional(
      Secret({ description: 'Shared with the consumer, 16 characters at least; best by env() or from a file' }),
    ),
    file: Type.Optional(Type.String({ description: 'A file that holds it, less a line feed at its end' })),
  },
  { additionalProperties: false, description: 'A secret that requests are signed with' },
)

const certificateSchema = Type.Object(
  {
    fingerprint: Type.Optional(
      Type.String({
        pattern: '^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$',
        expects: '32 bytes in hexadecimal, with colons or without',
        description: 'SHA-256 of the certificate: this one alone',
      }),
    ),
    subject: Type.Optional(Type.String({ description: "Its subject: 'CN=billing,O=Acme', as RFC 4514 writes it" })),
    san: Type.Optional(
      Type.String({
        pattern: '^(DNS|URI|email|IP):.+$',
        expects: "a kind and a name, such as 'DNS:billing.acme.test' or 'URI:spiffe://acme/billing'",
        description: "One of its alternative names: 'DNS:…', 'URI:…', 'email:…' or 'IP:…'",
      }),
    ),
  },
  { additionalProperties: false, description: 'A client certificate: all that is said of it has to be so' },
)

/** Somebody who calls. */
export const consumerSchema = Type.Object(
  {
    keys: Type.Array(keySchema, { default: [], maxItems: 16, description: 'API keys; two at a time for rotation' }),
    password: Type.Optional(
      Secret({
        pattern: '^scrypt:[0-9]+:[0-9]+:[0-9]+:[A-Za-z0-9_-]+:[A-Za-z0-9_-]+$',
        expects: 'a hash as `headrace key password` prints it',
        description:
          'Hash of the password for Basic, as `headrace key password` prints it; the user name is the consumer',
      }),
    ),
    secrets: Type.Array(secretSchema, { default: [], maxItems: 16, description: 'Secrets of signed requests (hmac)' }),
    certificates: Type.Array(certificateSchema, {
      default: [],
      maxItems: 64,
      description: 'Client certificates (mtls)',
    }),
    groups: Words('Groups the consumer is in'),
    scopes: Words('What the consumer may do'),
    tier: Type.Optional(Type.String({ pattern: '^[!-~]{1,64}$', expects: 'a word', description: 'Which limits hold' })),
    priority: Type.Optional(
      OneOf(['critical', 'high', 'normal', 'low'], { description: 'Who is served while there is not room for all' }),
    ),
    enabled: Type.Boolean({ default: true, description: 'false: nothing of it is accepted' }),
  },
  { additionalProperties: false, examples: [{ groups: ['partners'] }], description: 'A consumer' },
)

export type ConsumerInput = Static<typeof consumerSchema>

export const consumersSchema = Type.Record(Type.String({ pattern: CONSUMER_NAME }), consumerSchema, {
  default: {},
  additionalProperties: false,
  examples: [{ acme: { tier: 'gold' } }],
  description: 'Who may call, by name',
})

export type ConsumersInput = Static<typeof consumersSchema>

export interface KeyOptions {
  id: string
  /** SHA-256, base64url. */
  hash: string
  created: string | null
  /** Milliseconds since 1970; `null` for never. */
  expiresAt: number | null
  note: string | null
}

export interface SharedSecretOptions {
  id: string
  /** `null`: it is in `file`. */
  secret: string | null
  /** Absolute. */
  file: string | null
}

export interface CertificateOptions {
  /** Hexadecimal in lower case, without colons. */
  fingerprint: string | null
  subject: string | null
  san: string | null
}

export interface ConsumerOptions {
  name: string
  keys: KeyOptions[]
  /** A hash: {@link file://../basic/password.ts}. */
  password: string | null
  secrets: SharedSecretOptions[]
  certificates: CertificateOptions[]
  groups: string[]
  scopes: string[]
  tier: string | null
  priority: Priority | null
  enabled: boolean
}

export function resolveConsumers(input: ConsumersInput, toPath: (path: string) => string): ConsumerOptions[] {
  return Object.entries(input).map(([name, consumer]) => resolveConsumer(name, consumer, toPath))
}

function resolveConsumer(name: string, input: ConsumerInput, toPath: (path: string) => string): ConsumerOptions {
  return {
    name,
    keys: input.keys.map(({ id, hash, created, expires, note }) => ({
      id,
      hash: hash.slice('sha256:'.length),
      created: created ?? null,
      expiresAt: expires === undefined ? null : Date.parse(expires),
      note: note ?? null,
    })),
    password: input.password ?? null,
    secrets: input.secrets.map(({ id, secret, file }) => ({
      id,
      secret: secret ?? null,
      file: file === undefined ? null : toPath(file),
    })),
    certificates: input.certificates.map(({ fingerprint, subject, san }) => ({
      fingerprint: fingerprint?.replaceAll(':', '').toLowerCase() ?? null,
      subject: subject ?? null,
      san: san ?? null,
    })),
    groups: input.groups,
    scopes: input.scopes,
    tier: input.tier ?? null,
    priority: input.priority ?? null,
    enabled: input.enabled,
  }
}
