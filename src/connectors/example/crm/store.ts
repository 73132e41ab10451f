import type { Database } from 'better-sqlite3'
import { foldedName, keyHash } from './database.ts'
import { comparableNumber, storedNumber } from './phone-number.ts'
import { Refusal } from './refusal.ts'
import type {
  Activity, ActivityChanges, ActivityFilter, Contact, ContactFilter, Deal, NewActivity, NewContact, User
} from './schemas.ts'

type ContactRow = Omit<Contact, 'deals'>
type Row<Columns> = { [Column in keyof Columns]-?: Exclude<Columns[Column], undefined> | null }

export type Store = ReturnType<typeof crmStore>

/**
 * The records of the CRM. What is not there comes back as `undefined`; what is refused is thrown as a `Refusal`.
 * @param clock gives epoch milliseconds
 */
export function crmStore (db: Database, clock: () => number) {
  const now = () => new Date(clock()).toISOString()

  const contactColumns = 'id, type, name, phone, number, company, createdAt, updatedAt'
  const sql = {
    userByKey: db.prepare<[Buffer], User>('SELECT id, name, email FROM users WHERE keyHash = ?'),
    userById: db.prepare<[number], User>('SELECT id, name, email FROM users WHERE id = ?'),
    users: db.prepare<[], User>('SELECT id, name, email FROM users ORDER BY id'),
    deals: db.prepare<[number], Deal>('SELECT id, title, status FROM deals WHERE contactId = ? ORDER BY id'),
    contact: db.prepare<[number], ContactRow>(`SELECT ${contactColumns} FROM contacts WHERE id = ?`),
    contacts: db.prepare<Row<ContactFilter>, ContactRow>(`
      SELECT ${contactColumns} FROM contacts
      WHERE (@phone IS NULL OR ltrim(phone, '+') = @phone) AND (@name IS NULL OR instr(foldedName, @name) > 0)
        AND (@number IS NULL OR number = @number)
      ORDER BY id`),
    addContact: db.prepare<Omit<ContactRow, 'id'> & { foldedName: string }>(`
      INSERT INTO contacts (type, name, foldedName, phone, number, company, createdAt, updatedAt)
      VALUES (@type, @name, @foldedName, @phone, @number, @company, @createdAt, @updatedAt)`),
    activity: db.prepare<[number], Activity>('SELECT * FROM activities WHERE id = ?'),
    activityByExternalId: db.prepare<[string, string], Activity>('SELECT * FROM activities WHERE type = ? AND externalId = ?'),
    activities: db.prepare<Row<ActivityFilter>, Activity>(`
      SELECT * FROM activities
      WHERE (@contactId IS NULL OR contactId = @contactId) AND (@type IS NULL OR type = @type)
        AND (@externalId IS NULL OR externalId = @externalId)
      ORDER BY startTime DESC, id DESC LIMIT ifnull(@limit, -1)`),
    addActivity: db.prepare<Omit<Activity, 'id'>>(`
      INSERT INTO activities (type, subject, body, contactId, ownerId, startTime, durationSeconds, direction, outcome, dealId,
        externalId, createdAt, updatedAt)
      VALUES (@type, @subject, @body, @contactId, @ownerId, @startTime, @durationSeconds, @direction, @outcome, @dealId,
        @externalId, @createdAt, @updatedAt)`),
    changeActivity: db.prepare<Activity>(`
      UPDATE activities SET subject = @subject, body = @body, contactId = @contactId, ownerId = @ownerId, startTime = @startTime,
        durationSeconds = @durationSeconds, direction = @direction, outcome = @outcome, dealId = @dealId, updatedAt = @updatedAt
      WHERE id = @id`),
    deleteActivity: db.prepare<[number]>('DELETE FROM activities WHERE id = ?')
  }

  const withDeals = (contact: ContactRow): Contact => ({ ...contact, deals: sql.deals.all(contact.id) })

  /** The activity as it may be stored: its references hold, and the order of times as text is their order. */
  function checked<Checked extends Omit<Activity, 'id'>> (activity: Checked): Checked {
    const refuse = (field: string, why: string): never => { throw new Refusal(400, `${field}: ${why}`, { field }) }
    const startTime = new Date(activity.startTime)
    if (Number.isNaN(startTime.valueOf())) refuse('startTime', 'there is no such time')
    if (sql.contact.get(activity.contactId) === undefined) refuse('contactId', 'there is no such contact')
    if (sql.userById.get(activity.ownerId) === undefined) refuse('ownerId', 'there is no such user')
    if (activity.dealId !== null && !sql.deals.all(activity.contactId).some(deal => deal.id === activity.dealId)) {
      refuse('dealId', 'the contact has no such deal')
    }
    return { ...activity, startTime: startTime.toISOString() }
  }

  return {
    userByKey: (key: string) => sql.userByKey.get(keyHash(key)),
    users: () => sql.users.all(),

    contact (id: number): Contact | undefined {
      const contact = sql.contact.get(id)
      return contact && withDeals(contact)
    },

    contacts: ({ phone, name, number }: ContactFilter): Contact[] => sql.contacts.all({
      phone: phone === undefined ? null : comparableNumber(phone),
      name: name === undefined ? null : foldedName(name),
      number: number ?? null
    }).map(withDeals),

    addContact ({ type = 'Contact', name, phone = null, number = null, company = null }: NewContact): Contact {
      const kept = phone === null ? null : storedNumber(phone)
      if (kept !== null && !/^\+?\d{3,15}$/.test(kept)) throw new Refusal(400, 'phone: is not a phone number', { field: 'phone' })
      const at = now()
      const contact = { type, name, phone: kept, number, company, createdAt: at, updatedAt: at }
      const { lastInsertRowid } = sql.addContact.run({ ...contact, foldedName: foldedName(name) })
      return { id: Number(lastInsertRowid), ...contact, deals: [] }
    },

    activity: (id: number): Activity | undefined => sql.activity.get(id),

    activities: ({ contactId = null, type = null, externalId = null, limit = null }: Partial<Row<ActivityFilter>>): Activity[] =>
      sql.activities.all({ contactId, type, externalId, limit }),

    /** @throws {Refusal} 409 with the `existingId` when another activity of the type has the external id */
    addActivity: db.transaction((activity: NewActivity, caller: User): Activity => {
      const { type, externalId = null } = activity
      const existing = externalId === null ? undefined : sql.activityByExternalId.get(type, externalId)
      if (existing !== undefined) {
        throw new Refusal(409, `Another ${type} has this external id`, { existingId: existing.id })
      }
      const at = now()
      const defaults = { body: '', ownerId: caller.id, durationSeconds: null, direction: null, outcome: null, dealId: null }
      const added = checked({ ...defaults, ...activity, externalId, createdAt: at, updatedAt: at })
      return { id: Number(sql.addActivity.run(added).lastInsertRowid), ...added }
    }).immediate,

    changeActivity: db.transaction((id: number, changes: ActivityChanges): Activity | undefined => {
      const activity = sql.activity.get(id)
      if (activity === undefined) return undefined
      const changed = checked({ ...activity, ...changes, updatedAt: now() })
      sql.changeActivity.run(changed)
      return changed
    }).immediate,

    /** @returns whether it was there */
    deleteActivity: (id: number): boolean => sql.deleteActivity.run(id).changes > 0
  }
}
