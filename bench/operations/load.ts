/**
 * Puts a server under load over a number of connections: each one sends its next request when the last one is answered. Sockets are
 * spoken to directly, because a client library would need more of the machine than a fast server.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH'
  readonly path: string
  readonly token: string
  readonly body?: object
}

export interface Timing {
  readonly requests: number
  /** Seconds that they took together. */
  readonly seconds: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

/** One keep-alive connection, for one request at a time. */
export class Connection {
  private readonly socket: Socket
  private received = ''
  private answered: (answer: string) => void = () => {}
  private failed: (error: Error) => void = () => {}

  private constructor (socket: Socket) {
    this.socket = socket.setEncoding('latin1')
    this.socket.on('data', (chunk: string) => {
      this.received += chunk
      const answer = wholeAnswer(this.received)
      if (answer !== undefined) this.answered(answer)
    })
    this.socket.on('error', error => { this.failed(error) })
    this.socket.on('close', () => { this.failed(new Error('The server closed a connection')) })
  }

  static async open (port: number): Promise<Connection> {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    await once(socket, 'connect')
    return new Connection(socket)
  }

  /** @returns the answer with its head */
  async ask (request: Request): Promise<string> {
    this.received = ''
    return await new Promise((resolve, reject) => {
      this.answered = resolve
      this.failed = reject
      this.socket.write(encoded(request))
    })
  }

  close (): void {
    this.socket.destroy()
  }
}

function encoded ({ method, path, token, body }: Request): string {
  const content = body === undefined ? '' : JSON.stringify(body)
  const head = `${method} ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${token}\r\n`
  return body === undefined ? `${head}\r\n` : `${head}content-type: application/json\r\ncontent-length: ${Buffer.byteLength(content)}\r\n\r\n${content}`
}

/** The servers of a run give every answer its length. */
function wholeAnswer (received: string): string | undefined {
  const end = received.indexOf('\r\n\r\n')
  const length = /\r\ncontent-length: (\d+)/i.exec(received)?.[1]
  return end !== -1 && received.length >= end + 4 + Number(length) ? received : undefined
}

export const openConnections = async (port: number, count: number): Promise<Connection[]> =>
  await Promise.all(Array.from({ length: count }, async () => await Connection.open(port)))

/**
 * Sends one request over a connection of its own.
 * @returns the content of the answer
 * @throws an error with the answer, when it is none of success
 */
export async function ask (port: number, request: Request): Promise<string> {
  const connection = await Connection.open(port)
  try {
    return successful(await connection.ask(request))
  } finally {
    connection.close()
  }
}

/** A server that refuses is fast, so every answer is looked at. */
function successful (answer: string): string {
  if (!answer.startsWith('HTTP/1.1 200') || !/"successful":true|"jwtToken"/.test(answer) || answer.includes('"matched":false')) throw new Error(`Not a success: ${answer}`)
  return answer.slice(answer.indexOf('\r\n\r\n') + 4)
}

/** @param next makes the next request of a connection, the number of which is given */
export async function load (connections: readonly Connection[], milliseconds: number, next: (connection: number) => Request): Promise<Timing> {
  const times: number[] = []
  const start = performance.now()
  await Promise.all(connections.map(async (connection, number) => {
    do {
      const request = next(number)
      const asked = performance.now()
      const answer = await connection.ask(request)
      times.push(performance.now() - asked)
      successful(answer)
    } while (performance.now() - start < milliseconds)
  }))
  const seconds = (performance.now() - start) / 1000
  times.sort((one, other) => one - other)
  const percentile = (share: number): number => times[Math.ceil(times.length * share) - 1] ?? 0
  return { requests: times.length, seconds, p50: percentile(0.5), p99: percentile(0.99) }
}
