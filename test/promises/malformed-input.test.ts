/** Whatever arrives is answered as the document says, and never as a failure of the server (promise P10). */
import fc from 'fast-check'
import t from 'tap'
import { startPatchbay, uniqueId, type Patchbay } from '../patchbay.ts'
import { mismatch, readDocument, valueOf, type Document, type Operation } from './json-schema.ts'

const long = process.env['FAULTS'] === 'long'
const runs = long ? 1_000 : 60

interface Request {
  query: string
  token: 'none' | 'mine' | 'query' | 'garbage'
  contentType: string | undefined
  body: string | undefined
}

const query = (document: Document, { query }: Operation): fc.Arbitrary<string> => {
  const declared = fc.record(Object.fromEntries(query.map(({ name, schema }) => [name, valueOf(document, schema, 10)])), { requiredKeys: query.filter(({ required }) => required).map(({ name }) => name) })
  const written = declared.map(members => Object.entries(members).map(([name, value]) => `${name}=${encodeURIComponent((typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed())}`).join('&'))
  const names = fc.constantFrom(...query.map(({ name }) => name), 'jwtToken', 'x', '__proto__', 'constructor')
  const broken = fc.tuple(names, fc.constantFrom('=a&', '[]=1&', '=%zz&', '=%00&', '=%ED%A0%80&', '&', '=&=&', '[a][b]=1&', '=+&', `=${'y'.repeat(8_000)}&`), written).map(([name, text, rest]) => `${name}${text}${name}=b&${rest}`)
  return fc.oneof({ weight: 8, arbitrary: written }, { weight: 2, arbitrary: broken })
}

const body = (document: Document, { body }: Operation): fc.Arbitrary<Pick<Request, 'body' | 'contentType'>> => {
  if (body === undefined) return fc.constant({ body: undefined, contentType: undefined })
  const json = (oddness: number) => valueOf(document, body, oddness).map(value => ({ body: JSON.stringify(value), contentType: 'application/json' }))
  const cut = fc.tuple(json(0), fc.nat(200)).map(([one, length]) => ({ ...one, body: one.body.slice(0, length) }))
  const raw = fc.constantFrom('', ' ', '{', '[]', 'null', '"', '{"a":1,}', '{"a":1}{"b":2}', '\ufeff{}', '{"__proto__":{"x":1}}', '{"constructor":{"prototype":{"x":1}}}', '{"sessionId":"1","sessionId":"2"}', `{"note":"${'z'.repeat(1_200_000)}"}`, '['.repeat(3_000), `{"logInfo":${'{"a":'.repeat(100)}1${'}'.repeat(101)}`)
    .map(text => ({ body: text, contentType: 'application/json' }))
  const typed = fc.tuple(json(5), fc.constantFrom('application/json; charset=utf-16', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/xml', 'image/png', 'nonsense', 'application/json;;', '*/*', 'application/merge-patch+json'))
    .map(([one, contentType]) => ({ ...one, contentType }))
  return fc.oneof({ weight: 6, arbitrary: json(0) }, { weight: 10, arbitrary: json(6) }, { weight: 1, arbitrary: cut }, { weight: 2, arbitrary: raw }, { weight: 1, arbitrary: typed })
}

const request = (document: Document, operation: Operation): fc.Arbitrary<Request> =>
  fc.tuple(query(document, operation), body(document, operation), fc.constantFrom<Request['token']>('mine', 'mine', 'mine', 'mine', 'mine', 'mine', 'query', 'garbage', 'none'))
    .map(([query, body, token]) => ({ query, token, ...body }))

/** What is wrong with the answer to a request. */
async function judge ({ url }: Patchbay, document: Document, { method, path, responses }: Operation, { query, token, contentType, body }: Request, session: string): Promise<string | undefined> {
  const inQuery = token === 'query' ? `${query}&jwtToken=${session}` : query
  const answer = await fetch(`${url}${path}${inQuery === '' ? '' : `?${inQuery}`}`, {
    method,
    redirect: 'manual',
    headers: {
      // Each caller is somebody else, so that nobody is slowed down.
      'x-forwarded-for': `2001:db8::${uniqueId().match(/.{4}/g)?.join(':')}`,
      ...(token === 'mine' && { authorization: `Bearer ${session}` }),
      ...(token === 'garbage' && { authorization: 'Bearer garbage' }),
      ...(contentType !== undefined && { 'content-type': contentType })
    },
    ...(body !== undefined && { body: body.toWellFormed() })
  })
  const text = await answer.text()
  const { status } = answer
  if (status >= 500) return `${status} ${text}`
  const documented = responses[status]
  if (documented === undefined) return `${status} is not documented: ${text}`
  if (status >= 300 && status < 400) return undefined
  const type = answer.headers.get('content-type')?.split(';')[0] ?? 'none'
  const schema = documented.content?.[type]?.schema
  if (schema === undefined) return `${status} with ${type} is not documented: ${text.slice(0, 200)}`
  const problem = type === 'application/json' ? mismatch(document, schema, JSON.parse(text)) : undefined
  return problem === undefined ? undefined : `${status} ${problem}: ${text.slice(0, 500)}`
}

await t.test('every answer is one that the document describes, and none is a failure of the server', { timeout: 3_600_000 }, async t => {
  const patchbay = await startPatchbay(t, { recoverEvery: 3_600_000, logLevel: 'error', config: { trustProxy: ['127.0.0.1'] } })
  await t.test('of the root and of a connector', async t => {
    for (const source of ['/openapi.json', '/connectors/example/openapi.json']) {
      const document = readDocument((await patchbay.call(source)).json)
      for (const operation of document.operations) {
        let session = await patchbay.connectUser()
        await t.test(`${operation.method} ${operation.path}`, async t => {
          const property = fc.asyncProperty(request(document, operation), async one => {
            if (operation.operationId === 'unAuthorize') session = await patchbay.connectUser()
            const problem = await judge(patchbay, document, operation, one, session)
            if (problem !== undefined) throw new Error(problem)
          })
          const { failed, counterexample, errorInstance, seed } = await fc.check(property, { numRuns: runs, ...(!long && { seed: 1 }), interruptAfterTimeLimit: 600_000 })
          t.notOk(failed, `${(errorInstance as Error | undefined)?.message.slice(0, 2_000) ?? 'all'} ${failed ? JSON.stringify(counterexample).slice(0, 2_000) : ''} (seed ${seed})`)
        })
      }
    }
  })
  t.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
})
