import type { Static, TObject } from 'typebox'
import type { CollectionName, Fleet } from '../data/fleet.ts'
import type { Entity, Table } from '../data/table.ts'

/** What makes one collection differ from another; how all of them behave is in reads.ts and writes.ts. */
export interface Collection<Field extends string = string> {
  /** Path, tag, surrogate key and name of the table. */
  name: CollectionName
  /** A row; its `$id` names the OpenAPI component. */
  schema: TObject
  /** Cache-Control of the list and of its rows. */
  cacheControl: string
  /** Fields that the list may be narrowed by, for equality. */
  filters: readonly Field[]
  /** Fields that `?q=` looks into. */
  search?: readonly Field[]
  /** Fields that the list may be ordered by. */
  sort?: readonly Field[]
  /** Makes POST: what a client must give, and what the rest is when it gives nothing. */
  create?: { required: readonly Field[]; defaults: { readonly [field in Field]?: unknown } }
  /** Makes PATCH: the fields that may change. */
  change?: readonly Field[]
  /** Makes DELETE. */
  removable?: boolean
  /** Fields that hold ids of another collection. */
  references?: { readonly [field in Field]?: CollectionName }
}

/** Checks a definition against the fields of its rows. */
export function defineCollection<S extends TObject>(
  collection: Omit<Collection<keyof Static<S> & string>, 'schema'> & { schema: S },
): Collection {
  return collection
}

/** What the routes of every collection work on. */
export interface CollectionContext {
  fleet: Fleet
  /** ms since 1970 */
  now: () => number
}

/** A row of any collection. */
export type Row = Entity & Record<string, unknown>

/** The name of the row's OpenAPI component: `Vehicle`. */
export function componentOf(collection: Collection): string {
  return String(Reflect.get(collection.schema, '$id'))
}

/** The name for people: `work orders`. */
export function titleOf(collection: Collection): string {
  return collection.name.replace('-', ' ')
}

/** The tables differ in their rows only, and every row written through the API has passed its collection's schema. */
export function tableOf(name: CollectionName, fleet: Fleet): Table<Row> {
  return fleet[name] as unknown as Table<Row>
}
