/** What connectors declare at the root of the server: pages, and notices of their CRMs. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyPluginAsync, onRequestAsyncHookHandler } from 'fastify'
import { failures, plainText } from '../contract/answer.ts'
import type { ConnectorInfo } from '../contract/connector.ts'
import { PatchbayError } from '../contract/errors.ts'
import { companyOf } from '../contract/operations.ts'
import type { PageRoute, RemovalNoticeRoute, RemovedUser } from '../contract/root-route.ts'
import { Type } from '../contract/type.ts'
import type { User } from '../db/users.ts'

/** What this server is called at a CRM. */
export interface Client {
  readonly clientId?: string
  readonly clientSecret?: string
}

export interface RootRoutesOptions {
  /** By platform. */
  clientOf: (platform: string) => Client
}

/** The address of a page may hold an authorization code, so it is kept nowhere and told to nobody. */
const pageHeaders = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff'
}

export const rootRoutes: FastifyPluginAsync<RootRoutesOptions> = async (fastify, { clientOf }) => {
  for (const { info } of fastify.connectors.all()) {
    for (const route of info.rootRoutes ?? []) {
      if (route.kind === 'page') addPage(fastify, info, route)
      else addRemovalNotice(fastify, info, route, requireClient(clientOf(info.platform)))
    }
  }
}

const described = ({ title }: ConnectorInfo, { operationId, summary }: PageRoute | RemovalNoticeRoute) =>
  ({ operationId, summary, tags: ['metadata'], description: `Belongs to the connector of ${title}.` })

function addPage (fastify: FastifyInstance, info: ConnectorInfo, route: PageRoute): void {
  fastify.get(route.url, {
    schema: {
      ...described(info, route),
      security: [],
      response: { 200: { description: 'The page.', content: { 'text/html': { schema: Type.String() } } }, ...failures }
    }
  }, async (_request, reply) => await reply.headers(pageHeaders).type('text/html; charset=utf-8').send(route.html))
}

function addRemovalNotice (fastify: FastifyInstance, info: ConnectorInfo, route: RemovalNoticeRoute, onRequest: onRequestAsyncHookHandler): void {
  fastify.route({
    method: route.method,
    url: route.url,
    bodyLimit: 16 * 1024,
    onRequest,
    schema: {
      ...described(info, route),
      security: [{ client: [] }],
      body: route.body,
      response: { 200: plainText('The notice is understood.'), 401: plainText('It does not come from the CRM.'), ...failures }
    },
    handler: async (request, reply) => {
      await forget(fastify, info, readNotice(route, request.body))
      return await reply.type('text/plain; charset=utf-8').send('User deleted')
    }
  })
}

/** To the CRM a notice that could not be read was not received, whoever is to blame. */
function readNotice ({ read }: RemovalNoticeRoute, body: unknown): RemovedUser {
  try {
    return read(body)
  } catch (cause) {
    throw new PatchbayError('internal', { cause })
  }
}

/** Clocks of CRMs differ from ours by less than this. Milliseconds. */
const clockMargin = 60_000

/**
 * Both ids have to match: somebody may belong to two companies, and leave one. Who got credentials of the CRM since the removal
 * has connected again.
 */
async function forget ({ repositories: { users }, log }: FastifyInstance, { platform }: ConnectorInfo, { crmUserId, companyId, at = Infinity }: RemovedUser): Promise<void> {
  const user = await users.find(`${crmUserId}-${platform}`, platform)
  const known = user !== undefined && (companyOf(user) ?? '') === companyId && issuedAt(user) <= at + clockMargin
  if (known) await users.signOut({ userId: user.id, accountId: user.accountId, platform })
  log.info({ platform, known }, 'the CRM says that somebody removed the app there')
}

function issuedAt (user: User): number {
  try {
    return user.credentials?.issuedAt ?? 0
  } catch {
    return 0 // What cannot be opened is of no use to anybody.
  }
}

/** Lets in whoever knows the id and secret of our client at the CRM, and takes the same time for every guess. */
function requireClient ({ clientId, clientSecret }: Client): onRequestAsyncHookHandler {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const configured = clientId !== undefined && clientSecret !== undefined
  const expected = digest(`${clientId ?? ''}:${clientSecret ?? ''}`)
  return async request => {
    const [, credentials = ''] = /^Basic +([\w+/=-]+)$/i.exec(request.headers.authorization ?? '') ?? []
    const same = timingSafeEqual(digest(Buffer.from(credentials, 'base64').toString()), expected)
    if (!configured || !same) throw new PatchbayError('client-refused')
  }
}
