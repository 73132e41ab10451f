/** A process of the product as far as the life of logs goes: services over a database, which can crash and be started again. */
import { callLogs, type CallLogs } from '../../src/calls/call-logs.ts'
import type { Caller } from '../../src/calls/caller.ts'
import { hashId } from '../../src/calls/identity.ts'
import { messageLogs, type MessageLogs } from '../../src/calls/message-logs.ts'
import { recovery } from '../../src/calls/recover.ts'
import type { Connector } from '../../src/contract/connector.ts'
import { callLogs as callLogRows, type CallLog } from '../../src/db/call-logs.ts'
import { cipher, newEncryptionKey, parseEncryptionKeys } from '../../src/db/cipher.ts'
import { openDatabase } from '../../src/db/database.ts'
import { messageLogs as messageLogRows } from '../../src/db/message-logs.ts'
import { noteCache } from '../../src/db/note-cache.ts'
import type { Crm, Failing } from './crm.ts'
import { Effects } from './effects.ts'

export const tenant = { userId: '1-example', accountId: '', platform: 'example' }
const user = { crmUserId: '1', name: 'Ann Agent', hostname: '', timeZone: 'UTC', timeZoneOffset: '', info: {} }
const testCipher = cipher(parseEncryptionKeys(newEncryptionKey()))
const silent = { debug: () => {}, info: () => {}, warn: () => {} }

export interface Instance {
  effects: Effects
  callLogs: CallLogs
  messageLogs: MessageLogs
  caller: Caller
  /** @returns how many rows were due */
  recover: () => Promise<number>
  /** All rows, as they are. */
  rows: () => Promise<Array<{ state: string, sealedPending: string, leaseUntil: number | null, nextAttemptAt: number | null }>>
  /** Leaves a call log without what waits with it. */
  forgetPending: (row: CallLog) => Promise<void>
  stop: () => Promise<void>
}

export async function startInstance ({ url, clock, crm, connector, meets }: {
  url: string, clock: () => number, crm: Crm, connector: Connector, meets: (method: string) => Failing | undefined
}): Promise<Instance> {
  const effects = new Effects()
  const database = await openDatabase(url)
  const rows = {
    callLogs: effects.around('call_logs', callLogRows(database, testCipher, clock)),
    messageLogs: effects.around('message_logs', messageLogRows(database, testCipher, clock))
  }
  const random = () => 0.5
  const calls = callLogs({ ...rows, noteCache: effects.around('note_cache', noteCache(database, testCipher, clock)), hash: hashId('key'), clock, random, log: silent })
  const messages = messageLogs({ ...rows, clock, random, log: silent })
  const caller: Caller = {
    tenant,
    connector,
    context: {
      crm: crm.clientFor(effects, meets),
      user,
      settings: {},
      accountSettings: {},
      accountData: async () => { throw new Error('no such list') },
      remembered: async () => undefined,
      signal: new AbortController().signal
    },
    assignedTo: async () => undefined
  }
  const parts = { callerOf: async () => caller, clock, random, log: silent }
  return {
    effects,
    callLogs: calls,
    messageLogs: messages,
    caller,
    async recover () {
      const kinds = [recovery({ kind: 'call', rows: rows.callLogs, resume: calls.resume }, parts), recovery({ kind: 'message', rows: rows.messageLogs, resume: messages.resume }, parts)]
      let due = 0
      for (const { look, settled } of kinds) {
        due += await look()
        await settled()
      }
      return due
    },
    rows: async () => [...await database.handle.select().from(database.tables.callLogs), ...await database.handle.select().from(database.tables.messageLogs)],
    forgetPending: async row => { await rows.callLogs.advance(row, { pending: '' }) },
    stop: async () => { await database.close() }
  }
}
