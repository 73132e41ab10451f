/** One HTTP exchange: a request is sent and its whole answer received, within the limits. It never throws; what happened is data. */
import { errors, type Dispatcher } from 'undici'
import { AddressRefused } from './addresses.ts'
import { AnswerTooLarge, AnswerUnreadable, decode } from './decoding.ts'
import type { Headers } from './headers.ts'

export interface Outgoing {
  readonly origin: string
  /** With the query. */
  readonly path: string
  readonly method: string
  readonly headers: Headers
  readonly body: string | Uint8Array | null
}

export interface Answered {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Headers
  /** Decompressed; undefined when a refusal came without it, as its status says enough. */
  readonly body: Buffer | undefined
}

/**
 * Why there is no answer. Decided before anything was sent: `host-refused` and `address-refused` (not a CRM's), `resting` (the host
 * failed too often), `over-budget` (the CRM wants fewer requests). Then: `aborted` by the caller, `timed-out`, `failed` connections,
 * and answers that are `too-large` or `unreadable`.
 */
export type Why = 'host-refused' | 'address-refused' | 'resting' | 'over-budget' | 'aborted' | 'timed-out' | 'failed' | 'too-large' | 'unreadable'

export interface Broken {
  readonly why: Why
  /** Whether the CRM may have received the request, wholly or in part. */
  readonly sent: boolean
  /** Seconds until it makes sense to try again. */
  readonly retryAfter?: number
  readonly cause?: unknown
}

export type Exchange = Answered | Broken

export interface Bounds {
  /** Milliseconds for all of it, connecting included. */
  readonly timeout: number
  readonly signal: AbortSignal
  /** Bytes of the answer, on the wire and decompressed. */
  readonly mostBytes: number
}

export async function exchange (dispatcher: Dispatcher, outgoing: Outgoing, bounds: Bounds): Promise<Exchange> {
  const received = await receive(dispatcher, outgoing, bounds)
  if ('why' in received || received.body === undefined) return received
  try {
    return { ...received, body: await decode(received.body, received.headers['content-encoding'], bounds.mostBytes) }
  } catch (cause) {
    return unfinished(received, whyBroken(cause), true, cause)
  }
}

function receive (dispatcher: Dispatcher, outgoing: Outgoing, { timeout, signal, mostBytes }: Bounds): Promise<Exchange> {
  return new Promise(resolve => {
    if (signal.aborted || timeout <= 0) return resolve({ why: signal.aborted ? 'aborted' : 'timed-out', sent: false })
    let connection: Dispatcher.DispatchController | undefined
    let head: Omit<Answered, 'body'> | undefined
    let over = false
    let bytes = 0
    const chunks: Buffer[] = []

    const end = (ended: Exchange): void => {
      over = true
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      resolve(ended)
    }
    const breakOff = (why: Why, cause?: unknown): void => {
      if (over) return
      end(unfinished(head, why, connection !== undefined, cause))
      connection?.abort(new Error(`broken off: ${why}`))
    }
    const onAbort = (): void => { breakOff('aborted') }
    const timer = setTimeout(() => { breakOff('timed-out') }, timeout)
    signal.addEventListener('abort', onAbort)

    dispatcher.dispatch({ ...outgoing, headersTimeout: 0, bodyTimeout: 0 }, {
      // Called when the connection stands and the request is about to be written. What was broken off before is not sent at all.
      onRequestStart (started) {
        if (over) started.abort(new Error('broken off before it was sent'))
        else connection = started
      },
      onResponseStart (_, status, headers) {
        if (status < 200) return
        head = { status, headers: joined(headers) }
        if (status > 599) breakOff('unreadable')
      },
      onResponseData (_, chunk) {
        bytes += chunk.length
        chunks.push(chunk)
        if (bytes > mostBytes) breakOff('too-large')
      },
      onResponseEnd () {
        if (head !== undefined) end({ ...head, body: Buffer.concat(chunks) })
      },
      onResponseError (_, error) {
        breakOff(whyBroken(error), error)
      }
    })
  })
}

/** A refusal is one even when its body never came; anything else needs its whole answer. */
function unfinished (head: Omit<Answered, 'body'> | undefined, why: Why, sent: boolean, cause: unknown): Exchange {
  return head !== undefined && head.status >= 300 && head.status <= 599 ? { ...head, body: undefined } : { why, sent, cause }
}

function whyBroken (error: unknown): Why {
  if (error instanceof AddressRefused) return 'address-refused'
  if (error instanceof errors.HeadersOverflowError || error instanceof AnswerTooLarge) return 'too-large'
  return error instanceof errors.HTTPParserError || error instanceof AnswerUnreadable ? 'unreadable' : 'failed'
}

const joined = (headers: Readonly<Record<string, string | string[] | undefined>>): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value = '']) => [name.toLowerCase(), typeof value === 'string' ? value : value.join(', ')]))
