import t from 'tap'
import { durationWords, epochOf, formatInstant, offsetAt, type Zone } from '../../../src/calls/body/time.ts'

const start = '2026-01-15T10:30:05Z'
const pattern = 'YYYY-MM-DD hh:mm:ss A'
const HOUR = 3_600_000

/**
 * Minutes ahead of UTC before the first, between, and after the second change of clocks in 2026, with the instants of both.
 * Worked out from the rules of the countries (e.g. second Sunday of March, 2:00 local), not taken from Intl.
 */
const clockChanges: Array<[zone: string, before: number, first: string, between: number, second: string, after: number]> = [
  ['America/New_York', -300, '2026-03-08T07:00Z', -240, '2026-11-01T06:00Z', -300],
  ['America/Chicago', -360, '2026-03-08T08:00Z', -300, '2026-11-01T07:00Z', -360],
  ['America/Denver', -420, '2026-03-08T09:00Z', -360, '2026-11-01T08:00Z', -420],
  ['America/Los_Angeles', -480, '2026-03-08T10:00Z', -420, '2026-11-01T09:00Z', -480],
  ['America/Anchorage', -540, '2026-03-08T11:00Z', -480, '2026-11-01T10:00Z', -540],
  ['America/Halifax', -240, '2026-03-08T06:00Z', -180, '2026-11-01T05:00Z', -240],
  ['America/St_Johns', -210, '2026-03-08T05:30Z', -150, '2026-11-01T04:30Z', -210],
  ['America/Santiago', -180, '2026-04-05T03:00Z', -240, '2026-09-06T04:00Z', -180],
  ['America/Havana', -300, '2026-03-08T05:00Z', -240, '2026-11-01T05:00Z', -300],
  ['Europe/London', 0, '2026-03-29T01:00Z', 60, '2026-10-25T01:00Z', 0],
  ['Europe/Lisbon', 0, '2026-03-29T01:00Z', 60, '2026-10-25T01:00Z', 0],
  ['Europe/Berlin', 60, '2026-03-29T01:00Z', 120, '2026-10-25T01:00Z', 60],
  ['Europe/Helsinki', 120, '2026-03-29T01:00Z', 180, '2026-10-25T01:00Z', 120],
  ['Atlantic/Azores', -60, '2026-03-29T01:00Z', 0, '2026-10-25T01:00Z', -60],
  ['Asia/Jerusalem', 120, '2026-03-27T00:00Z', 180, '2026-10-24T23:00Z', 120],
  ['Australia/Sydney', 660, '2026-04-04T16:00Z', 600, '2026-10-03T16:00Z', 660],
  ['Australia/Adelaide', 630, '2026-04-04T16:30Z', 570, '2026-10-03T16:30Z', 630],
  ['Australia/Lord_Howe', 660, '2026-04-04T15:00Z', 630, '2026-10-03T15:30Z', 660],
  ['Pacific/Auckland', 780, '2026-04-04T14:00Z', 720, '2026-09-26T14:00Z', 780],
  ['Pacific/Chatham', 825, '2026-04-04T14:00Z', 765, '2026-09-26T14:00Z', 825]
]

for (const serverZone of ['UTC', 'America/New_York', 'Pacific/Kiritimati']) {
  await t.test(`defect C-10: local time follows daylight saving in 20 zones, on a server in ${serverZone}`, async t => {
    const before = process.env.TZ
    process.env.TZ = serverZone
    t.teardown(() => { process.env.TZ = before ?? 'UTC' })
    for (const [timeZone, winter, first, between, second, after] of clockChanges) {
      for (const [change, minutesBefore, minutesAfter] of [[first, winter, between], [second, between, after]] as const) {
        const turn = Date.parse(change)
        const steps = Array.from({ length: 96 * 2 }, (_, index) => turn + (index - 96) * HOUR / 2)
        const wrong = [...steps, turn - 1, turn + 1].filter(epoch => {
          const local = new Date(epoch + (epoch < turn ? minutesBefore : minutesAfter) * 60_000)
          return formatInstant(epoch, 'YYYY-MM-DD HH:mm:ss', { timeZone }) !== local.toISOString().slice(0, 19).replace('T', ' ')
        })
        t.same(wrong, [], `${timeZone} around ${change}`)
      }
    }
  })
}

await t.test('a log of one user has winter time in January and summer time in July', async t => {
  const zone = { timeZone: 'America/Denver', timeZoneOffset: '-07:00' }
  t.equal(formatInstant('2026-01-15T10:30:05Z', pattern, zone), '2026-01-15 03:30:05 AM')
  t.equal(formatInstant('2026-07-15T10:30:05Z', pattern, zone), '2026-07-15 04:30:05 AM')
})

