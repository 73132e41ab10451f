/** Decompresses answers, and stops where an answer grows too large: a few bytes on the wire may be gigabytes of text. */
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw, type BrotliOptions, type InputType, type ZlibOptions } from 'node:zlib'

export class AnswerTooLarge extends Error {
  override readonly name = 'AnswerTooLarge'
}

export class AnswerUnreadable extends Error {
  override readonly name = 'AnswerUnreadable'
}

type Decoder = (body: InputType, options: ZlibOptions & BrotliOptions) => Promise<Buffer>

const zlib: Decoder = promisify<InputType, ZlibOptions, Buffer>(inflate)
const bare: Decoder = promisify<InputType, ZlibOptions, Buffer>(inflateRaw)
const gzip: Decoder = promisify<InputType, ZlibOptions, Buffer>(gunzip)

const decoders: Readonly<Record<string, Decoder>> = {
  gzip,
  'x-gzip': gzip,
  br: promisify<InputType, BrotliOptions, Buffer>(brotliDecompress),
  // Some servers leave the zlib header out, which begins with the method 8.
  deflate: async (body, options) => await (body instanceof Uint8Array && ((body[0] ?? 0) & 0x0f) === 8 ? zlib : bare)(body, options)
}

/** What servers say of a body that is not compressed; some mistake the header for the one that names the charset. */
const plain: ReadonlySet<string> = new Set(['', 'identity', 'none', 'utf-8', 'utf8'])

/** For `Accept-Encoding`. */
export const acceptedEncodings = 'gzip, deflate, br'

/**
 * @param encoding the value of `Content-Encoding`
 * @throws {AnswerTooLarge} when it is larger than `mostBytes`
 * @throws {AnswerUnreadable} for an encoding that was not asked for, or a body that is not in it
 */
export async function decode (body: Buffer, encoding: string | undefined, mostBytes: number): Promise<Buffer> {
  const name = encoding?.trim().toLowerCase() ?? ''
  if (plain.has(name) || body.length === 0) return body
  const decoder = Object.hasOwn(decoders, name) ? decoders[name] : undefined
  if (decoder === undefined) throw new AnswerUnreadable('The encoding is not known')
  try {
    return await decoder(body, { maxOutputLength: mostBytes })
  } catch (cause) {
    throw cause instanceof RangeError ? new AnswerTooLarge('The answer is too large', { cause }) : new AnswerUnreadable('The answer does not decompress', { cause })
  }
}
