import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { path } from '../../src/contract/crm.ts'
import { Type } from '../../src/contract/type.ts'
import { account, arrived, errorOf, json, pass, serve, serveBytes, startDoor } from './doors.ts'

const answer = { answer: Type.Object({ id: Type.Integer() }) }
const limits = { connect: 1000, talk: 400, wait: 100, answer: 100_000, headers: 8192 }
/** Milliseconds: longer than a test may take. */
const patient = 10 * 60_000

/** Writes until the other side has gone. */
function flood (socket: Socket, piece: () => string | Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece()));
    socket.once('drain', more)
  }
  more()
}

const head = (headers: string): string => `HTTP/1.1 200 OK\r\n${headers}\r\n\r\n`
const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024))

type Misdeed = (socket: Socket) => void
const misdeeds: Array<[title: string, misdeed: Misdeed, code: string, outcome: string]> = [
  ['it accepts and says nothing', () => {}, 'unavailable', 'unknown'],
  ['it ends the connection at once', socket => { socket.end() }, 'unavailable', 'unknown'],
  ['it resets the connection', socket => { socket.resetAndDestroy() }, 'unavailable', 'unknown'],
  ['it answers garbage', socket => { socket.end(randomBytes(1000)) }, 'bad-response', 'unknown'],
  ['it speaks another protocol', socket => { socket.end('SSH-2.0-OpenSSH_9.6\r\n') }, 'bad-response', 'unknown'],
  ['it sends headers without end', socket => { socket.write('HTTP/1.1 200 OK\r\n'); flood(socket, () => `x-${Math.random()}: ${'y'.repeat(500)}\r\n`) }, 'bad-response', 'unknown'],
  ['one header has no end', socket => { socket.write('HTTP/1.1 200 OK\r\nx: '); flood(socket, () => 'y'.repeat(1000)) }, 'bad-response', 'unknown'],
  ['it sends a body without end', socket => { socket.write(head('transfer-encoding: chunked')); flood(socket, () => `3e8\r\n${'y'.repeat(1000)}\r\n`) }, 'bad-response', 'unknown'],
  ['it announces 50 MB and sends them', socket => { socket.write(head('content-length: 52428800')); flood(socket, () => 'y'.repeat(10_000)) }, 'bad-response', 'unknown'],
  ['it sends a compressed bomb', socket => { socket.end(Buffer.concat([Buffer.from(head(`content-encoding: gzip\r\ncontent-length: ${bomb.length}`)), bomb])) }, 'bad-response', 'unknown'],
  ['it compresses what it does not say', socket => { socket.end(`${head('content-encoding: br\r\ncontent-length: 5')}hello`) }, 'bad-response', 'unknown'],
  ['it drips', socket => { socket.write(head('content-length: 1000')); const timer = setInterval(() => { socket.write('y') }, 20); socket.on('close', () => { clearInterval(timer) }) }, 'unavailable', 'unknown'],
  ['it informs without end', socket => { flood(socket, () => 'HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n') }, 'unavailable', 'unknown'],
  ['it stops in the middle of the body', socket => { socket.end(`${head('content-length: 1000')}{"id":`) }, 'unavailable', 'unknown'],
  ['it resets in the middle of the body', socket => { socket.write(`${head('content-length: 1000')}{"id":`, () => { socket.resetAndDestroy() }) }, 'unavailable', 'unknown'],
  ['it answers another type', socket => { socket.end(`${head('content-length: 10')}{"id":"x"}`) }, 'bad-response', 'unknown'],
  ['it answers an unknown status', socket => { socket.end('HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n') }, 'bad-response', 'unknown'],
  ['it upgrades', socket => { socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n') }, 'unavailable', 'unknown'],
  ['it refuses with a reason that never ends', socket => { socket.write('HTTP/1.1 422 No\r\ntransfer-encoding: chunked\r\n\r\n'); flood(socket, () => `3e8\r\n${'y'.repeat(1000)}\r\n`) }, 'invalid', 'refused'],
  ['it refuses and hangs', socket => { socket.write('HTTP/1.1 404 No\r\ncontent-length: 1000\r\n\r\n{') }, 'not-found', 'refused'],
  ['it puts off and resets', socket => { socket.write('HTTP/1.1 503 No\r\ncontent-length: 1000\r\nretry-after: 60\r\n\r\n{', () => { socket.resetAndDestroy() }) }, 'unavailable', 'not-received']
]

const timers = (): number => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length

await t.test('whatever a CRM does ends with a coded error in time, and leaves nothing behind', async t => {
  const before = timers()
  for (const [title, misdeed, code, outcome] of misdeeds) {
    const crm = await serveBytes(t, socket => { socket.once('data', () => { misdeed(socket) }) })
    // What ends by itself must not depend on how busy the machine is.
    const door = await startDoor(t, { limits: { ...limits, talk: code === 'bad-response' ? patient : limits.talk } })
    t.match(await errorOf(door.crm(account(crm.url)).post(path`/x`, { ...answer, body: { n: 1 } })), { name: 'CrmError', code, outcome }, title)
    t.equal(crm.connections(), 1, `${title}: a write is not repeated`)
    await door.close()
    while (crm.open() > 0) await pass(5)
  }
  await pass(50)
  t.ok(timers() <= before + 1, 'no timer is left but the one of undici that ends by itself')
})

await t.test('an answer that comes after the caller has gone is not read', async t => {
  const crm = await serve(t, response => { setTimeout(() => { json(response, 200, { id: 1 }) }, 100) })
  const door = await startDoor(t)
  const gone = new AbortController()
  const asked = errorOf(door.crm(account(crm.url, { signal: gone.signal })).get(path`/x`, answer))
  await arrived(crm, 1)
  gone.abort()
  t.match(await asked, { code: 'unavailable', outcome: 'unknown' })
  t.match(await errorOf(door.crm(account(crm.url, { signal: gone.signal })).get(path`/x`, answer)), { code: 'unavailable', outcome: 'not-received' })
  await pass(150)
  t.equal(crm.received.length, 1, 'nothing is tried again for nobody')
  t.equal(crm.open(), 0)
  t.strictSame(await door.crm(account(crm.url)).get(path`/x`, answer), { id: 1 }, 'and others are not affected')
})

await t.test('whoever goes while waiting sends nothing', async t => {
  const crm = await serve(t, response => { json(response, 429, {}, { 'retry-after': '5' }) })
  const gone = new AbortController()
  const asked = errorOf((await startDoor(t)).crm(account(crm.url, { signal: gone.signal })).post(path`/x`, answer))
  await arrived(crm, 1)
  await pass(300)
  gone.abort()
  t.match(await asked, { code: 'rate-limited', outcome: 'not-received', retryAfter: 5 })
  const failing = await serve(t, response => { json(response, 503, {}) })
  const aborted = new AbortController()
  const retried = errorOf((await startDoor(t, { random: () => 0.99 })).crm(account(failing.url, { signal: aborted.signal })).get(path`/x`, answer))
  await arrived(failing, 1)
  await pass(150)
  aborted.abort()
  t.match(await retried, { code: 'unavailable', outcome: 'not-received' })
  t.strictSame([crm.received.length, failing.received.length], [1, 1])
})

await t.test('a connection that does not come to stand ends soon, and was surely not received', async t => {
  const silent = await serveBytes(t, () => {})
  const address = silent.url.replace('http', 'https')
  for (const more of [{ talk: 200 }, { connect: 100, talk: patient }]) {
    const door = await startDoor(t, { limits: { ...limits, ...more } })
    t.match(await errorOf(door.crm(account(address)).post(path`/x`, answer)), { code: 'unavailable', outcome: 'not-received' }, 'TLS belongs to it')
  }
})

await t.test('without time left to talk nothing is sent', async t => {
  const crm = await serve(t, response => { setTimeout(() => { json(response, 401, {}) }, 60) })
  // By this clock the first answer takes longer than the whole call may.
  const door = await startDoor(t, { limits: { talk: 500 }, clock: () => performance.now() * 10 })
  t.match(await errorOf(door.crm(account(crm.url, { renew: async () => 'Bearer new' })).post(path`/x`, answer)), { code: 'unavailable', outcome: 'not-received' })
  t.equal(crm.received.length, 1)
})

await t.test('a CRM that hangs does not hold another one up', async t => {
  const hanging = await serveBytes(t, () => {})
  const well = await serve(t, response => { json(response, 200, { id: 1 }) })
  const door = await startDoor(t, { limits: { ...limits, talk: 2500 } })
  let ended = 0
  const stuck = Array.from({ length: 150 }, async () => await errorOf(door.crm(account(hanging.url)).get(path`/x`, answer)).finally(() => { ended++ }))
  await Promise.all(Array.from({ length: 50 }, async () => await door.crm(account(well.url)).get(path`/x`, answer)))
  t.equal(ended, 0)
  t.ok(hanging.open() <= 100, 'it takes so many connections only')
  for (const error of await Promise.all(stuck)) t.equal(error.code, 'unavailable')
})
