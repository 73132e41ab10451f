/** The browser extension's side: its requests, in its own words, each one told to the person who watches. */
import type { CallLogAnswer, CallLogData, CallLogsAnswer } from '../src/contract/call-log.ts'
import type { Contact, ContactsAnswer, CreateContactAnswer } from '../src/contract/contact.ts'
import type { MessageLogAnswer } from '../src/contract/message-log.ts'
import type { PlatformManifest } from '../src/contract/manifest.ts'
import type { Answer as Envelope } from '../src/contract/answer.ts'
import type { FakeKeyCrm } from '../src/testing/fake-crm.ts'
import { fictitiousNumber } from './calls.ts'
import { DemoStopped, ask, type Answer } from './http.ts'
import type { Narrator } from './narrator.ts'

/** What is logged, and against whom. */
interface Log {
  readonly logInfo: object
  readonly contactId: Contact['id']
  readonly contactType: string | undefined
  readonly contactName: string
}

/** What a connector can do, and the additional fields of the page on which its calls are logged. */
export interface Abilities {
  readonly operations: ReadonlySet<string>
  readonly fields: ReadonlySet<string>
}

export interface Deal { readonly const: number | string, readonly title: string }

export type Extension = ReturnType<typeof extension>

const hidden = '(hidden)'

/**
 * @param url where Patchbay is
 * @param say is told each request
 */
