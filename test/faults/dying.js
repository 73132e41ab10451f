/**
 * Loaded into the built server before all else (`node --import`, hence no TypeScript): lets it die in the middle of its work, as if
 * by `kill -9`. The product needs no fault points for that: all its statements pass better-sqlite3, all its requests undici.
 *
 * A message with a number arms it: it dies at that moment before or after an effect, counted from then on. CLOCK_AHEAD says by how
 * many milliseconds its clock is ahead, so that nobody has to wait for the leases of those who died.
 */
import { subscribe } from 'node:diagnostics_channel'
import Client from 'better-sqlite3'

let moments = 0
let last = Infinity

function pass () {
  if (++moments >= last) process.kill(process.pid, 'SIGKILL')
}

process.on('message', at => {
  moments = 0
  last = Number(at)
})
process.channel?.unref()

const database = new Client(':memory:')
const statement = Object.getPrototypeOf(database.prepare('SELECT 1'))
database.close()
for (const method of ['run', 'get', 'all']) {
  const perform = statement[method]
  statement[method] = function (...values) {
    pass()
    const result = perform.apply(this, values)
    pass()
    return result
  }
}

subscribe('undici:request:create', pass)
subscribe('undici:request:bodySent', pass)
subscribe('undici:request:headers', pass)

const now = Date.now
const ahead = Number(process.env['CLOCK_AHEAD'] ?? 0)
Date.now = () => now() + ahead
