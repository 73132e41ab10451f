import { once } from 'node:events'
import { connect, type AddressInfo } from 'node:net'
import { mock } from 'node:test'
import fastify, { type FastifyReply, type FastifyRequest, type HTTPMethods } from 'fastify'
import t, { type Test } from 'tap'
import deadline from '../../src/plugins/deadline.ts'
import gracefulStop from '../../src/plugins/graceful-stop.ts'

mock.timers.enable({ apis: ['setTimeout'] })
t.teardown(() => { mock.timers.reset() })

interface Asked {
  request: FastifyRequest
  answered: Promise<unknown>
  leave: () => Promise<void>
  close: () => Promise<void>
}

/** A request that is being answered, of 25 s at the most. */
async function ask (t: Test, answer: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>, method: HTTPMethods = 'POST', writes = false): Promise<Asked> {
  const app = fastify({ pluginTimeout: 0 })
  await app.register(deadline, { longest: 25_000 })
  await app.register(gracefulStop)
  const begun = new Promise<FastifyRequest>(resolve => {
    app.route({
      method,
      url: '/',
      config: { writes },
      handler: async (request, reply) => {
        resolve(request)
        return await answer(request, reply)
      }
    })
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const client = connect((app.server.address() as AddressInfo).port)
  client.write(`${method} / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n`)
  const request = await begun
  const leave = async (): Promise<void> => {
    const gone = once(request.socket, 'close')
    client.destroy()
    await gone
  }
  t.teardown(() => { client.destroy(); app.server.close() })
  return { request, answered: once(client, 'data'), leave, close: async () => { await app.close() } }
}

const untilAborted = async ({ deadline }: FastifyRequest): Promise<void> => { if (!deadline.aborted) await once(deadline, 'abort') }
const never = async (): Promise<void> => { await new Promise(() => {}) }

await t.test('the time of a request ends after 25 s, whoever waits; that of one that only reads, when its client goes', async t => {
  const table: Array<[title: string, method: HTTPMethods, writes: boolean, goesOn: boolean]> = [
    ['one that reads', 'GET', false, false],
    ['one that writes', 'POST', false, true],
    ['one that writes although it is asked with GET', 'GET', true, true]
  ]
  for (const [title, method, writes, goesOn] of table) {
    for (const leaves of [false, true]) {
      for (const looksLate of leaves ? [false, true] : [false]) {
        const { request, leave } = await ask(t, never, method, writes)
        const name = `${title}, whose client ${leaves ? 'leaves' : 'stays'}${looksLate ? ' before it looks at its time' : ''}`
        if (!looksLate) t.notOk(request.deadline.aborted, name)
        mock.timers.tick(1_000)
        if (leaves) await leave()
        t.equal(request.deadline.aborted, leaves && !goesOn, name)
        mock.timers.tick(23_000)
        t.equal(request.deadline.aborted, leaves && !goesOn, name)
        mock.timers.tick(2_000)
        t.ok(request.deadline.aborted, name)
        if (!leaves || goesOn) t.match(request.deadline.reason, { code: 'timed-out' }, name)
      }
    }
  }
})

await t.test('an answer that is given ends it, one that the handler never sends does not', async t => {
  const table: Array<[title: string, answer: (reply: FastifyReply) => unknown, isOver: boolean]> = [
    ['an answer', () => 'done', true],
    ['an answer of its own', reply => { reply.hijack().raw.end() }, true],
    ['none', reply => { reply.hijack() }, false]
  ]
  for (const [title, answer, isOver] of table) {
    let end = (): void => {}
    const { request, answered, leave } = await ask(t, async (_request, reply) => {
      await new Promise<void>(resolve => { end = resolve })
      return answer(reply)
    })
    t.notOk(request.deadline.aborted, title)
    end()
    if (isOver) await answered
    await leave()
    mock.timers.tick(26_000)
    t.equal(request.deadline.aborted, !isOver, title)
  }
})

await t.test('a stop waits for what writes when its client has gone, until its time is up', async t => {
  const told: string[] = []
  const { request, leave, close } = await ask(t, async request => {
    await untilAborted(request)
    told.push('aborted')
  })
  t.notOk(request.deadline.aborted)
  mock.timers.tick(10_000)
  await leave()
  const stopping = once(request.server.stopping, 'abort')
  const closed = close().then(() => { told.push('closed') })
  await stopping
  mock.timers.tick(14_000)
  await new Promise(resolve => { setImmediate(resolve) })
  t.strictSame(told, [])
  mock.timers.tick(2_000)
  await closed
  t.strictSame(told, ['aborted', 'closed'])
})
