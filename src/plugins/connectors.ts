/**
 * The connectors: loaded from src/connectors and from CONNECTORS_DIR, checked against their contract, registered at
 * /connectors/<platform>. One that fails its contract stops the start, and the message names file, field and reason.
 */
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import fp from 'fastify-plugin'
import { createJiti } from 'jiti'
import { authKinds, authMembers, formOf, type Auth, type OAuthAuth } from '../contract/auth.ts'
import { PatchbayError } from '../contract/errors.ts'
import { PlatformManifest } from '../contract/manifest.ts'
import { operationNames, requiredOperations, type OperationName } from '../contract/operations.ts'
import { rootRouteMembers } from '../contract/root-route.ts'
import { submissionOf, type Page } from '../contract/submission.ts'
import { PlainInfo, type Connector, type ConnectorInfo, type ConnectorPlugin } from '../contract/connector.ts'
import { Type, TypeCompiler, type TSchema, type TypeCheck } from '../contract/type.ts'
import { permittedBase, permittedUrl } from '../crm/hosts.ts'
import { guardedConnector } from './guarded-connector.ts'
import { problemInBody, problemOf } from './schema-check.ts'
import * as patchbay from '../patchbay.ts'

export interface LoadedConnector extends Connector {
  readonly manifest: PlatformManifest
}

export interface ConnectorRegistry {
  /** @throws {PatchbayError} `unknown-platform` */
  get: (platform: string) => LoadedConnector
  has: (platform: string) => boolean
  all: () => readonly LoadedConnector[]
}

declare module 'fastify' {
  interface FastifyInstance {
    connectors: ConnectorRegistry
  }
}

export interface ConnectorsOptions {
  /** Built-in connectors to leave out. */
  without?: readonly string[]
  connectorsDir?: string | undefined
  manifestsDir?: string | undefined
}

/** A connector that cannot be used. */
export class ConnectorError extends Error {
  override readonly name = 'ConnectorError'
  constructor (file: string, field: string, reason: string) {
    super(`${file}: ${field} ${reason}`)
  }
}

const builtIn = fileURLToPath(new URL('../connectors', import.meta.url))
const builtInManifests = fileURLToPath(new URL('../../manifests', import.meta.url))
const manifest = TypeCompiler.Compile(PlatformManifest)
const plainInfo = TypeCompiler.Compile(PlainInfo)
const byName = (kinds: Readonly<Record<string, Record<string, TSchema>>>): ReadonlyMap<string, TypeCheck<TSchema>> =>
  new Map(Object.entries(kinds).map(([name, members]) => [name, TypeCompiler.Compile(Type.Object(members))]))
const auths = byName(authMembers)
const rootRouteKinds = byName(rootRouteMembers)

export default fp<ConnectorsOptions>(async (fastify, { without = [], connectorsDir, manifestsDir }) => {
  const files = [
    ...(await modules(builtIn)).filter(file => !without.includes(moduleName(file))),
    ...(connectorsDir === undefined ? [] : await modules(resolve(connectorsDir)))
  ]
  const load = loader(connectorsDir)
  const loaded = new Map<string, LoadedConnector & { file: string }>()
  for (const file of files) {
    const plugin = await checkPlugin(file, await load(file))
    const { info } = plugin.connector
    const first = loaded.get(info.platform)
    if (first !== undefined) throw new ConnectorError(file, 'platform', `"${info.platform}" is taken by ${first.file}`)
    loaded.set(info.platform, { ...guardedConnector(plugin.connector), file, manifest: await manifestOf(file, plugin.connector, manifestsDir) })
    try {
      await fastify.register(plugin, { prefix: `/connectors/${info.platform}` })
    } catch (error) {
      throw new ConnectorError(file, 'routes', `cannot be registered: ${messageOf(error)}`)
    }
  }

  fastify.decorate('connectors', {
    get: platform => {
      const connector = loaded.get(platform)
      if (connector === undefined) throw new PatchbayError('unknown-platform')
      return connector
    },
    has: platform => loaded.has(platform),
    all: () => [...loaded.values()]
  })
}, { name: 'connectors' })

/** What Node.js and jiti load; tests, settings of tools and declarations of types have their place beside it. */
const isModule = (name: string): boolean => /\.[cm]?[jt]s$/.test(name) && !/\.(d|test|config)\.[^.]+$/.test(name)

