/**
 * A stop that loses nothing: requests that are being answered are brought to their end, then every connection is closed. (Left to
 * itself, a connection on which nothing was ever sent would hold the stop for a minute.)
 */
import fp from 'fastify-plugin'

/** Below the 25 s that the process has for its stop. */
const longest = 20_000

export default fp(async fastify => {
  let active = 0
  let drained = (): void => {}
  fastify.addHook('onRequest', async (_request, reply) => {
    active++
    reply.raw.once('close', () => {
      if (--active === 0) drained()
    })
  })
  fastify.addHook('preClose', async () => {
    if (active === 0) return
    await new Promise<void>(resolve => {
      drained = resolve
      setTimeout(resolve, longest).unref()
    })
  })
}, { name: 'graceful-stop' })