export function extension (url: string, say: Pick<Narrator, 'exchange'>) {
  let token = ''

  /** @throws {DemoStopped} when the request fails */
  async function exchange<Sent extends Partial<Envelope>> (method: string, path: string, body?: object): Promise<Sent> {
    const { status, text, json } = await ask(method, `${url}${path}${path.includes('?') ? '&' : '?'}jwtToken=${token}`, { body })
    say.exchange(method, path, body, { status, body: json ?? text })
    if (status !== 200) throw new DemoStopped(`${method} ${path} was answered with ${status}: ${text}`)
    return Object(json) as Sent
  }

  /** @throws {DemoStopped} when the request fails or is refused */
  async function send<Sent extends Partial<Envelope>> (method: string, path: string, body?: object): Promise<Sent> {
    const answer = await exchange<Sent>(method, path, body)
    if (answer.successful !== true) throw new DemoStopped(`${method} ${path} was refused: ${answer.returnMessage?.message ?? JSON.stringify(answer)}`)
    return answer
  }

  /** @throws {DemoStopped} when the answer holds no session token */
  function signedIn (method: string, path: string, shownBody: unknown, { status, text, json }: Answer): void {
    const { jwtToken, ...told } = Object(json) as { jwtToken?: string }
    say.exchange(method, path, shownBody, { status, body: jwtToken === undefined ? text : { ...told, jwtToken: hidden } })
    if (jwtToken === undefined) throw new DemoStopped(`Signing in was answered with ${status}: ${text}`)
    token = jwtToken
  }

  function logIdOf ({ logId }: CallLogAnswer): string {
    if (logId === undefined) throw new DemoStopped('The answer names no logId.')
    return logId
  }

  /** @param options.afresh asks the CRM although the answer is remembered, as the extension's refresh button does */
  async function match (phoneNumber: string, { afresh = false } = {}): Promise<Contact | undefined> {
    // The extension does not encode the plus.
    const path = `/contact?phoneNumber=${phoneNumber}&overridingFormat=&isExtension=false${afresh ? '&isForceRefreshAccountData=true' : ''}`
    const { contact = [] } = await send<ContactsAnswer>('GET', path)
    return contact.find(({ isNewContact }) => isNewContact !== true)
  }

  return {
    async isThere (): Promise<void> {
      const { text } = await ask('GET', `${url}/isAlive`).catch(() => ({ text: undefined }))
      if (text === 'OK') return
      const elsewhere = 'PATCHBAY_URL says where, if it is elsewhere'
      throw new DemoStopped(`Patchbay is not running at ${url}. Start it in another terminal with: npm start (${elsewhere})`)
    },

    /** @throws {DemoStopped} when Patchbay does not know the platform */
    async abilities (platform: string): Promise<Abilities> {
      const operations = await ask('GET', `${url}/implementedInterfaces?platform=${platform}`)
      const manifests = await ask('GET', `${url}/crmManifest?platformName=${platform}`)
      const manifest = (Object(manifests.json) as { platforms?: Record<string, PlatformManifest> }).platforms?.[platform]
      if (manifest === undefined) throw new DemoStopped(`Patchbay does not know ${platform}: ${manifests.text}`)
      return {
        operations: new Set(Object.entries(Object(operations.json)).filter(([, has]) => has === true).map(([name]) => name)),
        fields: new Set(manifest.page?.callLog?.additionalFields?.map(field => field.const))
      }
    },

    /** Fills in the login form, on the page of that host. */
    async signInWithKey ({ platform, apiKey, fields = {}, hostname = 'undefined' }: { platform: string } & Pick<FakeKeyCrm, 'apiKey' | 'fields' | 'hostname'>): Promise<void> {
      const key = apiKey === undefined ? {} : { apiKey }
      const form = { ...fields, ...key }
      const answer = await ask('POST', `${url}/apiKeyLogin`, { body: { platform, hostname, ...key, additionalInfo: form } })
      const filledIn = Object.fromEntries(Object.keys(form).map(name => [name, hidden]))
      signedIn('POST', '/apiKeyLogin', { platform, hostname, ...(apiKey !== undefined && { apiKey: hidden }), additionalInfo: filledIn }, answer)
    },

    /** @param callbackUri the address at which the consent page of the CRM ended. The extension does not encode it. */
    async signInByConsent (callbackUri: string): Promise<void> {
      const answer = await ask('GET', `${url}/oauth-callback?callbackUri=${callbackUri}&hostname=temp`)
      signedIn('GET', `/oauth-callback?callbackUri=${hidden}&hostname=temp`, undefined, answer)
    },

    match,

    /** A number that the CRM does not know; undefined when it knows every one. Earlier demos made placeholders for some. */
    async unknownCaller (): Promise<string | undefined> {
      for (let tries = 0; tries < 20; tries += 1) {
        const phoneNumber = fictitiousNumber()
        if (await match(phoneNumber) === undefined) return phoneNumber
      }
      return undefined
    },

    /** The first of the deals that the contact's log page offers. */
    dealOf ({ name, additionalInfo }: Contact): Deal {
      const [deal] = (additionalInfo?.deals ?? []) as Deal[]
      if (deal === undefined) throw new DemoStopped(`${name} has no open deal.`)
      return deal
    },

    async createContact (contact: { phoneNumber: string, newContactName: string, newContactType: string }): Promise<Contact> {
      const { contact: created } = await send<CreateContactAnswer>('POST', '/contact', contact)
      if (created === undefined) throw new DemoStopped('The answer holds no contact.')
      return created
    },

    /** @returns the id of the record in the CRM */
    async logCall (log: Log & { note: string }): Promise<string> {
      return logIdOf(await send<CallLogAnswer>('POST', '/callLog', log))
    },

    /** @returns undefined when that is refused */
    async tryToLogCall (log: Log & { note: string }): Promise<string | undefined> {
      return (await exchange<CallLogAnswer>('POST', '/callLog', log)).logId
    },

    async updateCall (changes: { sessionId: string } & Record<string, unknown>): Promise<void> {
      await send<CallLogAnswer>('PATCH', '/callLog', changes)
    },

    /** What the edit form of a logged call shows. */
    async openCall (sessionId: string): Promise<CallLogData | undefined> {
      const { logs } = await send<CallLogsAnswer>('GET', `/callLog?sessionIds=${sessionId}&requireDetails=true`)
      return logs?.[0]?.logData
    },

    /** The records of the calls, undefined for one that is not logged. */
    async loggedCalls (sessionIds: readonly string[]): Promise<Array<string | undefined>> {
      const { logs = [] } = await send<CallLogsAnswer>('GET', `/callLog?sessionIds=${sessionIds.join()}&requireDetails=false`)
      return logs.map(({ logId }) => logId)
    },

    async setDisposition (disposition: { sessionId: string, dispositions: object }): Promise<void> {
      await send('PUT', '/callDisposition', disposition)
    },

    /** @returns the messages that were new */
    async logMessages (log: Log): Promise<string[]> {
      const { logIds = [] } = await send<MessageLogAnswer>('POST', '/messageLog', log)
      return logIds
    }
  }
}
