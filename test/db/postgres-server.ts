/** Postgres on a socket, for the real driver. */
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { PGlite } from '@electric-sql/pglite'

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
const [cancelRequest, backendKeyData] = [Buffer.from('0000001004d2162e', 'hex'), Buffer.from('4b0000000c', 'hex')]

/** It has one session, so connections must not use it at the same time. */
export async function servePostgres (pglite: PGlite) {
  const sockets = new Set<Socket>()
  const silent = new WeakSet<Socket>()
  let breaking = false
  let held: { text: string, come: (letGo: () => void) => void } | undefined
  let sessions = 0
  /** Of the sessions whose connection stands. Of others a pooler does not know the key, unlike Postgres itself. */
  const keys = new Map<Socket, number>()
  const cancelled: number[] = []
  const server = createServer(socket => {
    sockets.add(socket.on('error', () => {}).on('close', () => {
      sockets.delete(socket)
      keys.delete(socket)
    }))
    let queue = Promise.resolve()
    socket.on('data', bytes => {
      if (silent.has(socket)) return
      if (breaking && /\bbegin\b/i.test(bytes.toString('latin1'))) {
        breaking = false
        return socket.destroy()
      }
      if (bytes.subarray(0, 8).equals(cancelRequest)) {
        const key = Number(bytes.toString('latin1', 8))
        if ([...keys.values()].includes(key)) cancelled.push(key)
        return socket.destroy()
      }
      if (held !== undefined && bytes.includes(held.text)) {
        const { come } = held
        held = undefined
        queue = queue.then(async () => { await new Promise<void>(come) })
      }
      queue = queue.then(async () => { socket.write(withKey(socket, await pglite.execProtocolRaw(bytes))) })
    })
  })
  /** Process and key of each session are its own: together `00000001`, `00000002`, ... */
  function withKey (socket: Socket, answer: Uint8Array): Uint8Array {
    const at = Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength).indexOf(backendKeyData)
    if (at < 0) return answer
    keys.set(socket, ++sessions)
    return Buffer.concat([answer.subarray(0, at), backendKeyData, Buffer.from(String(sessions).padStart(8, '0')), answer.subarray(at + 13)])
  }
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `postgres://postgres:hunter2@127.0.0.1:${(server.address() as AddressInfo).port}/postgres`,
    /** The connection on which the next transaction begins. */
    breakAtBegin: () => { breaking = true },
    breakConnections: () => { for (const socket of sockets) socket.destroy() },
    /** Nothing is answered on the connections that stand, and nobody says why. */
    vanish: () => { for (const socket of sockets) silent.add(socket) },
    /** Holds back the next statement with that text. Resolves when it has come, with what lets it go. */
    hold: async (text: string) => await new Promise<() => void>(resolve => { held = { text, come: resolve } }),
    /** The sessions that somebody has asked to end their statement. */
    cancelled,
    /** Resolves when every connection that stands has been closed. */
    left: async () => { await Promise.all([...sockets].map(async socket => await once(socket, 'close'))) },
    stop: () => { server.close() }
  }
}
