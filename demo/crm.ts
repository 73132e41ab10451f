/** What the demo needs of a CRM: how Ann signs in to it, and what a person sees in it. */
import type { ConnectorInfo } from '../src/contract/connector.ts'
import type { FakeRecord, Spent } from '../src/testing/fake-crm.ts'
import type { Extension } from './extension.ts'

export interface CrmRecord extends FakeRecord {
  /** Changes with each write. */
  readonly updatedAt?: string
}

export type Losable = 'request' | 'answer'

export interface DemoCrm {
  readonly platform: string
  /** What people call it. */
  readonly title: string
  readonly logFormat: ConnectorInfo['logFormat']
  /** Whose the records are that Ann logs. */
  readonly userId: string
  /** A page on which somebody can look at the records afterwards. */
  readonly page?: string
  readonly signIn: (patchbay: Extension) => Promise<void>
  readonly record: (id: string) => Promise<CrmRecord>
  /** All records of a contact. */
  readonly logsOf: (contactId: string | number) => Promise<CrmRecord[]>
  /** Changes the text of a record as the CRM's own editor does. */
  readonly editAsPerson: (id: string, edit: (body: string) => string) => Promise<void>
  /**
   * Loses the request that writes a record or the CRM's answer to it, while something is done, maybe several times; then the time passes that the connector
   * needs to find the record. Absent where that cannot be played. Gives whether one got lost.
   */
  readonly losing?: (what: Losable, work: () => Promise<unknown>) => Promise<boolean>
}

/** A CRM with a Patchbay in front of it. */
export interface Stage {
  readonly patchbayUrl: string
  readonly crm: DemoCrm
  /** What Patchbay's requests to the CRM have cost so far, where that is counted. What the demo itself looks up there is not in it. */
  readonly spent?: () => Spent
  readonly close: () => Promise<void>
}