/** Connector modules of a folder: `<name>.ts`, or `<name>/index.ts`; the same with the other extensions. */
async function modules (folder: string): Promise<string[]> {
  // Kubernetes mounts files as links into a folder `..data`.
  const names = (await readdir(folder)).filter(name => !name.startsWith('.'))
  const found = await Promise.all(names.map(async name => await moduleAt(join(folder, name))))
  return found.filter(path => path !== undefined).sort()
}

/** @returns undefined for what is no connector */
async function moduleAt (path: string): Promise<string | undefined> {
  try {
    if (!(await stat(path)).isDirectory()) return isModule(path) ? path : undefined
    const index = (await readdir(path)).find(name => /^index\.[^.]+$/.test(name) && isModule(name))
    return index === undefined ? undefined : join(path, index)
  } catch (error) {
    const leadsNowhere = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new ConnectorError(path, 'module', leadsNowhere ? 'is a link that leads nowhere' : `cannot be read: ${messageOf(error)}`)
  }
}

const moduleName = (file: string): string => basename(file, extname(file)) === 'index' ? basename(dirname(file)) : basename(file, extname(file))

/** Our own modules are imported as they are; those of the operator, in TypeScript or not, find us by the name `patchbay`. */
function loader (connectorsDir: string | undefined): (file: string) => Promise<unknown> {
  const jiti = createJiti(import.meta.url, { virtualModules: { patchbay }, fsCache: false })
  const ofOperator = connectorsDir === undefined ? undefined : resolve(connectorsDir)
  return async file => {
    try {
      // A link's own place does not have what the module imports by a relative path.
      if (ofOperator !== undefined && file.startsWith(ofOperator)) return await jiti.import(await realpath(file), { default: true })
      return (await import(pathToFileURL(file).href) as { default?: unknown }).default
    } catch (error) {
      throw new ConnectorError(file, 'module', `cannot be loaded: ${messageOf(error)}`)
    }
  }
}

const messageOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

async function checkPlugin (file: string, plugin: unknown): Promise<ConnectorPlugin> {
  if (typeof plugin !== 'function' || !('connector' in plugin)) throw new ConnectorError(file, 'default export', 'must be what connector(info, operations) gives')
  const { connector } = plugin as ConnectorPlugin
  const { info } = connector
  const refuse: Refuse = (field, reason) => { throw new ConnectorError(file, field, reason) }

  checkMembers(plainInfo, info, '', refuse)
  if (!/^[a-z][a-zA-Z0-9]*$/.test(info.platform)) refuse('platform', `"${info.platform}" must be a lower-case letter, then letters and digits`)
  for (const host of info.hosts) {
    if (!/^(\*\.)?([a-z0-9-]+\.)*[a-z0-9-]+$/.test(host)) refuse('hosts', `"${host}" must be a host name, or *. and a host name`)
  }
  checkBaseUrl(info, refuse)
  checkSettings(info, refuse)
  checkAccountData(info, refuse)
  await checkSubmissions(info, refuse)
  await checkRootRoutes(info, refuse)
  checkAuth(info, refuse)
  checkOperations(connector, refuse)
  return plugin as ConnectorPlugin
}

type Refuse = (field: string, reason: string) => never

function checkMembers (check: TypeCheck<TSchema>, value: unknown, at: string, refuse: Refuse): void {
  const wrong = check.Errors(value).First()
  if (wrong !== undefined) refuse([at, ...wrong.path.split('/')].filter(part => part !== '').join('.'), `is not valid: ${wrong.message}`)
}

function checkSettings ({ settings = [] }: ConnectorInfo, refuse: Refuse): void {
  for (const { id, schema } of settings) {
    const problem = problemOf(schema)
    if (problem !== undefined) refuse('settings', `"${id}" has a schema that cannot be used: ${problem}`)
  }
}

function checkAccountData ({ accountData = [] }: ConnectorInfo, refuse: Refuse): void {
  for (const [index, { key, schema }] of accountData.entries()) {
    if (!/^[a-zA-Z0-9]+$/.test(key)) refuse('accountData', `"${key}" must be letters and digits`)
    if (accountData.findIndex(one => one.key === key) < index) refuse('accountData', `has "${key}" twice`)
    const problem = problemOf(schema)
    if (problem !== undefined) refuse('accountData', `"${key}" has a schema that cannot be used: ${problem}`)
  }
}

