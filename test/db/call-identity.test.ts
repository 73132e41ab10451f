import t from 'tap'
import { fittingLogs } from '../../src/db/call-identity.ts'

const log = (extensionNumber: string, hashedExtensionId: string) => ({ extensionNumber, hashedExtensionId })
const sessions = {
  A: [log('', 'H1'), log('101', ''), log('', '')],
  B: [log('101', '')],
  C: [log('101', 'H1')]
}

const matrix: Array<{ request: [string, string], A?: [string, string], B?: [string, string], C?: [string, string] }> = [
  { request: ['', ''], A: ['', ''], B: ['101', ''], C: ['101', 'H1'] },
  { request: ['', 'H1'], A: ['', 'H1'], C: ['101', 'H1'] },
  { request: ['', 'H2'], A: ['', ''] },
  { request: ['101', 'H2'], A: ['101', ''], B: ['101', ''] },
  { request: ['101', 'H1'], A: ['', 'H1'], B: ['101', ''], C: ['101', 'H1'] },
  { request: ['101', ''], A: ['101', ''], B: ['101', ''], C: ['101', 'H1'] },
  { request: ['999', ''] },
  { request: ['999', 'H2'], A: ['', ''] }
]

for (const { request, ...expected } of matrix) {
  await t.test(`a request with number "${request[0]}" and hash "${request[1]}" finds its log`, async t => {
    for (const session of ['A', 'B', 'C'] as const) {
      const best = expected[session]
      t.strictSame(fittingLogs(sessions[session], log(...request))[0], best && log(...best), `session ${session}`)
      t.strictSame(fittingLogs(sessions[session].toReversed(), log(...request))[0], best && log(...best), `session ${session}, in any order`)
    }
  })
}

await t.test('a request without identity takes the first log by hash, then by number', async t => {
  const logs = [log('102', 'H1'), log('101', 'H1'), log('103', ''), log('102', '')]
  t.strictSame(fittingLogs(logs, log('', '')), [log('102', ''), log('103', ''), log('101', 'H1'), log('102', 'H1')])
})

await t.test('of two logs with the right hash, the one with the right number is better', async t => {
  t.strictSame(fittingLogs([log('101', 'H1'), log('102', 'H1')], log('102', 'H1')), [log('102', 'H1'), log('101', 'H1')])
})
