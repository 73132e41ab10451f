/** The services of the product, wired to the repositories. */
import fp from 'fastify-plugin'
import { accountData, type AccountData } from '../accounts/account-data.ts'
import { callLogs, type CallLogs } from '../calls/call-logs.ts'
import { hashId } from '../calls/identity.ts'
import { messageLogs, type MessageLogs } from '../calls/message-logs.ts'
import { contacts, type Contacts } from '../contacts/contacts.ts'
import { asCache } from '../db/account-data.ts'
import type { Clock } from '../db/database.ts'

declare module 'fastify' {
  interface FastifyInstance {
    accountData: AccountData
    contacts: Contacts
    callLogs: CallLogs
    messageLogs: MessageLogs
  }
}

export interface ServicesOptions {
  hashKey: string
  clock: Clock
  /** From 0 to 1. */
  random: () => number
}

export default fp<ServicesOptions>(async (fastify, { hashKey, clock, random }) => {
  const { repositories, log } = fastify
  const remembered = asCache(repositories.accountData, log)
  fastify.decorate('accountData', accountData({ remembered, log }))
  fastify.decorate('contacts', contacts(remembered))
  fastify.decorate('callLogs', callLogs({ ...repositories, hash: hashId(hashKey), clock, random, log }))
  fastify.decorate('messageLogs', messageLogs({ ...repositories, clock, random, log }))
}, { name: 'services', dependencies: ['db'] })
