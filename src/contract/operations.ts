/**
 * What a connector can do. A connector implements those that its CRM knows; one that is missing is answered with "not supported"
 * and changes nothing else. Each gets the user's context first and what is asked second, gives back plain values, and throws
 * {@link CrmError} when the CRM refuses.
 */
import type { AccountDataProvider } from './account-data.ts'
import { ReturnMessage } from './answer.ts'
import type { Place } from './auth.ts'
import type { CallLeg, Direction, Party } from './call-record.ts'
import { Contact, CrmId } from './contact.ts'
import type { CrmClient } from './crm.ts'
import { LicenseStatus } from './session.ts'
import type { UserSettings } from './settings.ts'
import { Type, type Static, type TSchema } from './type.ts'

const Facts = Type.Record(Type.String(), Type.Unknown())
const told = { returnMessage: Type.Optional(ReturnMessage) }

/** The user for whom an operation runs, as far as a connector may know them. */
export interface ConnectedUser {
  /** The user's id in the CRM, as `getUserInfo` gave it. */
  readonly crmUserId: string
  readonly name: string
  /** Host of the CRM; empty when there is none. */
  readonly hostname: string
  /** IANA name; empty when not known. */
  readonly timeZone: string
  /** What an older server stored in place of a zone: `+08:00`, hours or minutes; empty when there is none. */
  readonly timeZoneOffset: string
  /** Public facts that the connector gave at login. */
  readonly info: Readonly<Record<string, unknown>>
}

/**
 * The customer of the CRM to whom a user belongs, as `getUserInfo` gave it (`info.companyId`); undefined where it gave none. Those of one
 * company share what the CRM keeps for all of them.
 */
export const companyOf = ({ info: { companyId } }: Pick<ConnectedUser, 'info'>): string | undefined =>
  typeof companyId === 'number' || (typeof companyId === 'string' && companyId !== '') ? String(companyId) : undefined

/** What there is while somebody signs in. */
export interface SignInContext {
  readonly crm: CrmClient
  readonly user: ConnectedUser
  readonly settings: UserSettings
  /** Aborts when the caller is gone or the time is up. Requests of `crm` obey it already. */
  readonly signal: AbortSignal
}

export interface Context extends SignInContext {
  /** What an admin set for everybody of the account. Read a declared setting with {@link settingOf}, which knows who decides. */
  readonly accountSettings: UserSettings
  /**
   * A list that the connector declares in `accountData`, fetched when there is none or its time is over. When fetching fails, the old
   * one is given; without an old one this throws what failed.
   */
  readonly accountData: <Schema extends TSchema>(provider: AccountDataProvider<Schema>) => Promise<Static<Schema>>
  /** What came with the contact when it was matched by its number ({@link FoundContact}). Undefined when that is long ago, or it was found in another way. */
  readonly remembered: (contact: LogContact) => Promise<unknown>
}

/** What the user submitted to sign in. */
export interface Login extends Place {
  /** With an API key: the key. */
  readonly apiKey?: string
  /** All fields of the login form. */
  readonly fields: Readonly<Record<string, unknown>>
  /** With OAuth: what the token endpoint said besides the tokens. */
  readonly tokenAnswer: Readonly<Record<string, unknown>>
}

/** Who signed in. */
export const UserInfo = Type.Object({
  crmUserId: Type.String({
    minLength: 1,
    maxLength: 255,
    description: 'Unique over all customers of the CRM, and always the same: whoever signs in with it gets the logs and settings of that user. ' +
      'Where customers count their users each from 1, put the customer in front: `77-1`.'
  }),
  name: Type.String(),
  timeZone: Type.Optional(Type.String({ description: 'IANA name.' })),
  hostname: Type.Optional(Type.String({ description: 'The host to remember in place of the one that the client sent.' })),
  apiKey: Type.Optional(Type.String({ description: 'What to use as the key from now on, when it is not the submitted one.' })),
  info: Type.Optional(Type.Record(Type.String(), Type.Unknown(), {
    description: 'Public facts; never secrets. `companyId`, where there is one, names the customer of the CRM to whom the user belongs: whoever ' +
      'has it shares account data, and how much the CRM may be asked. It is what the CRM says, not what was submitted, unique over all ' +
      'customers, and given at every sign-in.'
  })),
  ...told
})
export type UserInfo = Static<typeof UserInfo>

export const CrmUser = Type.Object({ id: Type.String(), name: Type.String(), email: Type.Optional(Type.String()) })
export type CrmUser = Static<typeof CrmUser>