const offsets: Array<[form: string, zone: Zone, local: string]> = [
  ['nothing', {}, '2026-01-15 10:30:05 AM'],
  ['null', { timeZone: null, timeZoneOffset: null }, '2026-01-15 10:30:05 AM'],
  ['an empty text', { timeZone: '', timeZoneOffset: '' }, '2026-01-15 10:30:05 AM'],
  ['the number 0', { timeZoneOffset: 0 }, '2026-01-15 10:30:05 AM'],
  ['-07:00', { timeZoneOffset: '-07:00' }, '2026-01-15 03:30:05 AM'],
  ['+05:30', { timeZoneOffset: '+05:30' }, '2026-01-15 04:00:05 PM'],
  ['-0700', { timeZoneOffset: '-0700' }, '2026-01-15 03:30:05 AM'],
  ['+0530', { timeZoneOffset: '+0530' }, '2026-01-15 04:00:05 PM'],
  ['hours as a number', { timeZoneOffset: -7 }, '2026-01-15 03:30:05 AM'],
  ['hours as text', { timeZoneOffset: '-7' }, '2026-01-15 03:30:05 AM'],
  ['part of an hour', { timeZoneOffset: '5.5' }, '2026-01-15 04:00:05 PM'],
  ['minutes as a number', { timeZoneOffset: -420 }, '2026-01-15 03:30:05 AM'],
  ['minutes as text', { timeZoneOffset: '330' }, '2026-01-15 04:00:05 PM'],
  ['a zone name', { timeZoneOffset: 'America/Denver' }, '2026-01-15 03:30:05 AM'],
  ['a zone name beside another offset', { timeZone: 'Asia/Kolkata', timeZoneOffset: '-07:00' }, '2026-01-15 04:00:05 PM'],
  ['a zone that nobody knows, with an offset', { timeZone: 'Mars/Olympus', timeZoneOffset: '-07:00' }, '2026-01-15 03:30:05 AM'],
  ['UTC by name', { timeZone: 'UTC', timeZoneOffset: '-07:00' }, '2026-01-15 10:30:05 AM'],
  ['words', { timeZoneOffset: 'here' }, '2026-01-15 10:30:05 AM'],
  ['an offset beyond all zones', { timeZoneOffset: '99:00' }, '2026-01-15 10:30:05 AM'],
  ['minutes beyond all zones', { timeZoneOffset: 5000 }, '2026-01-15 10:30:05 AM']
]

await t.test('defect C-10: every form in which an offset was ever stored is understood', async t => {
  for (const [form, zone, local] of offsets) t.equal(formatInstant(start, pattern, zone), local, form)
})

await t.test('dates are written in the pattern of the user', async t => {
  const evening = '2026-03-05T21:04:09Z'
  for (const [pattern, written] of [
    ['YYYY-MM-DD hh:mm:ss A', '2026-03-05 09:04:09 PM'],
    ['YYYY-MM-DD HH:mm:ss', '2026-03-05 21:04:09'],
    ['MM/DD/YYYY hh:mm:ss A', '03/05/2026 09:04:09 PM'],
    ['MM/DD/YYYY HH:mm:ss', '03/05/2026 21:04:09'],
    ['DD/MM/YYYY hh:mm:ss A', '05/03/2026 09:04:09 PM'],
    ['DD/MM/YYYY HH:mm:ss', '05/03/2026 21:04:09'],
    ['dddd, MMMM D, YYYY [at] h:mm a', 'Thursday, March 5, 2026 at 9:04 pm'],
    ['ddd D MMM YY, H:m:s', 'Thu 5 Mar 26, 21:4:9'],
    ['M/D [Day] D', '3/5 Day 5'],
    ['[[YYYY] YYYY', '[YYYY 2026'],
    ['', '']
  ] as const) {
    t.equal(formatInstant(evening, pattern, {}), written, pattern)
  }
  t.equal(formatInstant('2026-03-05T00:04:09Z', 'hh h A', {}), '12 12 AM', 'midnight')
  t.equal(formatInstant('2026-03-05T12:04:09Z', 'hh h A', {}), '12 12 PM', 'noon')
})

await t.test('an instant is epoch milliseconds or ISO 8601, and UTC where it does not say', async t => {
  const epoch = Date.parse(start)
  const before = process.env.TZ
  process.env.TZ = 'Asia/Tokyo'
  t.teardown(() => { process.env.TZ = before ?? 'UTC' })
  for (const instant of [epoch, epoch + 0.5, String(epoch), start, '2026-01-15T10:30:05', '2026-01-15 10:30:05', '2026-01-15T11:30:05+01:00',
    '2026-01-15T03:30:05-0700', '2026-01-15T10:30:05.000Z', ' 2026-01-15T10:30:05Z ']) {
    t.equal(epochOf(instant), epoch, String(instant))
  }
  t.equal(epochOf('2026-01-15'), Date.parse('2026-01-15T00:00Z'))
  for (const nothing of ['', 'yesterday', '2026-13-45', NaN, Infinity, 9e15, 'Jan 15 2026 10:30']) {
    t.equal(epochOf(nothing), undefined, String(nothing))
    t.equal(formatInstant(nothing, pattern, {}), undefined)
  }
})

await t.test('zones are looked up once, and their number stays bounded', async t => {
  for (let index = 0; index < 1500; index++) offsetAt(0, { timeZone: `No/Zone${index}` })
  t.equal(offsetAt(Date.parse(start), { timeZone: 'Asia/Tokyo' }), 9 * HOUR)
})

await t.test('durations are told in words', async t => {
  for (const [seconds, words] of [
    [0, '0 seconds'], [1, '1 second'], [59, '59 seconds'], [60, '1 minute'], [61, '1 minute, 1 second'], [90, '1 minute, 30 seconds'],
    [119, '1 minute, 59 seconds'], [3600, '1 hour'], [3601, '1 hour, 1 second'], [7325, '2 hours, 2 minutes, 5 seconds'],
    [null, '0 seconds'], [-5, '0 seconds'], ['61', '1 minute, 1 second'], ['pending', 'pending'], [61.9, '1 minute, 1 second']
  ] as const) {
    t.equal(durationWords(seconds), words, String(seconds))
  }
})
