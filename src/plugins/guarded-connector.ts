/**
 * What stands between the platform and the code of a connector, which anybody may have written. What it gives is copied and checked
 * against the contract, what it gets cannot be changed by it, whatever it throws becomes a coded error that names the place, and it
 * is not waited for longer than somebody waits for us.
 */
import type { AccountDataProvider } from '../contract/account-data.ts'
import { authKinds, type Auth, type Keep, type OAuthAuth, type OwnTokensAuth } from '../contract/auth.ts'
import type { Connector, ConnectorInfo, RateLimit } from '../contract/connector.ts'
import { CrmError, ImpossibleRequest, type CrmClient, type Outcome } from '../contract/crm.ts'
import { PatchbayError, errorCodes, errorKind } from '../contract/errors.ts'
import { mended } from '../contract/mended.ts'
import { nothingToGive, operationNames, operationResults, type Context, type OperationName, type Operations, type SignInContext } from '../contract/operations.ts'
import type { RootRoute } from '../contract/root-route.ts'
import { OneOf, Type, TypeCompiler, firstProblem, type TSchema } from '../contract/type.ts'

/** The code of a connector did something that the contract does not know. Until it asked the CRM to write something, nothing is lost. */
export class ConnectorFailed extends CrmError {
  /** Connector, function and field, for the log: `tinydesk.createCallLog logId`. */
  readonly place: string

  constructor ({ platform, title }: Named, where: string, { outcome = 'not-received', problem = '', cause }: { outcome?: Outcome, problem?: string, cause?: unknown } = {}) {
    const { message, action = '' } = errorKind('connector-failed')
    super('connector-failed', { outcome, cause, message: `${message} (${title}: ${where}${problem && `, ${problem}`}) ${action}` })
    this.place = `${platform}.${where}${problem && ` ${problem}`}`
  }
}

type Named = Pick<ConnectorInfo, 'platform' | 'title'>

/** The connector as the platform uses it. Its schemas are compiled here, once. */
export function guardedConnector ({ info, operations }: Connector): Connector {
  // By their names, because the methods of a class are no entries.
  const guarded = operationNames.flatMap(name => {
    const operation = operations[name]
    return operation === undefined ? [] : [[name, guardedOperation(info, name, operation.bind(operations) as Operation)]]
  })
  return { info: guardedInfo(info), operations: Object.fromEntries(guarded) as Operations }
}

type Operation = (context: SignInContext, input?: unknown) => unknown

/** A record that one of these wrote must not be written again: it is looked for when anything went wrong after that. */
const creates: readonly OperationName[] = ['createContact', 'createCallLog', 'createMessageLog']

function guardedOperation (info: Named, name: OperationName, operation: Operation): (context: SignInContext, input?: unknown) => Promise<unknown> {
  const read = reader(operationResults[name], nothingToGive.includes(name))
  return async (context, input) => {
    const requests = watched(context.crm)
    const given = Object.freeze({ ...context, crm: requests.crm, ...frozenFacts(context) })
    try {
      return read(await unlessAborted(async () => await operation(given, frozen(input)), context.signal))
    } catch (thrown) {
      const outcome = requests.mayHaveWritten() ? 'unknown' : 'not-received'
      if (!isProper(thrown)) {
        const { problem, cause } = failureOf(thrown)
        throw new ConnectorFailed(info, name, { problem, cause, outcome })
      }
      // A connector may know better. The client knows of one request only, and our own database of none.
      const isJudged = thrown instanceof CrmError && thrown.saysOutcome && !requests.threw(thrown)
      if (isJudged || !creates.includes(name)) throw thrown
      const ofOne = thrown instanceof CrmError ? thrown.outcome : thrown.code === 'not-ready' ? undefined : 'refused'
      const ofAll = ofOne === 'refused' && outcome === 'not-received' ? ofOne : outcome
      throw ofAll === ofOne ? thrown : withOutcome(thrown, ofAll)
    }
  }
}

/** What went wrong in a guard, before it is known where and after what. */
class Failure extends Error {
  readonly problem: string

  constructor (problem: string, { cause }: { cause?: unknown } = {}) {
    super(problem, { cause })
    this.problem = problem
  }
}

/**
 * Runs the code of a connector until nobody waits any more.
 * @throws {Failure} when it has not ended by then. What it asked of the CRM ends by the same signal, so that it can still say why.
 */