/** The contact against which something is logged. */
export interface LogContact {
  readonly id: string
  readonly type: string
  readonly name: string
  readonly phoneNumber: string
}

/** A contact as an operation gives it. */
export const FoundContact = Type.Object({
  ...Contact.properties,
  id: CrmId,
  remember: Type.Optional(Type.Record(Type.String(), Type.Unknown(), {
    description: 'Facts that writing a log will need. They stay here and come back by `context.remembered`.'
  }))
})
export type FoundContact = Static<typeof FoundContact>

export interface NewContact<Submission = Record<string, unknown>> {
  readonly phoneNumber: string
  readonly name: string
  readonly type: string
  readonly additionalSubmission: Submission
}

export const CreatedContact = Type.Object({ contact: FoundContact, ...told })
export type CreatedContact = Static<typeof CreatedContact>

/** A call, checked and normalised. What is not known yet is absent. */
export interface Call {
  readonly sessionId: string
  readonly telephonySessionId: string
  readonly direction: Direction
  readonly from: Party
  readonly to: Party
  /** Epoch milliseconds. */
  readonly startTime: number
  /** Seconds. */
  readonly duration?: number
  readonly result?: string
  readonly legs?: readonly CallLeg[]
  readonly recordingLink?: string
  /** Holds a token: use it at once, never store it. */
  readonly recordingDownloadLink?: string
}

/**
 * The raw parts of a log, for connectors that lay them out themselves (`logFormat: 'none'`). Absent means unchanged. Only the note of a
 * new log may be a placeholder.
 */
export interface LogParts {
  readonly note?: string
  readonly aiNote?: unknown
  readonly transcript?: unknown
}

export interface NewCallLog<Submission> extends LogParts {
  /** Made by the platform, the same at every attempt: give it to the CRM as external id where it takes one. */
  readonly externalId: string
  readonly call: Call
  readonly contact: LogContact
  readonly subject: string
  /** The composed text in the connector's format; empty for the format `none`. */
  readonly body: string
  readonly additionalSubmission: Submission
  /** The `crmUserId` of whom the record belongs to. */
  readonly ownerId: string
}

/** A log whose record may be in the CRM or not. */
export type LostLog<Log> = Log & {
  /**
   * Epoch milliseconds: the first attempt to write it. The record is not older, unless the clocks of the CRM and this server differ: look
   * from a day before that.
   */
  readonly since: number
  /** Records that are known to be those of other logs of the same call: another extension's may look just like this one. */
  readonly others: readonly string[]
}

/** Changes of a record. A member that is absent did not change. */
export interface CallLogChanges<Submission> extends LogParts, Partial<Omit<Call, 'sessionId' | 'telephonySessionId'>> {
  readonly logId: string
  readonly subject?: string
  /** The whole new text. Absent when the text stays as it is. */
  readonly body?: string
  readonly additionalSubmission?: Submission
  readonly ownerId?: string
}

/** A record as it is in the CRM now. */
export const CallLogRecord = Type.Object({
  subject: Type.Optional(Type.String()),
  body: Type.Optional(Type.String()),
  note: Type.Optional(Type.String({ description: 'Only where the note is not part of the body.' })),
  contactName: Type.Optional(Type.String()),
  dispositions: Type.Optional(Facts)
})
export type CallLogRecord = Static<typeof CallLogRecord>

export const MessageLogRecord = Type.Object({ subject: Type.Optional(Type.String()), body: Type.String() })
export type MessageLogRecord = Static<typeof MessageLogRecord>

export interface LogRef { readonly logId: string, readonly contactId: string }

export interface NewMessageLog<Submission> {
  readonly externalId: string
  readonly contact: LogContact
  readonly subject: string
  readonly body: string
  /** Epoch milliseconds: the first message. */
  readonly startTime: number
  readonly direction: Direction
  readonly messages: readonly LoggedMessage[]
  readonly media: readonly MessageMedia[]
  readonly additionalSubmission: Submission
  readonly ownerId: string
}

/** A message as it is, for connectors that lay out the text themselves (`logFormat: 'none'`). */
export interface LoggedMessage {
  readonly id: string
  readonly direction: Direction
  /** Epoch milliseconds. */
  readonly creationTime: number
  readonly text: string
  /** In a group: who of the correspondents has sent it, as far as that is known. Elsewhere it is the contact who does. */
  readonly sender?: { readonly name: string, readonly phoneNumber: string }
}

