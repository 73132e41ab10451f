import fc from 'fast-check'
import t from 'tap'
import { tokenAnswer } from '../../src/tokens/token-answer.ts'

const asItIs = (answer: unknown): unknown => answer
const refused = { status: 400, body: { error: 'invalid_grant' } }

await t.test('token answers that bend the standard are straightened', async t => {
  const table: Array<[title: string, status: number, text: string, want: object]> = [
    ['as it should be', 200, '{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r","scope":"x y"}',
      { status: 200, body: { access_token: 'a', token_type: 'Bearer', expires_in: 3600, refresh_token: 'r', scope: 'x y' } }],
    ['without token_type', 200, '{"access_token":"a"}', { status: 200, body: { access_token: 'a', token_type: 'Bearer' } }],
    ['a token_type of its own', 200, '{"access_token":"a","token_type":"BearerToken"}', { status: 200, body: { access_token: 'a', token_type: 'Bearer' } }],
    ['created', 201, '{"access_token":"a"}', { status: 200, body: { access_token: 'a', token_type: 'Bearer' } }],
    ['expires_in as text', 200, '{"access_token":"a","expires_in":"3599"}', { status: 200, body: { access_token: 'a', token_type: 'Bearer', expires_in: 3599 } }],
    ['an expires_in that says nothing', 200, '{"access_token":"a","expires_in":"never"}', { status: 200, body: { access_token: 'a', token_type: 'Bearer' } }],
    ['an empty expires_in', 200, '{"access_token":"a","expires_in":""}', { status: 200, body: { access_token: 'a', token_type: 'Bearer' } }],
    ['an expires_in of zero', 200, '{"access_token":"a","expires_in":0}', { status: 200, body: { access_token: 'a', token_type: 'Bearer' } }],
    ['a refresh token of null', 200, '{"access_token":"a","refresh_token":null,"scope":["x"]}', { status: 200, body: { access_token: 'a', token_type: 'Bearer' } }],
    ['an id token', 200, '{"access_token":"a","id_token":"not.a.token"}', { status: 200, body: { access_token: 'a', token_type: 'Bearer' } }],
    ['one level deeper', 200, '{"success":true,"data":{"access_token":"a","expires_in":"60"}}', { status: 200, body: { access_token: 'a', token_type: 'Bearer', expires_in: 60 } }],
    ['further members', 200, '{"access_token":"a","api_domain":"https://acme.example.com"}',
      { status: 200, body: { access_token: 'a', token_type: 'Bearer', api_domain: 'https://acme.example.com' } }],
    ['as a form', 200, 'access_token=a&expires_in=60', { status: 200, body: { access_token: 'a', token_type: 'Bearer', expires_in: 60 } }],
    ['an error as it should be', 400, '{"error":"invalid_grant","error_description":"gone"}', refused],
    ['an error with 200', 200, '{"error":"invalid_grant"}', refused],
    ['an error with 401', 401, '{"error":"invalid_grant"}', refused],
    ['an error with 500', 500, '{"error":"invalid_grant"}', refused],
    ['an error as a form', 400, 'error=invalid_grant\n', refused],
    ['an error one level deeper', 400, '{"success":false,"data":{"error":"invalid_grant"}}', refused],
    ['an error of another shape', 400, '{"error":{"code":"invalid"}}', { status: 400, body: {} }],
    ['an error page', 503, '<html>down</html>', { status: 503, body: {} }],
    ['a success without tokens', 200, '{"ok":true}', { status: 502, body: {} }],
    ['a redirect', 302, '', { status: 502, body: {} }],
    ['a list', 200, '[1]', { status: 502, body: {} }]
  ]
  for (const [title, status, text, want] of table) t.strictSame(tokenAnswer(text, status, asItIs), want, title)
})

await t.test('a connector straightens what only it knows', async t => {
  const anyRefusal = (answer: unknown, status: number): unknown => status >= 400 && status < 500 ? { error: 'invalid_grant' } : answer
  t.strictSame(tokenAnswer('Token already exchanged', 400, anyRefusal), refused)
  t.strictSame(tokenAnswer('', 503, anyRefusal), { status: 503, body: {} })
})

await t.test('whatever is answered, the status is one that a response can have', async () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), fc.integer({ min: 200, max: 599 }), (text, status) => {
    const { status: straightened, body } = tokenAnswer(text, status, asItIs)
    return straightened >= 200 && straightened <= 599 && JSON.stringify(body).startsWith('{')
  }))
})
