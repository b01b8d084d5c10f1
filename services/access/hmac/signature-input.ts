/** What a request says of its signature (RFC 9421 §4), as far as it is taken here. */
export interface SignatureInput {
  /** In the order signed, names in lower case. */
  components: string[]
  /** The inner list with its parameters, as it stands: the last line of the signature base. */
  parameters: string
  keyid: string
  /** Seconds since 1970. */
  created: number
  expires: number | null
  nonce: string | null
  alg: string | null
  signature: Buffer
}

const MOST_CHARACTERS = 4096
const MEMBER =
  /^\s*([a-z*][a-z0-9_.*-]{0,63})=(\(((?:"[!#-[\]-~]{1,128}"(?:\s+|(?=\))))*)\)((?:\s*;\s*[a-z]+=(?:\d{1,15}|"[ !#-[\]-~]{0,256}"))*))\s*$/
const PARAMETER = /\s*;\s*([a-z]+)=(?:(\d{1,15})|"([ !#-[\]-~]{0,256})")/g
const SIGNATURE = /^\s*([a-z*][a-z0-9_.*-]{0,63})=:([A-Za-z0-9+/]{8,512}={0,2}):\s*$/

/**
 * Reads the one signature of a request. Several, components with parameters, and texts with escapes are not taken: what
 * two readers could understand differently is worth nothing as a proof.
 *
 * @returns `undefined` for what cannot be read
 */
export function readSignatureInput(input: string, signature: string): SignatureInput | undefined {
  if (input.length > MOST_CHARACTERS || signature.length > MOST_CHARACTERS) return undefined
  const member = MEMBER.exec(input)
  const value = SIGNATURE.exec(signature)
  if (member === null || value === null || member[1] !== value[1]) return undefined
  const components = [...(member[3] as string).matchAll(/"([^"]+)"/g)].map(([, name]) => name as string)
  if (new Set(components).size < components.length || components.some((name) => name !== name.toLowerCase()))
    return undefined
  const given = parametersOf(member[4] as string)
  const created = given?.get('created')
  const keyid = given?.get('keyid')
  if (given === undefined || typeof created !== 'number' || typeof keyid !== 'string') return undefined
  const expires = given.get('expires') ?? null
  const nonce = given.get('nonce') ?? null
  const alg = given.get('alg') ?? null
  if (typeof expires === 'string' || typeof nonce === 'number' || typeof alg === 'number') return undefined
  const parameters = (member[2] as string).trim()
  return {
    components,
    parameters,
    keyid,
    created,
    expires,
    nonce,
    alg,
    signature: Buffer.from(value[2] as string, 'base64'),
  }
}

/** @returns `undefined` where one stands twice */
function parametersOf(text: string): Map<string, string | number> | undefined {
  const found = new Map<string, string | number>()
  for (const [, name = '', number, quoted] of text.matchAll(PARAMETER)) {
    if (found.has(name)) return undefined
    found.set(name, number === undefined ? (quoted as string) : Number(number))
  }
  return found
}
