import fastify from 'fastify'
import t from 'tap'
import { Answer } from '../../src/contract/answer.ts'
import { PatchbayError, errorCodes, type ErrorCode } from '../../src/contract/errors.ts'
import { components } from '../../src/contract/components.ts'
import { Type, ref, type TSchema } from '../../src/contract/type.ts'
import errors from '../../src/plugins/errors.ts'

const told = (Object.keys(errorCodes) as ErrorCode[]).filter(code => errorCodes[code].status === 200)

await t.test('a failure is answered with 200 only where the answer of success has a place for it', async t => {
  const app = fastify()
  for (const component of components) app.addSchema(component)
  await app.register(errors)
  const strict = Type.Object({ known: Type.Boolean() })
  const table: Array<[url: string, success: TSchema | undefined, status: (retryable: boolean) => number]> = [
    ['/envelope', ref(Answer), () => 200],
    ['/own-envelope', Answer, () => 200],
    ['/nothing-declared', undefined, () => 200],
    ['/none', strict, retryable => retryable ? 503 : 400],
    ['/anything', Type.Record(Type.String(), Type.Unknown()), retryable => retryable ? 503 : 400],
    ['/text', Type.Unsafe({ description: 'x', content: { 'text/plain': { schema: Type.String() } } }), retryable => retryable ? 503 : 400]
  ]
  for (const [url, success] of table) {
    app.get<{ Querystring: { code: ErrorCode } }>(url, success === undefined ? {} : { schema: { response: { 200: success } } }, async request => { throw new PatchbayError(request.query.code) })
  }
  for (const [url, , status] of table) {
    for (const code of told) {
      const { retryable, message } = errorCodes[code]
      const answer = await app.inject(`${url}?code=${code}`)
      t.equal(answer.statusCode, status(retryable), `${url} ${code}`)
      t.match(answer.json(), { successful: false, returnMessage: { message: new RegExp(`^${message}`) }, error: { code, retryable } }, `${url} ${code}`)
    }
  }
})
