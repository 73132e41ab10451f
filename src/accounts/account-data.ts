/** The lists that connectors declare: remembered for everybody of a company of the CRM, asked for once however many need them at a time. */
import type { AccountDataProvider } from '../contract/account-data.ts'
import { CrmError } from '../contract/crm.ts'
import { PatchbayError, errorKind } from '../contract/errors.ts'
import { companyOf, type ConnectedUser, type Context } from '../contract/operations.ts'
import { Value, type Static, type TSchema } from '../contract/type.ts'
import type { CachedAccountData, DataOwner, JsonData, Known } from '../db/account-data.ts'
import type { Tenant } from '../db/tenant.ts'

export interface AccountData {
  /**
   * @param refresh asks the CRM although the list is remembered
   * @throws what failed, when there is no old list to give instead
   */
  get: <Schema extends TSchema>(
    tenant: Tenant, provider: AccountDataProvider<Schema>, context: Pick<Context, 'crm' | 'user' | 'signal'>, options?: { refresh: boolean }
  ) => Promise<Static<Schema>>
}

export interface AccountDataParts {
  readonly remembered: CachedAccountData
  readonly log: { readonly debug: (facts: object, message: string) => void }
}

/** How long an old list is given after the CRM failed to give a new one, in milliseconds. */
const staleLives = 60_000

export function accountData ({ remembered, log }: AccountDataParts): AccountData {
  const underway = new Map<string, { readonly fetched: Promise<unknown>, readonly userId: string, readonly signal: AbortSignal }>()

  async function fetch (owner: DataOwner, dataKey: string, provider: AccountDataProvider, context: Pick<Context, 'crm' | 'user' | 'signal'>, oldAfter: (error: unknown) => Known): Promise<unknown> {
    try {
      const fetched = await provider.fetch(context) as JsonData
      await remembered.set(owner, dataKey, fetched, provider.ttl)
      return fetched
    } catch (error) {
      // What is refused to whoever asks, or ends because they have gone, says nothing of what a colleague would be given.
      if (!mayPass(error) || context.signal.aborted) throw error
      const old = oldAfter(error)
      await remembered.expireIn(owner, dataKey, old, staleLives)
      return old.data
    }
  }

  return {
    async get (tenant, provider, context, { refresh } = { refresh: false }) {
      const owner = ownerOf(tenant, context.user)
      const dataKey = `data-${provider.key}`
      const found = await remembered.get(owner, dataKey)
      const known = found !== undefined && Value.Check(provider.schema, found.data) ? found : undefined
      if (known !== undefined && !known.expired && !refresh) return known.data

      const oldAfter = (error: unknown): Known => {
        if (!(error instanceof CrmError) || known === undefined) throw error
        log.debug({ err: error, platform: owner.platform, key: provider.key }, 'account data could not be fetched, the old is used')
        return known
      }

      const name = JSON.stringify([owner, dataKey])
      for (;;) {
        const others = underway.get(name)
        if (others === undefined) break
        try {
          return await others.fetched as never
        } catch (error) {
          // Nobody has to suffer from it that whoever began has gone, or is refused what a colleague may be given.
          const isTheirs = others.signal.aborted || (others.userId !== tenant.userId && !mayPass(error))
          if (!isTheirs || context.signal.aborted) return oldAfter(error).data as never
        }
      }
      const fetched = fetch(owner, dataKey, provider, context, oldAfter).finally(() => { underway.delete(name) })
      underway.set(name, { fetched, userId: tenant.userId, signal: context.signal })
      try {
        return await fetched as never
      } catch (error) {
        return oldAfter(error).data as never
      }
    }
  }
}

/** The CRM fails at this moment, whoever asks. */
const mayPass = (error: unknown): boolean => error instanceof PatchbayError && errorKind(error.code).retryable

/** Where no company is known, each user has lists of their own. The id of a user ends with the name of a platform, never with a bracket. */
function ownerOf ({ userId, platform }: Tenant, user: ConnectedUser): DataOwner {
  const company = companyOf(user)
  return { ownerKey: company === undefined ? userId : `company(${company})`, platform }
}
