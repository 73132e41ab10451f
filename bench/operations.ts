/**
 * What the operations cost: the server as it is built, beside a floor that does only what no server can leave out, against the same
 * fast CRM. `docs/performance.md` says how to read it. `--full` measures longer, and with a million stored logs.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { measure, type Subject } from './operations/measure.ts'
import { processes } from './operations/processes.ts'
import { storeLogs } from './operations/stored-logs.ts'
import { operationsTable, storedLogsTable, type Compared, type Measured } from './operations/table.ts'
import { noTokens, operations, prepare, signIn, workload } from './operations/workload.ts'

const full = process.argv.includes('--full')
const allConnections = [1, 10, 100]
const delays = [0, 50]
/** Milliseconds. */
const duration = full ? 4_000 : 700
const warmUp = full ? 6_000 : 1_500
const storedLogs = full ? 1_000_000 : 20_000
const rounds = full ? 15 : 5

const folder = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
const { startCrm, startFloor, startServer, stop } = processes()

async function benchOperations (): Promise<Measured[]> {
  const most = Math.max(...allConnections)
  const crm = await startCrm()
  const server = await startServer(crm, newFolder('server'))
  const tokens = await signIn(server.port)
  await prepare(server.port, tokens, most)
  const floor = await startFloor(crm, join(newFolder('floor'), 'floor.db'))
  await prepare(floor.port, noTokens, most)

  const ours: Subject = { server, workload: workload(tokens) }
  const bare: Subject = { server: floor, workload: workload(noTokens) }
  for (const { name: operation } of operations) {
    for (const subject of [ours, bare]) await measure(subject, crm, { operation, connections: 10, duration: warmUp })
  }
  const measured: Measured[] = []
  for (const delay of delays) {
    await crm.answerIn(delay)
    for (const { name: operation, crmRequests: needed } of operations) {
      for (const connections of allConnections) {
        const load = { operation, connections, duration }
        measured.push({ ...load, delay, needed, floor: await measure(bare, crm, load), server: await measure(ours, crm, load) })
      }
    }
  }
  return measured
}

/** One server on an empty database and one on a full one, in turn, so that both see the same machine. */
async function benchStoredLogs (): Promise<Compared[]> {
  const connections = 10
  const crm = await startCrm()
  const subject = async (name: string, stored: number): Promise<Subject> => {
    const server = await startServer(crm, newFolder(name))
    const tokens = await signIn(server.port)
    await prepare(server.port, tokens, connections)
    return { server, workload: stored === 0 ? workload(tokens) : workload(tokens, storeLogs(join(folder, name, 'patchbay.db'), stored)) }
  }
  const empty = await subject('empty', 0)
  const filled = await subject('filled', storedLogs)

  const compared: Compared[] = []
  for (const operation of ['lookup', 'create', 'update'] as const) {
    for (const subject of [empty, filled]) await measure(subject, crm, { operation, connections, duration: warmUp })
    const load = { operation, connections, duration: duration / 2 }
    const measured: Array<Compared['rounds'][number]> = []
    for (let round = 0; round < rounds; round++) measured.push({ empty: await measure(empty, crm, load), filled: await measure(filled, crm, load) })
    compared.push({ operation, rounds: measured })
  }
  return compared
}

function newFolder (name: string): string {
  const made = join(folder, name)
  mkdirSync(made)
  return made
}

const machine = (): string => `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, load ${loadavg()[0]?.toFixed(1)}`

try {
  console.log(`\nOperations (${machine()})`)
  console.log(operationsTable(await benchOperations()))
  console.log(`\nThe same with ${storedLogs.toLocaleString('en')} stored logs, beside an empty database (${machine()})`)
  console.log(storedLogsTable(await benchStoredLogs()))
} finally {
  await stop()
  rmSync(folder, { recursive: true, force: true })
}
