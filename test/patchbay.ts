/** Patchbay and the Example CRM for tests: real servers on real sockets, on files of the test's own. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import type { Test } from 'tap'
import { buildApp, type AppParts } from '../src/app.ts'
import type { ConnectorConfig } from '../src/config.ts'
import { exampleCrm } from '../src/connectors/example/crm/server.ts'
import { cipher, newEncryptionKey, parseEncryptionKeys } from '../src/db/cipher.ts'
import { openDatabase } from '../src/db/database.ts'
import { serializers } from '../src/plugins/request-log.ts'

export const sessionSecret = 'a-session-secret-for-tests'
export const hashKey = 'hashkey'

export interface Answer {
  status: number
  headers: Headers
  text: string
  /** The parsed body; undefined when it is not JSON. */
  json: any
}

export interface Call {
  method?: string
  token?: string
  body?: unknown
  headers?: Record<string, string>
  redirect?: 'follow' | 'manual'
}

export interface Patchbay {
  app: FastifyInstance
  url: string
  crm: { app: FastifyInstance, url: string }
  /** What the server logged, a line each. */
  logged: string[]
  call: (path: string, options?: Call) => Promise<Answer>
  /** Asks the Example CRM itself, as Ann. */
  askCrm: (path: string, options?: Call) => Promise<Answer>
  /** @returns a session token */
  signIn: (apiKey?: string, platform?: string) => Promise<string>
  /** Connects a user of the CRM without the sign-in, which is limited. @returns a session token */
  connectUser: (platform?: string, apiKey?: string) => Promise<string>
  /** Allows access at the consent page of the CRM, as the user with that id. @returns a session token */
  signInByOAuth: (userId?: number, platform?: string) => Promise<string>
  /** Overwrites the sealed credentials of everybody, as somebody can who has the file of the database. */
  overwriteCredentials: (sealed: string) => Promise<void>
  /** What the CRM received since the last time, `METHOD /path`. */
  crmRequests: () => Promise<string[]>
}

export async function ask (base: string, path: string, { method = 'GET', token, body, headers = {}, redirect = 'follow' }: Call = {}): Promise<Answer> {
  const response = await fetch(`${base}${path}`, {
    method,
    redirect,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) })
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, json: parse(text) }
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const annsKey = { authorization: `Basic ${Buffer.from('example-key-ann:').toString('base64')}` }

