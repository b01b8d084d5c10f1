import type { Settings } from './schema.ts'

declare const kFromEnvironment: unique symbol

/** Text of a required environment variable: accepted for a number or a boolean too, and checked when it is loaded. */
export type FromEnvironment = string & { readonly [kFromEnvironment]: true }

/** Properties without a default; test/config/input.test.ts holds them to the schema. */
export type Needed =
  | 'to'
  | 'id'
  | 'ca'
  | 'targets'
  | 'cert'
  | 'key'
  | 'url'
  | 'hash'
  | 'split'
  | 'issuer'
  | 'audience'
  | 'jwks'
  | 'clientId'
  | 'bearer'
  | 'grants'

type Optionals<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T]
type NeededOf<T> = Exclude<Extract<keyof T, Needed>, Optionals<T>>

/** The settled shape as people write it: what has a default may be left out. */
export type Input<T> = T extends readonly (infer Item)[]
  ? readonly Input<Item>[]
  : T extends string
    ? T
    : T extends number | boolean
      ? T | FromEnvironment
      : string extends keyof T
        ? { readonly [name: string]: Input<T[keyof T]> }
        : { readonly [K in NeededOf<T>]: Input<T[K]> } & {
            readonly [K in Exclude<keyof T, NeededOf<T>>]?: Input<Exclude<T[K], undefined>> | undefined
          }

/** A configuration as people write it: the argument of `defineConfig`. */
export type ConfigInput = Input<Settings>
