/** The demo's way to ask a server. */

/** The demo cannot go on; the message says why and what to do. */
export class DemoStopped extends Error {
  override readonly name = 'DemoStopped'
}

export interface Request {
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
}

export interface Answer {
  readonly status: number
  readonly text: string
  /** The parsed body; undefined when it is not JSON. */
  readonly json: unknown
}

/** @throws {DemoStopped} when nobody answers */
export async function ask (method: string, url: string, { headers, body }: Request = {}): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) })
  }).catch((cause: unknown) => { throw new DemoStopped(`Nobody answers at ${new URL(url).origin}.`, { cause }) })
  const text = await response.text()
  return { status: response.status, text, json: parsed(text) }
}

function parsed (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // Plain text is an answer too.
  }
}