async function checkSubmissions ({ additionalSubmission, submissionOfPage }: ConnectorInfo, refuse: Refuse): Promise<void> {
  const ofPages = Object.entries(submissionOfPage ?? {}).map(([name, schema]) => [`submissionOfPage.${name}`, schema] as const)
  for (const [name, schema] of [['additionalSubmission', additionalSubmission] as const, ...ofPages]) {
    if (schema?.['type'] !== 'object') refuse(name, 'must be a Type.Object of additional fields, empty where there are none')
    await checkBody(name, schema, refuse)
  }
}

async function checkRootRoutes ({ platform, rootRoutes = [] }: ConnectorInfo, refuse: Refuse): Promise<void> {
  for (const [index, route] of rootRoutes.entries()) {
    const at = `rootRoutes.${index}`
    const check = rootRouteKinds.get(Object(route).kind)
    if (check === undefined) return refuse(at, 'must be what page() or removalNotice() gives')
    checkMembers(check, route, at, refuse)
    if (!new RegExp(`^/${platform}(?![a-zA-Z0-9])[a-zA-Z0-9/-]*$`).test(route.url)) refuse('rootRoutes', `"${route.url}" must begin with /${platform}`)
    if (route.kind === 'removal-notice') await checkBody(`${at}.body`, route.body, refuse)
  }
}

async function checkBody (name: string, schema: TSchema, refuse: Refuse): Promise<void> {
  const problem = await problemInBody(schema, name)
  if (problem !== undefined) refuse(problem.at, `cannot be used: ${problem.why}`)
}

/** People who sign in would be told to check the address, which is none of theirs. */
function checkBaseUrl (info: ConnectorInfo, refuse: Refuse): void {
  const { baseUrl, hosts } = info
  if (typeof baseUrl === 'function') return
  const address = typeof baseUrl === 'string' ? asPublic(baseUrl) : ''
  if (permittedBase(address, { info, configuredByOperator: false }) !== undefined) return
  refuse('baseUrl', `must be an https address on one of its hosts (${hosts.join(', ')}) without port, query and user, or a function that gives one`)
}

/** The same for tokens, as far as it is known before somebody signs in. People open the consent page themselves: it may be anywhere. */
function checkTokenAddresses (info: ConnectorInfo, auth: OAuthAuth, at: string, refuse: Refuse): void {
  const { server = info.baseUrl } = auth
  for (const member of ['tokenUrl', 'revokeUrl'] as const) {
    const address = auth[member]
    if (address === undefined || (typeof server === 'function' && !URL.canParse(address))) continue
    const base = typeof server === 'function' ? undefined : server
    const url = URL.canParse(address, base) ? new URL(address, base).href : ''
    if (permittedUrl(asPublic(url), { info, configuredByOperator: false }, []) !== undefined) continue
    refuse(`${at}.${member}`, `must lead to an https address on one of its hosts (${info.hosts.join(', ')}) without port and user`)
  }
}

/** This machine is reached at the operator's address only, which goes before what a connector declares. */
const asPublic = (address: string): string => address.replace(/^http:\/\/127\.0\.0\.1(:\d+)?(?=\/|$)/, 'https://127.0.0.1')

function checkAuth (info: ConnectorInfo, refuse: Refuse): void {
  const { auth } = info
  const kinds: readonly unknown[] = Array.isArray(auth) ? auth : [auth]
  for (const [index, kind] of kinds.entries()) {
    const at = Array.isArray(auth) ? `auth.${index}` : 'auth'
    const check = auths.get(Object(kind).type)
    if (check === undefined) return refuse(at, 'must be what apiKey(), oauth() or ownTokens() gives')
    checkMembers(check, kind, at, refuse)
    if ((kind as Auth).type === 'oauth') checkTokenAddresses(info, kind as OAuthAuth, at, refuse)
  }
  const types = authKinds(info).map(({ type }) => type)
  if (types.length === 0 || new Set(types).size < types.length) refuse('auth', 'must be one kind, or several different ones')
}

function checkOperations ({ info, operations }: Connector, refuse: Refuse): void {
  if (typeof operations !== 'object' || operations === null) refuse('operations', 'must be an object')
  for (const name of membersOf(operations)) {
    if (!(operationNames as readonly string[]).includes(name)) refuse(`operations.${name}`, `is no operation; those are ${operationNames.join(', ')}`)
    if (typeof operations[name as OperationName] !== 'function') refuse(`operations.${name}`, 'must be a function')
  }
  for (const name of requiredOperations) if (operations[name] === undefined) refuse(`operations.${name}`, 'is required')
  if (info.dedupe !== 'none' && operations.findCallLog === undefined) refuse('operations.findCallLog', `is required with dedupe: '${info.dedupe}'`)
  if (info.dedupe !== 'none' && operations.createMessageLog !== undefined && operations.findMessageLog === undefined) {
    refuse('operations.findMessageLog', `is required with createMessageLog and dedupe: '${info.dedupe}'`)
  }
  if (info.logFormat !== 'none' && operations.getCallLog === undefined) refuse('operations.getCallLog', `is required with logFormat: '${info.logFormat}'`)
  if (operations.updateMessageLog !== undefined && operations.getMessageLog === undefined) refuse('operations.getMessageLog', 'is required with updateMessageLog')
}

