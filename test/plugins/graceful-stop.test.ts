import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import fastify, { type RouteHandlerMethod } from 'fastify'
import t from 'tap'
import { openDatabase } from '../../src/db/database.ts'
import gracefulStop from '../../src/plugins/graceful-stop.ts'
import { decide, startPatchbay } from '../patchbay.ts'

await t.test('a stop first ends what is begun in the background, then waits for all work at the same time, and for what was begun meanwhile', async t => {
  const app = fastify()
  await app.register(gracefulStop)
  const told: string[] = []
  app.stopping.addEventListener('abort', () => { told.push('stopping') })
  let release = (): void => {}
  const first = new Promise<void>(resolve => { release = resolve })
  app.finishBeforeStop(async () => {
    told.push('first begins')
    await first
    told.push('first ends')
  })
  app.finishBeforeStop(async () => {
    told.push('second begins')
    // If one waited for the other, neither would end.
    release()
    throw new Error('what fails does not keep the stop')
  })
  app.addHook('onClose', async () => { told.push('closed') })
  await app.ready()
  await app.close()
  const all = ['first begins', 'second begins', 'first ends']
  t.strictSame(told, ['stopping', ...all, ...all, 'closed'])
})

await t.test('who asks during a stop is told to come back, in a form that pages of the extension can read', async t => {
  const { app, call } = await startPatchbay(t)
  let finish = (): void => {}
  const work = new Promise<void>(resolve => { finish = resolve })
  const begun = new Promise<void>(resolve => {
    app.finishBeforeStop(async () => {
      resolve()
      await work
    })
  })
  const closed = app.close()
  await begun
  for (const path of ['/contact?phoneNumber=+16504445566', '/health/ready', '/nowhere']) {
    const { status, headers, json } = await call(path)
    t.equal(status, 503, path)
    t.match(json, { successful: false, error: { code: 'not-ready', retryable: true, retryAfter: 5 } }, path)
    t.strictSame([headers.get('access-control-allow-origin'), headers.get('retry-after')], ['*', '5'], path)
  }
  const preflight = { method: 'OPTIONS', headers: { origin: 'https://page.example', 'access-control-request-method': 'GET' } }
  t.equal((await call('/contact', preflight)).status, 204)
  for (const path of ['/isAlive', '/health/live']) t.equal((await call(path)).status, 200, 'whoever restarts what does not run has no reason yet')
  finish()
  await closed
})

await t.test('a client that goes with pipelined requests unanswered does not keep the stop', async t => {
  const app = fastify()
  await app.register(gracefulStop)
  const many = 15
  let received = 0
  const all = new Promise<void>(resolve => {
    app.get('/', async () => {
      if (++received === many) resolve()
      await new Promise(() => {})
    })
  })
  const warnings: Error[] = []
  const warned = (warning: Error): void => { warnings.push(warning) }
  process.on('warning', warned)
  t.teardown(() => { process.off('warning', warned) })
  await app.listen({ port: 0 })
  const client = connect((app.server.address() as AddressInfo).port)
  client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n'.repeat(many))
  await all
  client.destroy()
  await once(client, 'close')
  await app.close()
  t.strictSame(warnings, [], 'closed, and one connection is listened to once')
})

await t.test('what writes is brought to its end before anything closes, also when its client has gone', { timeout: 10_000 }, async t => {
  const ends: Array<[title: string, end: RouteHandlerMethod]> = [
    ['an answer', async () => ({ id: 1 })],
    ['no answer', async () => {}],
    ['a failure', async () => { throw new Error('no') }],
    ['an answer of its own', async (_request, reply) => { reply.hijack() }]
  ]
  for (const [title, end] of ends) {
    const app = fastify()
    await app.register(gracefulStop)
    const told: string[] = []
    let finish = (): void => {}
    const work = new Promise<void>(resolve => { finish = resolve })
    const begun = new Promise<Socket>(resolve => {
      app.post('/', async function (request, reply) {
        resolve(request.socket)
        await work
        told.push('ended')
        return await end.call(this, request, reply)
      })
    })
    app.addHook('onClose', async () => { told.push('closed') })
    await app.listen({ port: 0 })
    const client = connect((app.server.address() as AddressInfo).port)
    client.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n')
    const gone = once(await begun, 'close')
    client.destroy()
    await gone
    app.stopping.addEventListener('abort', () => { setImmediate(finish) })
    await app.close()
    t.strictSame(told, ['ended', 'closed'], title)
  }
})

const times: Array<[title: string, stopsBefore: boolean]> = [['before a stop', false], ['during a stop', true]]
for (const [title, stopsBefore] of times) {
  await t.test(`who gave access at the CRM is connected, also when their client goes ${title}, before the CRM has given tokens`, { timeout: 20_000 }, async t => {
    const folder = t.testdir()
    const { app, url, crm } = await startPatchbay(t, { folder })
    const begun = await fetch(`${url}/oauth-authorize?platform=example`, { redirect: 'manual' })
    const back = await decide(begun.headers.get('location') ?? '')

    const { server } = crm.app
    const [answer] = server.listeners('request') as RequestListener[]
    const asked = new Promise<() => void>(resolve => {
      server.removeAllListeners('request').on('request', (request, response) => {
        if (request.url === '/oauth/token') resolve(() => answer?.(request, response))
        else answer?.(request, response)
      })
    })
    const connected = once(app.server, 'connection')
    const client = connect(Number(new URL(url).port))
    client.write(`GET ${back.slice(url.length)} HTTP/1.1\r\nhost: a\r\n\r\n`)
    const giveTokens = await asked
    const [socket] = await connected
    const gone = once(socket, 'close')
    const stopping = once(app.stopping, 'abort')
    const closed = stopsBefore ? app.close() : gone.then(async () => { await app.close() })
    if (stopsBefore) await stopping
    client.destroy()
    await gone
    giveTokens()
    await closed

    const { handle, tables: { users }, close } = await openDatabase(`file:${join(folder, 'patchbay.db')}`)
    t.strictSame(await handle.select({ id: users.id }).from(users), [{ id: '1-example' }])
    await close()
  })
}