async function unlessAborted<Result> (run: () => Promise<Result>, signal: AbortSignal): Promise<Result> {
  let onAbort = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => { setImmediate(() => { reject(new Failure('did not end in time', { cause: signal.reason })) }) }
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([run(), aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** @returns a function that copies and checks what a connector gave, or throws a {@link Failure} that names the field */
function reader (schema: TSchema, mayBeNothing = false): (given: unknown) => unknown {
  const check = TypeCompiler.Compile(schema)
  return given => {
    if (mayBeNothing && (given === undefined || given === null)) return undefined
    const copy = copied(given)
    const problem = check.Check(copy) ? undefined : firstProblem(check.Errors(copy))
    if (problem === undefined) return copy
    throw new Failure([problem.path.slice(1).replaceAll('/', '.'), problem.message].filter(part => part !== '').join(': '))
  }
}

/** Plain values, which are the same at every look. */
function copied (given: unknown): unknown {
  let copy: unknown
  try {
    copy = structuredClone(given)
  } catch (cause) {
    throw new Failure('gave something else than plain values', { cause })
  }
  return mended(copy) // The record that it tells of may be written by now, so nothing of it is refused for its signs.
}

/** Frozen with all that is in it. What operations get is read only by its types, too. */
export function frozen<Value> (value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const member of Object.values(value)) frozen(member)
  }
  return value
}

const frozenFacts = (context: SignInContext | Context): Partial<Context> => ({
  user: frozen(context.user),
  settings: frozen(context.settings),
  ...('accountSettings' in context && { accountSettings: frozen(context.accountSettings) })
})

interface Watched {
  readonly crm: CrmClient
  /** Whether a request that may change something succeeded, is under way, or ended so that nobody knows. */
  readonly mayHaveWritten: () => boolean
  /** Whether an error is what the client threw, so that it speaks of one request only. */
  readonly threw: (error: object) => boolean
}

/** A client that remembers what became of its requests. */
function watched (crm: CrmClient): Watched {
  const thrown = new WeakSet<object>()
  let writing = 0
  let written = false
  const watch = <Method extends keyof CrmClient>(method: Method): CrmClient[Method] => async (path, request) => {
    const writes = method !== 'get' && request.reads !== true
    if (writes) writing++
    try {
      const answer = await crm[method](path, request)
      written ||= writes
      return answer
    } catch (error) {
      if (error instanceof Error) thrown.add(error)
      // What is no CrmError ended before anything was sent.
      written ||= writes && error instanceof CrmError && error.outcome === 'unknown'
      throw error
    } finally {
      if (writes) writing--
    }
  }
  return {
    crm: Object.freeze({ get: watch('get'), post: watch('post'), put: watch('put'), patch: watch('patch'), delete: watch('delete') }),
    mayHaveWritten: () => written || writing > 0,
    threw: error => thrown.has(error)
  }
}

const ProperError = TypeCompiler.Compile(Type.Object({
  code: OneOf(Object.keys(errorCodes)),
  message: Type.String({ maxLength: 2_000 }),
  retryAfter: Type.Optional(Type.Number({ minimum: 0 })),
  field: Type.Optional(Type.String({ maxLength: 200 })),
  outcome: Type.Optional(OneOf(['refused', 'not-received', 'unknown']))
}))

/** Whether what was thrown is one of our errors, as it was made. */
function isProper (thrown: unknown): thrown is PatchbayError {
  try {
    return thrown instanceof PatchbayError && ProperError.Check(thrown)
  } catch {
    return false // It does not even let itself be looked at.
  }
}

function failureOf (thrown: unknown): Failure {
  const unnamed = new Failure('', { cause: thrown })
  try {
    if (thrown instanceof ImpossibleRequest) return new Failure(thrown.message, { cause: thrown })
    return thrown instanceof Failure ? thrown : unnamed
  } catch {
    return unnamed
  }
}

/** The same error, as it is to be taken after all that was asked of the CRM. */
function withOutcome (error: PatchbayError, outcome: Outcome): CrmError {
  const { message, field, retryAfter } = error
  const kind = error instanceof CrmError ? error.code : error.code === 'session-revoked' ? 'auth-expired' : 'unavailable'
  return new CrmError(kind, {
    message,
    outcome,
    cause: error,
    ...(field !== undefined && { field }),
    ...(retryAfter !== undefined && { retryAfter })
  })
}

// The functions of ConnectorInfo

const Text = Type.String()
const MaybeText = Type.Optional(Text)
const Credentials = Type.Object({
  accessToken: Text, refreshToken: MaybeText, expiresAt: Type.Optional(Type.Number()), baseUrl: MaybeText
})
const readKept = reader(Type.Partial(Credentials)) as (given: unknown) => Parameters<Keep>[0]
const Authorization = Type.Union([Text, Type.Record(Text, Text)])
const RateState = Type.Object({
  limit: Type.Optional(Type.Number({ minimum: 0 })), remaining: Type.Optional(Type.Number({ minimum: 0 })), resetSeconds: Type.Optional(Type.Number({ minimum: 0 }))
})
const RemovedUser = Type.Object({ crmUserId: Text, companyId: Text, at: Type.Optional(Type.Number()) })

function guardedInfo (info: ConnectorInfo): ConnectorInfo {
  const { baseUrl, rateLimit, accountData, rootRoutes } = info
  const kinds = authKinds(info).map(auth => guardedAuth(info, auth))
  return {
    ...info,
    baseUrl: typeof baseUrl === 'string' ? baseUrl : guarded(info, 'baseUrl', Text, baseUrl),
    auth: kinds,
    ...(rateLimit !== undefined && { rateLimit: guardedRateLimit(info, rateLimit) }),
    ...(accountData !== undefined && { accountData: accountData.map(provider => guardedProvider(info, provider)) }),
    ...(rootRoutes !== undefined && { rootRoutes: rootRoutes.map(route => guardedRoute(info, route)) })
  }
}

/** @throws {ConnectorFailed} whatever a function throws that is none of our errors, and when it gives something else than declared */
function guarded<Given extends unknown[], Result> (info: Named, where: string, schema: TSchema | undefined, call: (...given: Given) => Result): (...given: Given) => Result {
  const read = schema && reader(schema, schema === MaybeText)
  return (...given) => {
    try {
      const result = call(...given)
      return read === undefined ? result : read(result) as Result
    } catch (thrown) {
      throw asConnectorFailed(info, where, thrown)
    }
  }
}

function guardedAsync<Given extends unknown[], Result> (info: Named, where: string, schema: TSchema | undefined, call: (...given: Given) => Promise<Result>): (...given: Given) => Promise<Result> {
  const read = schema && reader(schema)
  return async (...given) => {
    try {
      const result = await call(...given)
      return read === undefined ? result : read(result) as Result
    } catch (thrown) {
      throw asConnectorFailed(info, where, thrown)
    }
  }
}

function asConnectorFailed (info: Named, where: string, thrown: unknown): PatchbayError {
  if (isProper(thrown)) return thrown
  const { problem, cause } = failureOf(thrown)
  return new ConnectorFailed(info, where, { problem, cause })
}

function guardedAuth (info: Named, auth: Auth): Auth {
  if (auth.type === 'oauth') return guardedOAuth(info, auth)
  if (auth.type === 'own') return guardedOwnTokens(info, auth)
  return { ...auth, authorization: guarded(info, 'auth.authorization', Authorization, auth.authorization) }
}

function guardedOAuth (info: Named, auth: OAuthAuth): OAuthAuth {
  const { server } = auth
  return {
    ...auth,
    ...(typeof server === 'function' && { server: guarded(info, 'auth.server', MaybeText, server) }),
    region: guarded(info, 'auth.region', Text, auth.region),
    normalise: guarded(info, 'auth.normalise', undefined, auth.normalise),
    baseUrl: guarded(info, 'auth.baseUrl', MaybeText, auth.baseUrl),
    authorization: guarded(info, 'auth.authorization', Authorization, auth.authorization)
  }
}

function guardedOwnTokens (info: Named, auth: OwnTokensAuth): OwnTokensAuth {
  return {
    ...auth,
    login: guardedAsync(info, 'auth.login', Credentials, auth.login),
    renew: guardedAsync(info, 'auth.renew', Credentials, async (...[door, credentials, keep]: Parameters<OwnTokensAuth['renew']>) =>
      await auth.renew(door, credentials, async known => { await keep(readKept(known)) })),
    ...(auth.revoke !== undefined && { revoke: guardedAsync(info, 'auth.revoke', undefined, auth.revoke) }),
    authorization: guarded(info, 'auth.authorization', Authorization, auth.authorization)
  }
}

/** What cannot be read out of the headers of an answer is no reason to lose the answer. */
function guardedRateLimit (info: Named, { read, ...declared }: RateLimit): RateLimit {
  if (read === undefined) return declared
  const guardedRead = guarded(info, 'rateLimit.read', RateState, read)
  return {
    ...declared,
    read: headers => {
      try {
        return guardedRead(headers)
      } catch {
        return {} // The budget that is declared holds.
      }
    }
  }
}

const guardedProvider = (info: Named, provider: AccountDataProvider): AccountDataProvider => {
  const where = `accountData.${provider.key}`
  const fetch = guardedAsync(info, where, provider.schema, async (context: Parameters<AccountDataProvider['fetch']>[0]) =>
    await unlessAborted(async () => await provider.fetch(context), context.signal))
  return { ...provider, fetch }
}

const guardedRoute = (info: Named, route: RootRoute): RootRoute =>
  route.kind === 'page' ? route : { ...route, read: guarded(info, `rootRoutes ${route.url}`, RemovedUser, route.read) }
