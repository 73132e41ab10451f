/** The Example CRM as a person sees it: what it holds, and an edit by hand. */
import { Nullable, OneOf, Type, Value, type TSchema, type Static } from '../src/contract/type.ts'
import type { CrmRecord, Stage } from './crm.ts'
import { DemoStopped, ask } from './http.ts'

const Activity = Type.Object({
  id: Type.Integer(),
  type: OneOf(['call', 'message']),
  subject: Type.String(),
  contactId: Type.Integer(),
  ownerId: Type.Integer(),
  startTime: Type.String(),
  durationSeconds: Nullable(Type.Integer()),
  direction: Nullable(OneOf(['inbound', 'outbound'])),
  outcome: Nullable(Type.String()),
  dealId: Nullable(Type.Integer()),
  updatedAt: Type.String(),
  body: Type.String()
})
const Me = Type.Object({ id: Type.Integer() })
const Activities = Type.Object({ items: Type.Array(Activity) })

/**
 * @param patchbayUrl where Patchbay runs
 * @param url where the Example CRM runs
 * @throws {DemoStopped} when the CRM is not there
 */
export async function exampleStage (patchbayUrl: string, url: string): Promise<Stage> {
  const apiKey = 'example-key-ann'
  const headers = { authorization: `Basic ${Buffer.from(`${apiKey}:`).toString('base64')}` }

  const { json } = await ask('GET', `${url}/health`).catch(() => ({ json: undefined }))
  if (!Value.Check(Type.Object({ status: Type.Literal('ok') }), json)) {
    const elsewhere = 'EXAMPLE_CRM_URL says where, if it is elsewhere'
    throw new DemoStopped(`The Example CRM is not running at ${url}. It comes with Patchbay, unless EXAMPLE_CRM=off (${elsewhere})`)
  }

  async function request<Schema extends TSchema> (schema: Schema, method: string, path: string, body?: object): Promise<Static<Schema>> {
    const { status, text, json } = await ask(method, `${url}${path}`, { headers, body })
    if (!Value.Check(schema, json)) throw new DemoStopped(`The Example CRM answered ${method} ${path} with ${status}: ${text}`)
    return json
  }

  const { id: userId } = await request(Me, 'GET', '/api/me')
  const activity = async (id: string) => await request(Activity, 'GET', `/api/activities/${id}`)

  return {
    patchbayUrl,
    crm: {
      platform: 'example',
      title: 'the Example CRM',
      logFormat: 'text/html',
      userId: String(userId),
      page: url,
      signIn: async patchbay => await patchbay.signInWithKey({ platform: 'example', apiKey }),
      record: async id => toRecord(await activity(id)),
      async logsOf (contactId) {
        const { items } = await request(Activities, 'GET', `/api/activities?contactId=${contactId}`)
        return items.map(toRecord)
      },
      async editAsPerson (id, edit) {
        const { body } = await activity(id)
        await request(Activity, 'PATCH', `/api/activities/${id}`, { body: edit(body) })
      }
    },
    // Both belong to whoever started them.
    close: async () => {}
  }
}

const toRecord = (activity: Static<typeof Activity>): CrmRecord => ({
  id: String(activity.id),
  kind: activity.type,
  subject: activity.subject,
  contactId: String(activity.contactId),
  ownerId: String(activity.ownerId),
  startTime: activity.startTime,
  durationSeconds: activity.durationSeconds,
  direction: activity.direction,
  outcome: activity.outcome,
  dealId: activity.dealId === null ? null : String(activity.dealId),
  updatedAt: activity.updatedAt,
  body: activity.body
})
