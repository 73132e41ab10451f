/** The browser extension's side: its requests, in its own words, each one told to the person who watches. */
import type { CallLogAnswer, CallLogData, CallLogsAnswer } from '../src/contract/call-log.ts'
import type { Contact, ContactsAnswer, CreateContactAnswer } from '../src/contract/contact.ts'
import type { MessageLogAnswer } from '../src/contract/message-log.ts'
import type { Answer as Envelope } from '../src/contract/answer.ts'
import { fictitiousNumber } from './calls.ts'
import { DemoStopped, ask } from './http.ts'
import type { Narrator } from './narrator.ts'

/** What is logged, and against whom. */
interface Log {
  readonly logInfo: object
  readonly contactId: Contact['id']
  readonly contactType: string | undefined
  readonly contactName: string
}

export interface Deal { readonly const: number | string, readonly title: string }

/** @param url where Patchbay is */
export function extension (url: string, say: Narrator) {
  let token = ''

  /** @throws {DemoStopped} when the request fails or is refused */
  async function send<Answer extends Partial<Envelope>> (method: string, path: string, body?: object): Promise<Answer> {
    const { status, text, json } = await ask(method, `${url}${path}${path.includes('?') ? '&' : '?'}jwtToken=${token}`, { body })
    say.exchange(method, path, body, { status, body: json ?? text })
    if (status !== 200) throw new DemoStopped(`${method} ${path} was answered with ${status}: ${text}`)
    const answer = Object(json) as Answer
    if (answer.successful !== true) throw new DemoStopped(`${method} ${path} was refused: ${answer.returnMessage?.message ?? text}`)
    return answer
  }

  function logIdOf ({ logId }: CallLogAnswer): string {
    if (logId === undefined) throw new DemoStopped('The answer names no logId.')
    return logId
  }

  async function match (phoneNumber: string): Promise<Contact | undefined> {
    // The extension does not encode the plus.
    const { contact = [] } = await send<ContactsAnswer>('GET', `/contact?phoneNumber=${phoneNumber}&overridingFormat=&isExtension=false`)
    return contact.find(({ isNewContact }) => isNewContact !== true)
  }

  return {
    async isThere (): Promise<void> {
      const { text } = await ask('GET', `${url}/isAlive`).catch(() => ({ text: undefined }))
      if (text === 'OK') return
      const elsewhere = 'PATCHBAY_URL says where, if it is elsewhere'
      throw new DemoStopped(`Patchbay is not running at ${url}. Start it in another terminal with: npm start (${elsewhere})`)
    },

    async signIn ({ platform, apiKey }: { platform: string, apiKey: string }): Promise<void> {
      const body = { platform, apiKey, hostname: 'undefined', additionalInfo: { apiKey } }
      const { status, text, json } = await ask('POST', `${url}/apiKeyLogin`, { body })
      const { jwtToken, ...told } = Object(json) as { jwtToken?: string }
      const hidden = '(hidden)'
      say.exchange('POST', '/apiKeyLogin', { ...body, apiKey: hidden, additionalInfo: { apiKey: hidden } }, {
        status, body: jwtToken === undefined ? text : { ...told, jwtToken: hidden }
      })
      if (jwtToken === undefined) throw new DemoStopped(`Signing in was answered with ${status}: ${text}`)
      token = jwtToken
    },

    match,

    /** A caller whom the CRM does not know. */
    async unknownCaller (): Promise<string> {
      for (let tries = 0; tries < 20; tries += 1) {
        const phoneNumber = fictitiousNumber()
        if (await match(phoneNumber) === undefined) return phoneNumber
      }
      throw new DemoStopped('The CRM knows every fictitious number by now. Delete the folder "data" to begin anew.')
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
