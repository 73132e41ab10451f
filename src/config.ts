/** Environment -> one typed object. Nothing else reads process.env. */
import { statSync } from 'node:fs'
import { envSchema } from 'env-schema'
import ipaddr from 'ipaddr.js'
import { Type, type Static } from './contract/type.ts'

const Environment = Type.Object({
  HOST: Type.String({ default: '127.0.0.1', minLength: 1 }),
  PORT: Type.Integer({ default: 6066, minimum: 0, maximum: 65535 }),
  PUBLIC_URL: Type.Optional(Type.String()),
  DATABASE_URL: Type.String({ default: 'file:./data/patchbay.db' }),
  SESSION_SECRET: Type.Optional(Type.String()),
  ENCRYPTION_KEYS: Type.Optional(Type.String()),
  HASH_KEY: Type.Optional(Type.String()),
  EXAMPLE_CRM: Type.String({ default: 'on', enum: ['on', 'off'] }),
  EXAMPLE_CRM_PORT: Type.Integer({ default: 6067, minimum: 0, maximum: 65535 }),
  CONNECTORS_DIR: Type.Optional(Type.String({ minLength: 1 })),
  MANIFESTS_DIR: Type.Optional(Type.String({ minLength: 1 })),
  ALLOW_PRIVATE_NETWORKS: Type.String({ default: '' }),
  TRUST_PROXY: Type.Optional(Type.String()),
  LOG_LEVEL: Type.String({ default: 'info', enum: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] })
})

/**
 * What the operator says about one connector: `<PLATFORM>_URL`, `_CLIENT_ID`, `_CLIENT_SECRET`, `_REDIRECT_URI`, `_TOKEN_URL`. With a
 * region those of `<PLATFORM>_<REGION>_...`, and where one is not set the one without the region.
 */
export interface ConnectorConfig {
  url?: string
  clientId?: string
  clientSecret?: string
  redirectUri?: string
  tokenUrl?: string
}

/** The proxies for outgoing requests, as `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (or the same in lower case) say. */
export interface ProxyConfig {
  httpProxy?: string
  httpsProxy?: string
  noProxy?: string
}

export interface Config {
  host: string
  port: number
  /** How the outside reaches the server, without a slash at the end; where it listens when absent. */
  publicUrl?: string
  databaseUrl: string
  sessionSecret?: string
  encryptionKeys?: string
  hashKey?: string
  /** The port of the Example CRM; absent when it is off. */
  exampleCrmPort?: number
  connectorsDir?: string
  manifestsDir?: string
  /** CIDRs that CRM requests may go to although private. */
  allowPrivateNetworks: string[]
  proxies: ProxyConfig
  /** Addresses of the proxies in front of the server, which say who calls; absent when there is none. */
  trustProxy?: string[]
  logLevel: Static<typeof Environment>['LOG_LEVEL']
  /** The operator's settings of a connector, by platform. */
  connector: (platform: string, region?: string) => ConnectorConfig
}

/** A wrong or missing environment variable. The message names it and says what is wrong. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  constructor (variable: string, problem: string) {
    super(`${variable} ${problem}`)
  }
}

/**
 * @throws {ConfigError} naming the variable and what is wrong with it
 */
export function readConfig (environment: NodeJS.ProcessEnv = process.env): Config {
  const env = parse(environment)
  return {
    host: env.HOST,
    port: env.PORT,
    ...(env.PUBLIC_URL !== undefined && { publicUrl: baseUrl('PUBLIC_URL', env.PUBLIC_URL) }),
    databaseUrl: databaseUrl(env.DATABASE_URL),
    ...(env.SESSION_SECRET !== undefined && { sessionSecret: env.SESSION_SECRET }),
    ...(env.ENCRYPTION_KEYS !== undefined && { encryptionKeys: env.ENCRYPTION_KEYS }),
    ...(env.HASH_KEY !== undefined && { hashKey: env.HASH_KEY }),
    ...(env.EXAMPLE_CRM === 'on' && { exampleCrmPort: env.EXAMPLE_CRM_PORT }),
    ...(env.CONNECTORS_DIR !== undefined && { connectorsDir: directory('CONNECTORS_DIR', env.CONNECTORS_DIR) }),
    ...(env.MANIFESTS_DIR !== undefined && { manifestsDir: directory('MANIFESTS_DIR', env.MANIFESTS_DIR) }),
    allowPrivateNetworks: networks(env.ALLOW_PRIVATE_NETWORKS),
    ...(env.TRUST_PROXY !== undefined && { trustProxy: proxyAddresses(env.TRUST_PROXY) }),
    proxies: proxies(environment),
    logLevel: env.LOG_LEVEL,
    connector: connectorConfigs(environment)
  }
}

function parse (environment: NodeJS.ProcessEnv): Static<typeof Environment> {
  // As a number they would be 0, which is any port.
  const blank = Object.keys(Environment.properties).find(variable => /^\s+$/.test(environment[variable] ?? ''))
  if (blank !== undefined) throw new ConfigError(blank, 'must not be blanks only')
  // An empty variable is one that is not set: that is how compose files and shells leave them out.
  const data = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''))
  try {
    return envSchema<Static<typeof Environment>>({ schema: structuredClone(Environment), data, env: false })
  } catch (error) {
    const [first] = (error as { errors?: Array<{ instancePath: string, message?: string, params: { allowedValues?: string[] } }> }).errors ?? []
    if (first === undefined) throw error
    const allowed = first.params.allowedValues === undefined ? '' : `: ${first.params.allowedValues.join(', ')}`
    throw new ConfigError(first.instancePath.slice(1), `${first.message ?? 'is not valid'}${allowed}`)
  }
}

