import t from 'tap'
import { readSubmission } from '../../src/contract/submission.ts'
import { Type } from '../../src/contract/type.ts'

const schema = Type.Object({
  whole: Type.Optional(Type.Integer()),
  rate: Type.Optional(Type.Number()),
  ticked: Type.Optional(Type.Boolean()),
  text: Type.Optional(Type.String()),
  wholes: Type.Optional(Type.Array(Type.Integer())),
  texts: Type.Optional(Type.Array(Type.String())),
  step: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(16)])),
  kind: Type.Optional(Type.Union([Type.Literal('a'), Type.Literal('1')])),
  either: Type.Optional(Type.Union([Type.Integer(), Type.Boolean()]))
})
type Field = keyof typeof schema.properties

await t.test('what a form sends is converted where nothing of it is lost', async t => {
  const table: Array<[field: Field, given: unknown, taken: unknown]> = [
    ['whole', 42, 42],
    ['whole', '42', 42],
    ['whole', ' 42 ', 42],
    ['whole', '-7', -7],
    ['whole', '05', 5],
    ['whole', '3.0', 3],
    ['whole', '9007199254740991', 9007199254740991],
    ['rate', 1.9, 1.9],
    ['rate', '1.50', 1.5],
    ['rate', '.5', 0.5],
    ['rate', '+5.', 5],
    ['rate', '0.30000000000000004', 0.30000000000000004],
    ['rate', '-0.1', -0.1],
    ['rate', '12', 12],
    ['ticked', false, false],
    ['ticked', 'false', false],
    ['ticked', 'True', true],
    ['ticked', '1', true],
    ['ticked', 0, false],
    ['text', '1.50', '1.50'],
    ['text', 7, '7'],
    ['text', true, 'true'],
    ['wholes', ['1', 2], [1, 2]],
    ['wholes', '1', [1]],
    ['texts', 'x', ['x']],
    ['texts', [7], ['7']],
    ['step', '16', 16],
    ['kind', 'a', 'a'],
    ['kind', 1, '1'],
    ['either', true, true],
    ['either', '2', 2]
  ]
  for (const [field, given, taken] of table) t.strictSame(readSubmission(schema, { [field]: given }), { [field]: taken }, `${field}: ${JSON.stringify(given)}`)
})

await t.test('what would become another value is refused, and the field is named', async t => {
  const table: Array<[field: Field, ...given: unknown[]]> = [
    ['whole', 1.9, '1.5', '0x10', '1e3', true, false, 'none', ' ', '1 2', '1,5', '+ 1', '.5', '.', '1.2.3', [3], {}],
    ['whole', 9007199254740992, '9007199254740992', '9007199254740993', '-9007199254740993', 1e300, '1.0000000000000000001'],
    ['rate', '0x10', '1e3', '1,5', 'Infinity', 'NaN', true, '9007199254740993', '4503599627370497.3', '0.12345678901234567890'],
    ['ticked', 'no', 2, 'on', []],
    ['text', [], {}],
    ['wholes', [1.5], ['1.5'], [true], 'x', [9007199254740992]],
    ['step', '0x10', '1e0', true, 2, '1.5'],
    ['kind', 'A', ' a', true],
    ['either', 1.5, '1.5', '1e3', 9007199254740992]
  ]
  for (const [field, ...refused] of table) {
    for (const given of refused) {
      t.throws(() => readSubmission(schema, { [field]: given }), { code: 'invalid', field: new RegExp(`^${field}\\b`), message: new RegExp(`^The field ${field}\\b`) }, `${field}: ${JSON.stringify(given)}`)
    }
  }
})

await t.test('fields of other kinds are left out, empty ones are absent, and what was given stays as it was', async t => {
  const given = { whole: '', rate: null, wholes: ['1'], other: 'x', constructor: 'y' }
  t.strictSame(readSubmission(schema, given), { wholes: [1] })
  t.strictSame(given.wholes, ['1'])
  t.strictSame(readSubmission(schema, undefined), {})
})
