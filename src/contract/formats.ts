/** The formats that texts may have in schemas: those of JSON Schema that CRMs use, as Fastify's own checks understand them. */

const day = /^\d{4}-\d\d-\d\d$/
const time = /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(z|[+-]([01]\d|2[0-3])(:?[0-5]\d)?)$/i
const email = /^[^\s@]+@[^\s@]+\.[^\s@]+$/
const uri = /^[a-z][a-z\d+.-]*:\S+$/i
const uuid = /^[\da-f]{8}-([\da-f]{4}-){3}[\da-f]{12}$/i

/** Whether it is a day of the calendar: `Date` makes 2 March of 30 February. */
function isDate (text: string): boolean {
  const date = new Date(day.test(text) ? text : NaN)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

function isDateTime (text: string): boolean {
  const [date = '', ofDay = '', ...more] = text.split(/t/i)
  return isDate(date) && time.test(ofDay) && more.length === 0
}

export const formats: Readonly<Record<string, (text: string) => boolean>> = {
  date: isDate,
  time: text => time.test(text),
  'date-time': isDateTime,
  email: text => email.test(text),
  uri: text => uri.test(text) && URL.canParse(text),
  uuid: text => uuid.test(text)
}
