/** What clients ask: the operations, with bodies as the extension sends them. The same requests go to the server and to the floor. */
import { ask, type Request } from './load.ts'

export type OperationName = 'match, cold' | 'match, warm' | 'create' | 'lookup' | 'lookup with details' | 'update'

/** What of the CRM and of the database each operation cannot do without. */
export const operations: ReadonlyArray<{ readonly name: OperationName, readonly crmRequests: number }> = [
  { name: 'match, cold', crmRequests: 1 },
  { name: 'match, warm', crmRequests: 0 },
  { name: 'create', crmRequests: 1 },
  { name: 'lookup', crmRequests: 0 },
  { name: 'lookup with details', crmRequests: 1 },
  { name: 'update', crmRequests: 2 }
]

/** The requests of each operation, by the number of the connection. */
export type Workload = Readonly<Record<OperationName, (connection: number) => Request>>

/** A log that is there: which session a connection asks for in its n-th request. No two connections share one. */
export type KnownSession = (connection: number, turn: number) => string

/** Connections are those of so many users, in turn. */
const users = 20
const sessionsEach = 5

/** Who a connection belongs to, from 1. */
export const userOf = (connection: number): number => connection % users + 1

const preparedSession: KnownSession = (connection, turn) => String(4_000_000_000 + connection * sessionsEach + turn % sessionsEach)

const note = 'Wants the annual licence for twelve people, asks for an offer until Friday. Call back after two o\'clock; ask for Ann if Bob is not in.'
const aiNote = 'The caller asked for the price of the annual licence. They were told about the discount for more than ten people. Next: an offer by mail. '.repeat(4)

function callBody (sessionId: string): object {
  const parties = { from: { phoneNumber: '+16504445566', name: 'John Smith', location: 'Palo Alto, CA' }, to: { phoneNumber: '+18662019834', name: 'Jane Smith', extensionNumber: '101' } }
  return {
    logInfo: {
      id: `X2-${sessionId}`,
      sessionId,
      telephonySessionId: `s-${sessionId}`,
      startTime: '2026-01-15T10:30:05.000Z',
      duration: 184,
      type: 'Voice',
      direction: 'Inbound',
      action: 'Phone Call',
      result: 'Accepted',
      ...parties,
      legs: [{ ...parties, direction: 'Inbound', duration: 12, legType: 'Accept' }, { ...parties, direction: 'Inbound', duration: 172, legType: 'Accept' }],
      recording: { link: '(pending...)' }
    },
    note,
    contactId: 1,
    contactType: 'Contact',
    contactName: 'John Smith',
    additionalSubmission: { deals: 1 }
  }
}

/** A later update: what was not known when the call was logged, and a note that the user goes on with. */
const updateBody = (sessionId: string, turn: number): object => ({
  sessionId,
  note: `${note} (${turn})`,
  aiNote,
  duration: 184 + turn,
  result: 'Call connected',
  startTime: '2026-01-15T10:30:05.000Z',
  recordingLink: `https://recordings.example.com/${sessionId}`
})

/** @returns the session tokens of the users */
export async function signIn (port: number): Promise<string[]> {
  return await Promise.all(Array.from({ length: users }, async (_, index) => {
    const apiKey = String(index + 1)
    const body = { platform: 'example', apiKey, additionalInfo: { apiKey } }
    const answer = await ask(port, { method: 'POST', path: '/apiKeyLogin', token: 'none', body })
    return (JSON.parse(answer) as { jwtToken: string }).jwtToken
  }))
}

/** For a server without sessions. */
export const noTokens: readonly string[] = Array.from({ length: users }, () => 'none')

/** Makes the logs and remembered contacts that so many connections ask for. */
export async function prepare (port: number, tokens: readonly string[], connections: number): Promise<void> {
  const { 'match, warm': match } = workload(tokens)
  for (let connection = 0; connection < connections; connection++) {
    await ask(port, match(connection))
    for (let turn = 0; turn < sessionsEach; turn++) {
      await ask(port, { method: 'POST', path: '/callLog', token: tokenOf(tokens, connection), body: callBody(preparedSession(connection, turn)) })
    }
  }
}

const tokenOf = (tokens: readonly string[], connection: number): string => tokens[userOf(connection) - 1] ?? ''

/** @param known the logs that lookups and updates are for; those of {@link prepare} unless said otherwise */
export function workload (tokens: readonly string[], known: KnownSession = preparedSession): Workload {
  let turn = 0
  const get = (connection: number, path: string, query: Record<string, string>): Request =>
    ({ method: 'GET', path: `${path}?${new URLSearchParams(query).toString()}`, token: tokenOf(tokens, connection) })
  const send = (connection: number, method: 'POST' | 'PATCH', body: object): Request =>
    ({ method, path: '/callLog', token: tokenOf(tokens, connection), body })

  return {
    'match, cold': connection => get(connection, '/contact', { phoneNumber: `+1415${1_000_000 + turn++}` }),
    'match, warm': connection => get(connection, '/contact', { phoneNumber: `+1650${2_000_000 + connection}` }),
    create: connection => send(connection, 'POST', callBody(String(5_000_000_000 + turn++))),
    lookup: connection => get(connection, '/callLog', { sessionIds: known(connection, turn++) }),
    'lookup with details': connection => get(connection, '/callLog', { sessionIds: known(connection, turn++), requireDetails: 'true' }),
    update: connection => send(connection, 'PATCH', updateBody(known(connection, turn), turn++))
  }
}
