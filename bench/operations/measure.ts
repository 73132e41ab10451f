/** One operation on one server, under one load. */
import { load, openConnections, type Timing } from './load.ts'
import type { Crm, Server } from './processes.ts'
import type { OperationName, Workload } from './workload.ts'

export interface Load {
  readonly operation: OperationName
  readonly connections: number
  /** Milliseconds for which it is measured. */
  readonly duration: number
}

export interface Figures extends Timing {
  readonly perSecond: number
  /** Microseconds of CPU time per operation, of the server's process alone. */
  readonly cpu: number
  /** Requests to the CRM per operation. */
  readonly crmRequests: number
}

/** A server, and what can be asked of it. */
export interface Subject {
  readonly server: Server
  readonly workload: Workload
}

export async function measure ({ server, workload }: Subject, crm: Crm, { operation, connections, duration }: Load): Promise<Figures> {
  const next = workload[operation]
  const open = await openConnections(server.port, connections)
  // Warms up; and a server that is busy takes its time to accept a connection, so each one is used once before it counts.
  await load(open, duration / 4, next)
  const [cpu, crmRequests] = [await server.cpu(), await crm.requests()]
  const timing = await load(open, duration, next)
  const { requests, seconds } = timing
  const figures = {
    ...timing,
    perSecond: requests / seconds,
    cpu: (await server.cpu() - cpu) / requests,
    crmRequests: (await crm.requests() - crmRequests) / requests
  }
  for (const connection of open) connection.close()
  return figures
}