export interface MessageMedia {
  readonly kind: 'recording' | 'fax' | 'image' | 'video'
  /** For people. */
  readonly link: string
  /** Holds a token: use it at once, never store it. */
  readonly downloadLink?: string
  readonly contentType?: string
}

export interface MessageLogChanges<Submission> {
  readonly logId: string
  /** The whole new text. Absent when the text stays as it is. */
  readonly body?: string
  /** Those that are new. */
  readonly messages: readonly LoggedMessage[]
  readonly media: readonly MessageMedia[]
  readonly additionalSubmission?: Submission
}

export const Logged = Type.Object({ logId: Type.String({ minLength: 1 }), ...told })
export type Logged = Static<typeof Logged>

export const Told = Type.Object(told)
export type Told = Static<typeof Told>

export interface Operations<Submission = Record<string, unknown>, MessageSubmission = Submission, ContactSubmission = Submission> {
  /** Who the credentials belong to. Throws `auth-expired` when the CRM does not know them. */
  getUserInfo: (context: SignInContext, login: Login) => Promise<UserInfo>
  /** Asks the CRM whether the credentials still work, where that takes more than renewing them. Throws `auth-expired` when not. */
  authValidation?: (context: Context) => Promise<Told>
  /** Revoke the credentials at the CRM, where `revokeUrl` does not. The platform forgets them whatever happens. */
  unAuthorize?: (context: Context) => Promise<Told>
  getLicenseStatus?: (context: Context) => Promise<LicenseStatus>
  getUserList?: (context: Context) => Promise<CrmUser[]>

  /** All contacts with that number, none when there is none. `isExtension`: an internal extension number instead of E.164. */
  findContact?: (context: Context, query: { phoneNumber: string, isExtension: boolean, overridingFormats: readonly string[] }) => Promise<FoundContact[]>
  findContactWithName?: (context: Context, query: { name: string }) => Promise<FoundContact[]>
  /**
   * A placeholder for that number: in E.164, or an internal extension number, which has no `+`. After a lost answer, `findContact` is
   * asked for a contact of that name and type before this runs again.
   */
  createContact?: (context: Context, contact: NewContact<ContactSubmission>) => Promise<CreatedContact>

  createCallLog: (context: Context, log: NewCallLog<Submission>) => Promise<Logged>
  updateCallLog: (context: Context, changes: CallLogChanges<Submission>) => Promise<Told>
  getCallLog?: (context: Context, log: LogRef) => Promise<CallLogRecord>
  /** The record of that log, when a lost answer has to be found again (`dedupe` native or search). */
  findCallLog?: (context: Context, log: LostLog<NewCallLog<Submission>>) => Promise<Logged | undefined>
  /** Nothing when there was nothing to set. */
  upsertCallDisposition?: (context: Context, disposition: LogRef & { dispositions: Submission & { note?: string } }) => Promise<Logged | undefined>

  createMessageLog?: (context: Context, log: NewMessageLog<MessageSubmission>) => Promise<Logged>
  updateMessageLog?: (context: Context, changes: MessageLogChanges<MessageSubmission>) => Promise<Told>
  getMessageLog?: (context: Context, log: LogRef) => Promise<MessageLogRecord>
  findMessageLog?: (context: Context, log: LostLog<NewMessageLog<MessageSubmission>>) => Promise<Logged | undefined>
}

/** What each operation resolves with. Whatever a connector gives is checked against it. */
export const operationResults = {
  getUserInfo: UserInfo,
  authValidation: Told,
  unAuthorize: Told,
  getLicenseStatus: LicenseStatus,
  getUserList: Type.Array(CrmUser),
  findContact: Type.Array(FoundContact),
  findContactWithName: Type.Array(FoundContact),
  createContact: CreatedContact,
  createCallLog: Logged,
  updateCallLog: Told,
  getCallLog: CallLogRecord,
  findCallLog: Logged,
  upsertCallDisposition: Logged,
  createMessageLog: Logged,
  updateMessageLog: Told,
  getMessageLog: MessageLogRecord,
  findMessageLog: Logged
} as const satisfies Record<keyof Operations, TSchema>

export type OperationName = keyof typeof operationResults
export const operationNames = Object.keys(operationResults) as readonly OperationName[]
/** Those that may resolve with nothing. */
export const nothingToGive: readonly OperationName[] = ['findCallLog', 'upsertCallDisposition', 'findMessageLog']
export const requiredOperations = ['getUserInfo', 'createCallLog', 'updateCallLog'] as const satisfies readonly OperationName[]
