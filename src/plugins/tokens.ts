/** The credentials of people at their CRMs: made at a sign-in, kept fresh, taken back. */
import fp from 'fastify-plugin'
import type { Config } from '../config.ts'
import { permittedUrl } from '../crm/hosts.ts'
import type { Cipher } from '../db/cipher.ts'
import type { Clock } from '../db/database.ts'
import { connecting, type Connecting } from '../tokens/connect.ts'
import { keeping, type Keeping } from '../tokens/keep.ts'
import { reach as reachOf } from '../tokens/reach.ts'

declare module 'fastify' {
  interface FastifyInstance {
    tokens: Connecting & Pick<Keeping, 'of' | 'revoke'>
  }
}

export interface TokensOptions {
  connectorConfig: Config['connector']
  /** How the outside reaches the server; known when it listens. */
  serverUrl: () => string
  cipher: Cipher
  clock: Clock
}

export default fp<TokensOptions>(async (fastify, { connectorConfig, serverUrl, cipher, clock }) => {
  // A setting that is not valid stops the start, not the first sign-in.
  for (const { info } of fastify.connectors.all()) connectorConfig(info.platform)

  const reach = reachOf({
    settings: connectorConfig,
    clock,
    crmFetch: scope => fastify.crmFetch(scope),
    isOwn: (info, url) => permittedUrl(url, { info, configuredByOperator: false }, []) !== undefined
  })
  const { settled, ...kept } = keeping({
    users: fastify.repositories.users,
    connectorOf: platform => fastify.connectors.get(platform),
    reach,
    clock,
    log: fastify.log
  })
  fastify.decorate('tokens', {
    ...connecting({ settings: connectorConfig, reach, cipher, clock, serverUrl }),
    ...kept
  })
  // The database closes after that.
  fastify.finishBeforeStop(settled)
}, { name: 'tokens', dependencies: ['db', 'connectors', 'crm', 'graceful-stop'] })
