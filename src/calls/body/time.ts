/**
 * Instants as people read them: in the zone of the user, with its daylight saving, in the user's own date pattern. The zone
 * of the server never takes part.
 */
import type { Instant } from '../../contract/call-record.ts'

/** Where a user is: the IANA zone name counts, else the offset that was seen at sign-in, else UTC. */
export interface Zone {
  /** IANA name, e.g. `America/Denver`. */
  timeZone?: string | null | undefined
  /** `-07:00`, `-0700`, hours (`-7`, `5.5`) or minutes (`-420`), as number or text. A zone name is understood too. */
  timeZoneOffset?: string | number | null | undefined
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const LATEST = 8.64e15
const WIDEST_OFFSET = 16 * 60

const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November',
  'December']
const weekdays = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

const two = (number: number) => String(number).padStart(2, '0')
const twelve = (hours: number) => hours % 12 || 12

/** The pattern language of the date setting. Each token reads a date whose UTC fields hold the local time. */
const tokens: Record<string, (local: Date) => string> = {
  YYYY: local => String(local.getUTCFullYear()).padStart(4, '0'),
  YY: local => two(local.getUTCFullYear() % 100),
  MMMM: local => months[local.getUTCMonth()] ?? '',
  MMM: local => (months[local.getUTCMonth()] ?? '').slice(0, 3),
  MM: local => two(local.getUTCMonth() + 1),
  M: local => String(local.getUTCMonth() + 1),
  DD: local => two(local.getUTCDate()),
  D: local => String(local.getUTCDate()),
  dddd: local => weekdays[local.getUTCDay()] ?? '',
  ddd: local => (weekdays[local.getUTCDay()] ?? '').slice(0, 3),
  HH: local => two(local.getUTCHours()),
  H: local => String(local.getUTCHours()),
  hh: local => two(twelve(local.getUTCHours())),
  h: local => String(twelve(local.getUTCHours())),
  mm: local => two(local.getUTCMinutes()),
  m: local => String(local.getUTCMinutes()),
  ss: local => two(local.getUTCSeconds()),
  s: local => String(local.getUTCSeconds()),
  A: local => local.getUTCHours() < 12 ? 'AM' : 'PM',
  a: local => local.getUTCHours() < 12 ? 'am' : 'pm'
}
const patternTokens = /\[([^[\]]*)\]|YYYY|YY|M{1,4}|DD?|d{3,4}|HH?|hh?|mm?|ss?|A|a/g

/**
 * An instant in a moment-style pattern (`YYYY-MM-DD hh:mm:ss A`, `[literal]`), in the user's zone.
 * @returns nothing when the instant is not one
 */
export function formatInstant (instant: Instant, pattern: string, zone: Zone): string | undefined {
  const epoch = epochOf(instant)
  if (epoch === undefined) return undefined
  const local = new Date(epoch + offsetAt(epoch, zone))
  return pattern.replace(patternTokens, (token: string, literal?: string) => literal ?? tokens[token]?.(local) ?? token)
}

const iso = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ?(Z|[+-]\d\d:?\d\d)?)?$/i

/**
 * Epoch milliseconds of an instant. A text without an offset is UTC, because any other reading would depend on the server.
 * @returns nothing when the instant is neither epoch milliseconds nor ISO 8601
 */
export function epochOf (instant: Instant): number | undefined {
  const epoch = typeof instant === 'number' || /^\d{9,}$/.test(instant) ? Number(instant) : epochOfIso(instant.trim())
  return Math.abs(epoch) <= LATEST ? Math.trunc(epoch) : undefined
}

function epochOfIso (text: string): number {
  const [, date, time = '00:00', offset = 'Z'] = iso.exec(text) ?? []
  return Date.parse(`${date}T${time}Z`) - (offsetMinutes(offset) ?? 0) * MINUTE
}

/** Milliseconds that the user's clocks are ahead of UTC at an instant: the one conversion that all texts go through. */
export function offsetAt (epoch: number, { timeZone, timeZoneOffset }: Zone): number {
  const minutes = zoneMinutes(epoch, timeZone) ?? offsetMinutes(timeZoneOffset) ?? zoneMinutes(epoch, timeZoneOffset) ?? 0
  return minutes * MINUTE
}

/** Minutes ahead of UTC, out of any of the forms in which offsets were ever stored. */
function offsetMinutes (offset: string | number | null | undefined): number | undefined {
  const text = String(offset ?? '').trim()
  const [, sign, hours, minutes] = /^([+-]?)(\d{1,2}):(\d\d)(?::\d\d)?$/.exec(text) ?? /^([+-])(\d\d)(\d\d)$/.exec(text) ?? []
  const amount = hours === undefined ? hoursOrMinutes(text) : (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1)
  return Math.abs(amount) <= WIDEST_OFFSET ? amount : undefined
}

/** A bare number means hours while it can (-16 to 16), minutes beyond. */
function hoursOrMinutes (text: string): number {
  const number = text === '' ? NaN : Number(text)
  return Math.abs(number) < 16 ? number * 60 : number
}

/** Building a formatter costs a hundred times what using it does, so each zone keeps its own. */
const formatters = new Map<string, Intl.DateTimeFormat | undefined>()
const MOST_ZONES = 1000

function zoneMinutes (epoch: number, name: string | number | null | undefined): number | undefined {
  if (typeof name !== 'string' || name === '') return undefined
  if (!formatters.has(name)) {
    if (formatters.size >= MOST_ZONES) formatters.clear()
    formatters.set(name, formatterOf(name))
  }
  const parts = formatters.get(name)?.formatToParts(epoch)
  const offset = parts?.find(part => part.type === 'timeZoneName')?.value.replace('GMT', '')
  return offset === '' ? 0 : offsetMinutes(offset)
}

function formatterOf (timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' })
  } catch (error) {
    if (error instanceof RangeError) return undefined // a name that no time zone database knows
    throw error
  }
}

/**
 * A duration in words: `1 hour, 1 minute, 1 second`.
 * @param seconds a number; `null` counts as none; a text that is no number (`pending`) is printed as it is
 */
export function durationWords (seconds: number | string | null): string {
  const total = Math.max(0, Math.trunc(Number(seconds)))
  if (Number.isNaN(total)) return String(seconds)
  const parts = ([[Math.floor(total / 3600), 'hour'], [Math.floor(total / 60) % 60, 'minute'], [total % 60, 'second']] as const)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}${count === 1 ? '' : 's'}`)
  return parts.join(', ') || '0 seconds'
}