export async function startPatchbay (t: Test, options: {
  clock?: () => number
  crmClock?: () => number
  logLevel?: string
  recoverEvery?: number
  longestRequest?: number
  folder?: string
  encryptionKeys?: string
  config?: Partial<AppParts['config']>
  connector?: Record<string, ConnectorConfig>
  /** The operator's settings of connectors, when they need the address of the Example CRM. */
  connectorOn?: (exampleCrm: string) => ConnectorConfig
  /** Platforms whose CRM is the Example CRM. */
  onExampleCrm?: readonly string[]
} = {}): Promise<Patchbay> {
  const folder = options.folder ?? t.testdir()
  const logged: string[] = []
  const logger = pino({ level: options.logLevel ?? 'info', serializers }, { write: line => { logged.push(line) } })
  const crm = exampleCrm({ file: join(folder, 'example-crm.db'), logger: pino({ level: 'silent' }), ...(options.crmClock !== undefined && { clock: options.crmClock }) })
  await crm.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => await crm.close())
  const database = await openDatabase(`file:${join(folder, 'patchbay.db')}`)
  const app = await buildApp({
    config: {
      exampleCrmPort: 1,
      connector: platform => options.connectorOn?.(crm.listeningOrigin) ?? options.connector?.[platform] ?? ((options.onExampleCrm ?? ['example']).includes(platform) ? { url: crm.listeningOrigin } : {}),
      ...options.config
    },
    database,
    cipher: cipher(parseEncryptionKeys(options.encryptionKeys ?? newEncryptionKey())),
    sessionSecret,
    hashKey,
    logger,
    ...(options.clock !== undefined && { clock: options.clock }),
    ...(options.recoverEvery !== undefined && { recoverEvery: options.recoverEvery }),
    ...(options.longestRequest !== undefined && { longestRequest: options.longestRequest })
  }).catch(async (error: unknown) => {
    await database.close()
    throw error
  })
  t.teardown(async () => await app.close())
  await app.listen({ host: '127.0.0.1', port: 0 })

  const url = app.listeningOrigin
  const call: Patchbay['call'] = async (path, options) => await ask(url, path, options)
  return {
    app,
    url,
    crm: { app: crm, url: crm.listeningOrigin },
    logged,
    call,
    async overwriteCredentials (sealedCredentials) {
      const { handle, tables: { users }, close } = await openDatabase(`file:${join(folder, 'patchbay.db')}`)
      await handle.update(users).set({ sealedCredentials })
      await close()
    },
    askCrm: async (path, options) => await ask(crm.listeningOrigin, path, { ...options, headers: { ...annsKey, ...options?.headers } }),
    signIn: async (apiKey = 'example-key-ann', platform = 'example') => {
      const answer = await call('/apiKeyLogin', { method: 'POST', body: { platform, apiKey, hostname: 'undefined', additionalInfo: { apiKey } } })
      if (answer.status !== 200) throw new Error(`Signing in failed: ${answer.text}`)
      return answer.json.jwtToken
    },
    connectUser: async (platform = 'example', apiKey = 'example-key-ann') => {
      const crmUserId = apiKey === 'example-key-bob' ? '2' : '1'
      const user = await app.repositories.users.save({ platform, crmUserId, name: crmUserId, hostname: '', timeZone: 'UTC', extensionHash: '', credentials: { accessToken: apiKey }, info: { plan: 'free' } })
      return app.signSession({ userId: user.id, platform, signIn: user.sessionId })
    },
    signInByOAuth: async (userId = 1, platform = 'example') => {
      const begun = await fetch(`${url}/oauth-authorize?platform=${platform}`, { redirect: 'manual' })
      const back = await decide(begun.headers.get('location') ?? '', { user: userId })
      const answer = await ask('', back)
      if (answer.json?.jwtToken === undefined) throw new Error(`Signing in failed: ${answer.text}`)
      return answer.json.jwtToken
    },
    crmRequests: async () => {
      const { json } = await ask(crm.listeningOrigin, '/_requests')
      await ask(crm.listeningOrigin, '/_requests', { method: 'DELETE' })
      return json.items.map(({ method, path }: { method: string, path: string }) => `${method} ${path}`)
    }
  }
}

/** Decides at a consent page of the Example CRM. @returns the address to which the person is sent back */
export async function decide (consentPage: string, { user = 1, decision = 'allow' }: { user?: number, decision?: 'allow' | 'deny' } = {}): Promise<string> {
  const page = await (await fetch(consentPage)).text()
  const hidden = [...page.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)">/g)]
    .map(([, name = '', value = '']): [string, string] => [name, unescaped(value)])
  const answer = await fetch(new URL('/oauth/authorize', consentPage), {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams([...hidden, ['user', String(user)], ['decision', decision]])
  })
  return answer.headers.get('location') ?? ''
}

const unescaped = (html: string): string => html.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))

/** RingCentral's published example of a call-log record. */
export const callRecord = () => ({
  id: 'X2AvJPtwNQbNQA',
  sessionId: '4503991004',
  telephonySessionId: 's-9a03590172ea4d39a7cf7d5b6dba6a3b',
  startTime: '2018-09-11T13:24:09.000Z',
  duration: 7,
  type: 'Voice',
  direction: 'Inbound' as const,
  action: 'Phone Call',
  result: 'Accepted',
  to: { phoneNumber: '+18662019834', name: 'Jane Smith' },
  from: { phoneNumber: '+16504445566', name: 'John Smith', location: 'Palo Alto, CA' }
})

/** A fresh id for something that must not collide with what other tests made. */
export const uniqueId = (): string => randomBytes(6).toString('hex')
