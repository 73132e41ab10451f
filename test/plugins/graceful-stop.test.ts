import fastify from 'fastify'
import t from 'tap'
import gracefulStop from '../../src/plugins/graceful-stop.ts'

await t.test('a stop first ends what is begun in the background, then waits for all work at the same time', async t => {
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
  t.strictSame(told, ['stopping', 'first begins', 'second begins', 'first ends', 'closed'])
})
