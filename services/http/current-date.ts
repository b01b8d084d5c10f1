let second = -1
let text = ''

/** Now as a Date field has it (RFC 9110 §5.6.7): made once a second, since it costs more than a small answer's other fields. */
export function currentDate(): string {
  const now = Date.now()
  const current = Math.floor(now / 1000)
  if (current !== second) {
    second = current
    text = new Date(now).toUTCString()
  }
  return text
}
