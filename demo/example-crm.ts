/** The Example CRM as a person sees it: what it holds, and an edit by hand. All that the demo knows about one CRM is here. */
import { Nullable, Type, Value, type TSchema, type Static } from '../src/contract/type.ts'
import { DemoStopped, ask } from './http.ts'

/** A record in the words that every CRM shares. Ids are text. */
export interface CrmRecord {
  readonly id: string
  readonly kind: string
  readonly subject: string
  readonly contactId: string
  readonly startTime: string
  readonly durationSeconds: number | null
  readonly direction: string | null
  readonly outcome: string | null
  readonly dealId: string | null
  /** Changes with each write. */
  readonly updatedAt: string
  readonly body: string
}

const Activity = Type.Object({
  id: Type.Integer(),
  type: Type.String(),
  subject: Type.String(),
  contactId: Type.Integer(),
  startTime: Type.String(),
  durationSeconds: Nullable(Type.Integer()),
  direction: Nullable(Type.String()),
  outcome: Nullable(Type.String()),
  dealId: Nullable(Type.Integer()),
  updatedAt: Type.String(),
  body: Type.String()
})
const Activities = Type.Object({ items: Type.Array(Activity) })

/** @param url where it is */
export function exampleCrm (url: string) {
  const apiKey = 'example-key-ann'
  const headers = { authorization: `Basic ${Buffer.from(`${apiKey}:`).toString('base64')}` }

  async function request<Schema extends TSchema> (schema: Schema, method: string, path: string, body?: object): Promise<Static<Schema>> {
    const { status, text, json } = await ask(method, `${url}${path}`, { headers, body })
    if (!Value.Check(schema, json)) throw new DemoStopped(`The Example CRM answered ${method} ${path} with ${status}: ${text}`)
    return json
  }

  const activity = async (id: string) => await request(Activity, 'GET', `/api/activities/${id}`)

  return {
    url,
    platform: 'example',
    title: 'the Example CRM',
    apiKey,
    /** The type of contact that a placeholder becomes. */
    contactType: 'Contact',

    async isThere (): Promise<void> {
      const { json } = await ask('GET', `${url}/health`).catch(() => ({ json: undefined }))
      if (Value.Check(Type.Object({ status: Type.Literal('ok') }), json)) return
      const elsewhere = 'EXAMPLE_CRM_URL says where, if it is elsewhere'
      throw new DemoStopped(`The Example CRM is not running at ${url}. It comes with Patchbay, unless EXAMPLE_CRM=off (${elsewhere})`)
    },

    record: async (id: string): Promise<CrmRecord> => toRecord(await activity(id)),

    /** All records of a contact. */
    async logsOf (contactId: string | number): Promise<CrmRecord[]> {
      const { items } = await request(Activities, 'GET', `/api/activities?contactId=${contactId}`)
      return items.map(toRecord)
    },

    /** Changes the text of a record as the CRM's own editor does. */
    async editAsPerson (id: string, edit: (body: string) => string): Promise<void> {
      const { body } = await activity(id)
      await request(Activity, 'PATCH', `/api/activities/${id}`, { body: edit(body) })
    }
  }
}

const toRecord = (activity: Static<typeof Activity>): CrmRecord => ({
  id: String(activity.id),
  kind: activity.type,
  subject: activity.subject,
  contactId: String(activity.contactId),
  startTime: activity.startTime,
  durationSeconds: activity.durationSeconds,
  direction: activity.direction,
  outcome: activity.outcome,
  dealId: activity.dealId === null ? null : String(activity.dealId),
  updatedAt: activity.updatedAt,
  body: activity.body
})
