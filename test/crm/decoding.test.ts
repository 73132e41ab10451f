import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import t from 'tap'
import { AnswerTooLarge, AnswerUnreadable, decode } from '../../src/crm/decoding.ts'

const text = Buffer.from('{"name":"Ann"}')
const most = 1024 * 1024

await t.test('every encoding that is asked for is decoded', async t => {
  const table: Array<[encoding: string | undefined, body: Buffer]> = [
    [undefined, text],
    ['', text],
    ['identity', text],
    ['none', text],
    ['UTF-8', text],
    ['utf8', text],
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    [' GZIP ', gzipSync(text)],
    ['br', brotliCompressSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)]
  ]
  for (const [encoding, body] of table) t.strictSame(await decode(body, encoding, most), text, String(encoding))
  t.strictSame(await decode(Buffer.alloc(0), 'gzip', most), Buffer.alloc(0), 'nothing stays nothing')
})

await t.test('a bomb is stopped where it grows too large', async t => {
  const bomb = Buffer.alloc(most + 1)
  for (const [encoding, body] of [['gzip', gzipSync(bomb)], ['br', brotliCompressSync(bomb)], ['deflate', deflateSync(bomb)]] as const) {
    await t.rejects(decode(body, encoding, most), AnswerTooLarge, encoding)
    t.equal((await decode(body, encoding, most + 1)).length, most + 1)
  }
})

await t.test('what is not in its encoding, or in another one, is unreadable', async t => {
  const table: Array<[encoding: string, body: Buffer]> = [
    ['gzip', text],
    ['gzip', gzipSync(text).subarray(0, -5)],
    ['br', text],
    ['deflate', text],
    ['zstd', text],
    ['compress', text],
    ['whatever', text],
    ['utf-8, gzip', gzipSync(text)],
    ['gzip, gzip', gzipSync(gzipSync(text))],
    ['constructor', text]
  ]
  for (const [encoding, body] of table) await t.rejects(decode(body, encoding, most), AnswerUnreadable, encoding)
})
