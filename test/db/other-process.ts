/**
 * Another process on the same database, for races. Each line on stdin, `{ "url": ..., "sessions": [...] }`, makes it open that database
 * and reserve a call log for each session; it answers with a line `{ "won": [...] }` or `{ "error": ... }`.
 */
import { createInterface } from 'node:readline'
import { callLogs } from '../../src/db/call-logs.ts'
import { openDatabase } from '../../src/db/database.ts'
import { alice, testCipher } from './databases.ts'

async function reserveAll (url: string, sessions: string[]): Promise<string[]> {
  const database = await openDatabase(url)
  const logs = callLogs(database, testCipher, Date.now)
  const won: string[] = []
  for (const sessionId of sessions) {
    if (await logs.reserve(alice, { sessionId, leaseUntil: 1 }) !== undefined) won.push(sessionId)
  }
  await database.close()
  return won
}

console.log('ready')
for await (const line of createInterface(process.stdin)) {
  const { url, sessions } = JSON.parse(line)
  const answer = await reserveAll(url, sessions).then(won => ({ won }), error => ({ error: String(error) }))
  console.log(JSON.stringify(answer))
}