/** The names of what an object has, the methods of its class among them. */
function membersOf (object: object): string[] {
  const parent: object | null = Object.getPrototypeOf(object)
  const inherited = parent === null || parent === Object.prototype ? [] : membersOf(parent).filter(name => name !== 'constructor')
  return [...Object.getOwnPropertyNames(object), ...inherited]
}

/** What the additional fields of a page are for. */
const operationOf = { callLog: 'createCallLog', messageLog: 'createMessageLog', newContact: 'createContact' } as const satisfies Record<Page, OperationName>

async function manifestOf (file: string, { info, operations }: Connector, manifestsDir: string | undefined): Promise<PlatformManifest> {
  const found = info.manifest === undefined ? await readManifest(file, info.platform, manifestsDir) : { source: file, content: info.manifest, at: 'manifest' }
  const { source, content, at } = found
  const problem = manifest.Errors(content).First()
  if (problem !== undefined || !manifest.Check(content)) {
    throw new ConnectorError(source, `${at}${(problem?.path ?? '').replaceAll('/', '.')}`, `does not match the schema of manifests: ${problem?.message ?? ''}`)
  }
  if (content.name !== info.platform) throw new ConnectorError(source, `${at}.name`, `is "${content.name}", but the connector is "${info.platform}"`)
  const [kind] = authKinds(info)
  const shown = kind && formOf(kind)
  if (content.auth.type !== shown) throw new ConnectorError(source, `${at}.auth.type`, `is "${content.auth.type}", but the connector says "${shown ?? ''}"`)
  if (kind?.type === 'own' && shown === 'oauth' && content.auth.oauth?.authUrl === undefined) throw new ConnectorError(source, `${at}.auth.oauth.authUrl`, 'is required with ownTokens')
  const types = content.contactTypes?.map(({ value }) => value)
  if (types?.toString() !== info.contactTypes?.toString()) throw new ConnectorError(source, `${at}.contactTypes`, `are ${types?.join(', ') ?? 'none'}, but the connector says ${info.contactTypes?.join(', ') ?? 'none'}`)
  for (const page of ['callLog', 'messageLog', 'newContact'] as const satisfies readonly Page[]) {
    const { properties: known, required = [] } = submissionOf(info, page)
    const fields = content.page?.[page]?.additionalFields ?? []
    const stranger = fields.find(field => !(field.const in known))
    if (stranger !== undefined) throw new ConnectorError(source, `${at}.page.${page}.additionalFields`, `has "${stranger.const}", which additionalSubmission of the connector does not know`)
    const lacking = operations[operationOf[page]] === undefined ? undefined : required.find(name => !fields.some(field => field.const === name))
    if (lacking !== undefined) throw new ConnectorError(source, `${at}.page.${page}.additionalFields`, `lacks "${lacking}", which additionalSubmission of the connector requires`)
  }
  const shownSettings = content.settings?.flatMap(({ id, items = [] }) => [id, ...items.map(item => item.id)]) ?? []
  for (const { id } of info.settings ?? []) {
    if (!shownSettings.includes(id)) throw new ConnectorError(source, `${at}.settings`, `has no "${id}", which the connector reads`)
  }
  return content
}

async function readManifest (file: string, platform: string, manifestsDir: string | undefined): Promise<{ source: string, content: unknown, at: string }> {
  for (const folder of [...(manifestsDir === undefined ? [] : [resolve(manifestsDir)]), builtInManifests]) {
    const source = join(folder, `${platform}.json`)
    try {
      return { source, content: JSON.parse(await readFile(source, 'utf8')), at: 'manifest' }
    } catch (error) {
      if (error instanceof SyntaxError) throw new ConnectorError(source, 'manifest', `is not JSON: ${error.message}`)
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new ConnectorError(file, 'manifest', `is missing: neither in the connector nor as ${platform}.json in the folders of manifests`)
}
