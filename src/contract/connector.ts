/**
 * connector(info, operations): makes the Fastify plugin that a CRM is. The plugin registers the contract's routes, typed with the
 * connector's own additional fields, and whatever routes the connector adds.
 */
import type { FastifyPluginAsync } from 'fastify'
import type { AccountDataProvider } from './account-data.ts'
import type { Auth } from './auth.ts'
import type { PlatformManifest } from './manifest.ts'
import type { Operations } from './operations.ts'
import type { RootRoute } from './root-route.ts'
import type { Setting } from './settings.ts'
import { Code, OneOf, Type, type Static, type TObject } from './type.ts'

export type LogFormat = 'text/plain' | 'text/html' | 'text/markdown'

/** How much a CRM may be asked. */
export interface RateLimit {
  /** So many requests in so many milliseconds. */
  readonly requests: number
  readonly perMilliseconds: number
  /** Who shares them: everybody of a CRM account, or nobody, as each user's token has its own. */
  readonly scope: 'user' | 'account'
  /**
   * What the headers of an answer (names in lower case) say about what is left of them, in requests and seconds. `RateLimit-*` and
   * `X-RateLimit-*` are read when absent.
   */
  readonly read?: (headers: Readonly<Record<string, string>>) => { readonly limit?: number, readonly remaining?: number, readonly resetSeconds?: number }
}

export interface ConnectorInfo<Submission extends TObject = TObject, MessageSubmission extends TObject = Submission, ContactSubmission extends TObject = Submission> {
  /** The name of the connector: lower-case letter first, then letters and digits. It never changes, it is part of user ids. */
  readonly platform: string
  /** What people call the CRM. */
  readonly title: string
  /** The only hosts its requests may go to: `api.example.com`, or `*.example.com` for one more label in front. */
  readonly hosts: readonly string[]
  /** Where the API is. The operator's `<PLATFORM>_URL` goes before it. */
  readonly baseUrl: string | ((user: { hostname: string, info: Readonly<Record<string, unknown>> }) => string)
  /** How people connect; of several ways, the first one is what the extension shows. */
  readonly auth: Auth | readonly Auth[]
  /** The format of the composed text; `none` when the connector lays out the parts itself. */
  readonly logFormat: LogFormat | 'none'
  /** Characters that the CRM takes in the text of a log. */
  readonly maxBodyLength?: number
  /**
   * How a lost answer is found again: the CRM keeps our external id (`native`), our record is looked for (`search`), or not at all
   * (`none`). The first two need `findCallLog`, and `findMessageLog` where messages are logged.
   */
  readonly dedupe: 'native' | 'search' | 'none'
  /** Milliseconds until a record that was just written can be found (`search`). Before that, not finding it proves nothing. */
  readonly findDelay?: number
  /** Whether calls between extensions can be matched and logged. */
  readonly internalCalls?: boolean
  /** Kinds of contacts that can be created, the default one first. */
  readonly contactTypes?: readonly string[]
  /** The additional fields of the manifest's pages, with their types. */
  readonly additionalSubmission: Submission
  /** Those of pages that have others than the page of a call. */
  readonly submissionOfPage?: { readonly messageLog?: MessageSubmission, readonly newContact?: ContactSubmission }
  /** The settings of the manifest that it reads. */
  readonly settings?: readonly Setting[]
  /** Lists that its CRM keeps for everybody, which operations get by `context.accountData` and clients by their key. */
  readonly accountData?: readonly AccountDataProvider[]
  /** What the extension shows; in place of `manifests/<platform>.json`. */
  readonly manifest?: PlatformManifest
  /** The CRM's own reason and the field it names, out of the JSON body of a refusal. Shown to the person, never logged. */
  readonly readError?: (answer: unknown) => { readonly message?: string, readonly field?: string }
  /** Requests beyond it are held back, so that the CRM has nothing to refuse. */
  readonly rateLimit?: RateLimit
  /** Routes of its own, below `/connectors/<platform>`. */
  readonly routes?: FastifyPluginAsync
  /** What its CRM or the extension expects at the root of the server. */
  readonly rootRoutes?: readonly RootRoute[]
}

const Count = Type.Integer({ minimum: 1 })

const Anything = Type.Unknown()

/** What members of {@link ConnectorInfo} look like, for the check at the start. It looks closer at addresses, ways to sign in, schemas and routes. */
export const PlainInfo = Type.Object({
  platform: Type.String(),
  title: Type.String({ minLength: 1 }),
  hosts: Type.Array(Type.String()),
  logFormat: OneOf(['text/plain', 'text/html', 'text/markdown', 'none']),
  maxBodyLength: Type.Optional(Count),
  dedupe: OneOf(['native', 'search', 'none']),
  findDelay: Type.Optional(Type.Number({ minimum: 0 })),
  internalCalls: Type.Optional(Type.Boolean()),
  contactTypes: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
  rateLimit: Type.Optional(Type.Object({ requests: Count, perMilliseconds: Count, scope: OneOf(['user', 'account']), read: Type.Optional(Code) })),
  submissionOfPage: Type.Optional(Type.Object({ messageLog: Type.Optional(Anything), newContact: Type.Optional(Anything) }, { additionalProperties: false })),
  settings: Type.Optional(Type.Array(Type.Object({ id: Type.String({ minLength: 1 }), schema: Anything, scope: OneOf(['account', 'user']) }))),
  accountData: Type.Optional(Type.Array(Type.Object({ key: Type.String(), schema: Anything, ttl: Type.Number({ minimum: 0 }), fetch: Code }))),
  readError: Type.Optional(Code),
  routes: Type.Optional(Code),
  rootRoutes: Type.Optional(Type.Array(Anything))
})

/** A connector as the platform sees it, whatever its additional fields are. */
export interface Connector {
  readonly info: ConnectorInfo
  readonly operations: Operations
}

/** The Fastify plugin, which says what it is. */
export type ConnectorPlugin = FastifyPluginAsync & { readonly connector: Connector }

declare module 'fastify' {
  interface FastifyInstance {
    /** Registers the contract's routes for one connector; made by plugins/connectors.ts. */
    operationRoutes: FastifyPluginAsync<{ connector: Connector }>
  }
}

export function connector<Submission extends TObject, MessageSubmission extends TObject = Submission, ContactSubmission extends TObject = Submission> (
  info: ConnectorInfo<Submission, MessageSubmission, ContactSubmission>,
  operations: Operations<Static<Submission>, Static<MessageSubmission>, Static<ContactSubmission>>
): ConnectorPlugin {
  // What a client submits was checked against the connector's own schema before an operation sees it.
  const self: Connector = { info, operations: operations as Operations }
  const plugin: FastifyPluginAsync = async fastify => {
    await fastify.register(fastify.operationRoutes, { connector: self })
    if (info.routes !== undefined) await fastify.register(info.routes)
  }
  return Object.assign(plugin, { connector: self })
}
