/**
 * HTTP-date as a cache reads it (RFC 9110 §5.6.7, RFC 9111 §4.2): the three formats to the letter, except that letters
 * match in any case (RFC 9111 §4.2 asks that of caches). What `Date.parse` would make of anything else is no date here.
 */

const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec'
const MONTH = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)'
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)'
const DAY = '(?:mon|tue|wed|thu|fri|sat|sun)'

const IMF_FIXDATE = new RegExp(`^${DAY}, (\\d\\d) ${MONTH} (\\d{4}) ${TIME} gmt$`, 'i')
const RFC_850 = new RegExp(`^(?:mon|tues|wednes|thurs|fri|satur|sun)day, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} gmt$`, 'i')
const ASCTIME = new RegExp(`^${DAY} ${MONTH} (\\d\\d| \\d) ${TIME} (\\d{4})$`, 'i')

/**
 * Milliseconds since 1970, or `undefined` for what is no HTTP-date: an impossible day (31 Feb), another zone than GMT,
 * other spacing. The day's name has to be one but need not fit the date: the number decides, as it does everywhere.
 *
 * @param now milliseconds: says which century the two digits of RFC 850 mean
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  let match = IMF_FIXDATE.exec(text)
  if (match !== null) return instant(Number(match[3]), match[2], match[1], match[4], match[5], match[6])
  match = RFC_850.exec(text)
  if (match !== null) {
    return instant(century(match, now), match[2], match[1], match[4], match[5], match[6])
  }
  match = ASCTIME.exec(text)
  if (match !== null) return instant(Number(match[6]), match[1], match[2], match[3], match[4], match[5])
  return undefined
}

type Group = string | undefined

function instant(year: number, monthName: Group, day: Group, hours: Group, minutes: Group, seconds: Group) {
  const [date, hour, minute, second] = [Number(day), Number(hours), Number(minutes), Number(seconds)]
  // 60 is a leap second (RFC 9110 §5.6.7).
  if (hour > 23 || minute > 59 || second > 60) return undefined
  const at = new Date(0)
  // Date.UTC would take the years 0 to 99 for 1900 to 1999.
  at.setUTCFullYear(year, monthIndex(monthName), date)
  if (at.getUTCDate() !== date) return undefined
  return at.getTime() + ((hour * 60 + minute) * 60 + second) * 1000
}

const monthIndex = (name: Group): number => MONTHS.indexOf((name as string).toLowerCase()) / 3

/** The year within the next 50 that ends so, else the last one that did (RFC 9110 §5.6.7). */
function century(match: RegExpExecArray, now: number): number {
  const today = new Date(now)
  const thisYear = today.getUTCFullYear()
  const year = thisYear + ((Number(match[3]) - (thisYear % 100) + 100) % 100)
  const limit = today.setUTCFullYear(thisYear + 50)
  const at = Date.UTC(
    year,
    monthIndex(match[2]),
    Number(match[1]),
    Number(match[4]),
    Number(match[5]),
    Number(match[6]),
  )
  return at > limit ? year - 100 : year
}