/** An address to which paths are added: as everybody reads it, without a slash at the end. */
function baseUrl (variable: string, value: string): string {
  const { origin, pathname, search } = httpUrl(variable, value)
  if (search !== '') throw new ConfigError(variable, 'must be an address without a query')
  return `${origin}${pathname}`.replace(/\/+$/, '')
}

/** An address that CRMs know and compare as a text, so it stays as it is written. */
function exactUrl (variable: string, value: string): string {
  httpUrl(variable, value)
  return value.trim()
}

function httpUrl (variable: string, value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new ConfigError(variable, `must be an http or https address, not "${value}"`)
  if (url.username !== '' || url.password !== '' || url.hash !== '') throw new ConfigError(variable, 'must be an address without credentials and fragment')
  return url
}

function databaseUrl (value: string): string {
  if (!/^(file:.|postgres(ql)?:\/\/.)/.test(value)) throw new ConfigError('DATABASE_URL', 'must begin with file: (a SQLite file) or postgres://')
  return value
}

function directory (variable: string, value: string): string {
  if (!isFolder(value)) throw new ConfigError(variable, `must be a folder; there is none at "${value}"`)
  return value
}

function isFolder (path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false // Its caller says so.
  }
}

const listed = (value: string): string[] => value.split(',').map(entry => entry.trim()).filter(entry => entry !== '')

/** An old way of writing leaves octets out, but not those that people mean: 10/8 is 0.0.0.10/8 in it. */
const isAddress = (text: string): boolean => ipaddr.IPv6.isValid(text) || ipaddr.IPv4.isValidFourPartDecimal(text)
const isNetwork = (text: string): boolean => ipaddr.IPv6.isValidCIDR(text) || ipaddr.IPv4.isValidCIDRFourPartDecimal(text)

/** Whoever may be anywhere could say of themselves that they are somebody else. */
function proxyAddresses (value: string): string[] {
  const addresses = listed(value)
  for (const address of addresses) {
    if (!isAddress(address) && !isNetwork(address)) throw new ConfigError('TRUST_PROXY', `must be addresses or CIDRs joined by commas; "${address}" is none (10.0.0.5 and 10.0.0.0/8 are)`)
  }
  return addresses
}

function networks (value: string): string[] {
  const ranges = listed(value)
  for (const range of ranges) {
    if (!isNetwork(range)) throw new ConfigError('ALLOW_PRIVATE_NETWORKS', `must be CIDRs joined by commas; "${range}" is none (10.0.0.0/8 is one)`)
  }
  return ranges
}

function proxies (environment: NodeJS.ProcessEnv): ProxyConfig {
  const named = (variable: string): string | undefined => environment[variable.toLowerCase()] || environment[variable] || undefined
  const settings = { httpProxy: proxyUrl('HTTP_PROXY', named('HTTP_PROXY')), httpsProxy: proxyUrl('HTTPS_PROXY', named('HTTPS_PROXY')), noProxy: named('NO_PROXY') }
  return Object.fromEntries(Object.entries(settings).filter(([, setting]) => setting !== undefined))
}

/** The value may hold a password, so no message repeats it. */
function proxyUrl (variable: string, value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const address = value.includes('://') ? value : `http://${value}`
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) throw new ConfigError(variable, 'must be an http or https address')
  const { username, password } = new URL(address)
  if (![username, password].every(isEncoded)) throw new ConfigError(variable, 'must have user and password encoded: a % is written as %25')
  return address
}

function isEncoded (text: string): boolean {
  try {
    decodeURIComponent(text)
    return true
  } catch {
    return false // Its caller says so.
  }
}

/** With what the variables of a connector begin: `GOOGLE_SHEETS` for `googleSheets`. */
export const variablePrefix = (platform: string): string => platform.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()

/** With the first setting of a connector all of them are read, so that a wrong one of any region stops the start. */
function connectorConfigs (environment: NodeJS.ProcessEnv): Config['connector'] {
  const known = new Map<string, ReadonlyMap<string, ConnectorConfig>>()
  return (platform, region = '') => {
    const prefix = variablePrefix(platform)
    const byRegion = known.get(prefix) ?? configsByRegion(prefix, environment)
    known.set(prefix, byRegion)
    return byRegion.get(region.toUpperCase()) ?? byRegion.get('') ?? {}
  }
}

/** By the region's name in capitals, empty for the main one. */
function configsByRegion (prefix: string, environment: NodeJS.ProcessEnv): Map<string, ConnectorConfig> {
  // `ACME_TOKEN_URL` is a setting, not the `URL` of a region `TOKEN`.
  const setting = new RegExp(`^${prefix}_(?:(.+?)_)??(?:URL|CLIENT_ID|CLIENT_SECRET|REDIRECT_URI|TOKEN_URL)$`)
  const regions = Object.keys(environment).flatMap(variable => setting.exec(variable)?.[1] ?? [])
  const main = connectorConfig(prefix, environment)
  return new Map([['', main], ...regions.map((region): [string, ConnectorConfig] => [region, { ...main, ...connectorConfig(`${prefix}_${region}`, environment) }])])
}

function connectorConfig (prefix: string, environment: NodeJS.ProcessEnv): ConnectorConfig {
  const value = (name: string): string | undefined => environment[`${prefix}_${name}`] || undefined
  const url = (name: string, read: typeof baseUrl): string | undefined => {
    const address = value(name)
    return address === undefined ? undefined : read(`${prefix}_${name}`, address)
  }
  const settings = {
    url: url('URL', baseUrl),
    clientId: value('CLIENT_ID'),
    clientSecret: value('CLIENT_SECRET'),
    redirectUri: url('REDIRECT_URI', exactUrl),
    tokenUrl: url('TOKEN_URL', exactUrl)
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}
