import { isInnerList, parseDictionary, type Dictionary, type InnerList, type Item } from 'structured-headers'
import { fieldValue, type FieldList } from './message.ts'

/**
 * What of the query does not matter to a resource (No-Vary-Search, draft-ietf-httpbis-no-vary-search): parameters by
 * name, or all but some, and the order of names.
 */
export interface SearchVariation {
  params: { kind: 'ignored' | 'kept'; names: ReadonlySet<string> }
  order: 'kept' | 'ignored'
}

const MAX_NAMES = 128

/**
 * The variation that a response declares; `undefined` where the whole query matters: no such field, one that says so, or
 * one that is malformed. Read are the draft's form (`except=("a")`) and the one before it, which browsers implement and
 * origins send (`params` and `params, except=("a")`).
 */
export function searchVariation(fields: FieldList): SearchVariation | undefined {
  const value = fieldValue(fields, 'no-vary-search')
  const members = value === undefined ? undefined : parsed(value)
  if (members === undefined) return undefined
  const order = members.get('key-order')?.[0] ?? false
  const params = paramsOf(members.get('params'), members.get('except'))
  if (typeof order !== 'boolean' || params === undefined) return undefined
  if (!order && params.kind === 'ignored' && params.names.size === 0) return undefined
  return { params, order: order ? 'ignored' : 'kept' }
}

type Member = Item | InnerList | undefined

function paramsOf(params: Member, except: Member): SearchVariation['params'] | undefined {
  const flag = params === undefined || isInnerList(params) ? undefined : params[0]
  if (except !== undefined) {
    const names = params === undefined || flag === true ? namesOf(except) : undefined
    return names && { kind: 'kept', names }
  }
  if (flag === true) return { kind: 'kept', names: new Set() }
  if (params === undefined) return { kind: 'ignored', names: new Set() }
  const names = namesOf(params)
  return names && { kind: 'ignored', names }
}

/** An inner list of strings, else `undefined`. */
function namesOf(member: Item | InnerList): ReadonlySet<string> | undefined {
  if (!isInnerList(member) || member[0].length > MAX_NAMES) return undefined
  const names = new Set<string>()
  for (const [name] of member[0]) {
    if (typeof name !== 'string') return undefined
    names.add(decodedName(name))
  }
  return names
}

/** A name is written as in a query, so that it can be any text in ASCII (“parse a key”). */
function decodedName(name: string): string {
  const [[decoded] = ['']] = new URLSearchParams(`?${name.replaceAll('&', '%26').replaceAll('=', '%3D')}=`)
  return decoded
}

function parsed(value: string): Dictionary | undefined {
  try {
    return parseDictionary(value)
  } catch {
    return undefined
  }
}

/**
 * The form of a query that is the same for all that are equivalent under the variation (“equivalent modulo variation
 * config”): read as application/x-www-form-urlencoded, less what is ignored, written again.
 * @param query without `?`; `''` for none
 */
export function canonicalQuery(query: string, variation: SearchVariation): string {
  const { params, order } = variation
  const kept = new URLSearchParams()
  for (const [name, value] of new URLSearchParams(`?${encodedBytes(query)}`)) {
    if (params.names.has(name) === (params.kind === 'kept')) kept.append(name, value)
  }
  if (order === 'ignored') kept.sort()
  return kept.toString()
}

/** Bytes above ASCII, which Node gives as latin1, are UTF-8 to the form's reader. */
function encodedBytes(query: string): string {
  return query.replace(/[\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`)
}
