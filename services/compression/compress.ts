import type { Exchange } from '../downstream/exchange.ts'
import { CompressedReply, type Compression } from './compressed-reply.ts'
import { strengthened } from './rules/fields.ts'

/** The answer to a request goes out as its client likes it; what the client knows of an earlier one goes on as its origin does. */
export function compress(exchange: Exchange, compression: Compression): void {
  exchange.reply = new CompressedReply(exchange.reply, exchange, compression)
  const { fields } = exchange
  if (fields.ifMatch === undefined || !fields.ifMatch.includes('W/')) return
  fields.ifMatch = strengthened(fields.ifMatch)
  for (let i = 0; i < fields.kept.length; i += 2) {
    if ((fields.kept[i] as string).toLowerCase() === 'if-match') {
      fields.kept[i + 1] = strengthened(fields.kept[i + 1] as string)
    }
  }
}
