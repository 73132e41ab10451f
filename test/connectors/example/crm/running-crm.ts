import { join } from 'node:path'
import { pino } from 'pino'
import type { Test } from 'tap'
import { exampleCrm, type ExampleCrmOptions } from '../../../../src/connectors/example/crm/server.ts'

export const aCall = { type: 'call', subject: 'Inbound call', contactId: 1, startTime: '2026-01-15T10:30:05.000Z' }

/** A CRM on a port of its own with a new database, or with the `file` of an earlier one, and a client with Ann's key. */
export async function runningCrm (t: Test, options: Partial<ExampleCrmOptions> = {}) {
  const file = options.file ?? join(t.testdir(), 'crm.db')
  const crm = exampleCrm({ logger: pino({ level: 'silent' }), ...options, file })
  t.teardown(() => crm.close())
  const url = await crm.listen({ host: '127.0.0.1', port: 0 })

  async function call (method: string, path: string, body?: unknown, authorization = basic('example-key-ann')) {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) })
    })
    const text = await answer.text()
    // Tests look into answers of every shape; what they compare is the check.
    const content: any = text === '' ? null : JSON.parse(text)
    return { status: answer.status, headers: answer.headers, content }
  }

  return { crm, file, url, call }
}

export const basic = (key: string, password = ''): string => `Basic ${Buffer.from(`${key}:${password}`).toString('base64')}`
