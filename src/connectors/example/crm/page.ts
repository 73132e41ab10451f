import { readFileSync } from 'node:fs'
import type { FastifyPluginAsync } from 'fastify'
import { exampleUsers } from './seed.ts'

/** From the root of the package, so that the built server finds them too. */
const folder = new URL('../../../../src/connectors/example/crm/page/', import.meta.url)

const files = [
  { url: '/', file: 'index.html', type: 'text/html; charset=utf-8' },
  { url: '/page.js', file: 'page.js', type: 'text/javascript; charset=utf-8' },
  { url: '/page.css', file: 'page.css', type: 'text/css; charset=utf-8' },
  { url: '/body.css', file: 'body.css', type: 'text/css; charset=utf-8' },
  { url: '/icon.svg', file: 'icon.svg', type: 'image/svg+xml' }
] as const

/** The page for people: static files that talk to the API with the key of the user chosen. */
const page: FastifyPluginAsync = async app => {
  const users = exampleUsers.map(({ name, key }) => `<option value="${key}">${name}</option>`).join('')

  for (const { url, file, type } of files) {
    const content = readFileSync(new URL(file, folder), 'utf8').replace('<!-- users -->', users)
    app.get(url, { schema: { hide: true } }, async (_request, reply) =>
      reply.type(type).header('cache-control', 'no-cache').send(content))
  }
}

export default page
