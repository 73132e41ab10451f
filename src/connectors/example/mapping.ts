/** Between the contract's words and those of the Example CRM. */
import type { Call, LogContact } from '../../contract/operations.ts'
import type { Contact } from '../../contract/contact.ts'
import type { Person } from './api.ts'

export const toContact = ({ id, type, name, phone, number, company, deals }: Person): Contact => ({
  id,
  type,
  name,
  phone: phone ?? number ?? '',
  ...(company !== null && { company }),
  additionalInfo: {
    deals: deals.filter(deal => deal.status === 'open').map(deal => ({ const: deal.id, title: deal.title }))
  }
})

/** The CRM's ids are numbers; the client sends them back as text. */
export const contactId = ({ id }: Pick<LogContact, 'id'>): number => Number(id)

/** The fields of an activity that a call has. What is not known yet is left out, so that a later update fills it. */
export const callFields = ({ startTime, duration, direction, result }: Partial<Call>): Record<string, unknown> => ({
  ...(startTime !== undefined && { startTime: new Date(startTime).toISOString() }),
  ...(duration !== undefined && { durationSeconds: duration }),
  ...(direction !== undefined && { direction: direction.toLowerCase() }),
  ...(result !== undefined && { outcome: result })
})
