import t from 'tap'
import { Type, TypeCompiler, Value } from '../../src/contract/type.ts'

const fits = {
  date: ['2026-03-01', '2024-02-29', '0001-01-01'],
  time: ['14:05:00Z', '14:05:00.123+02:00', '00:00:00-0330', '23:59:60z', '14:05:00+02'],
  'date-time': ['2026-03-01T14:05:00Z', '2026-03-01T14:05:00.000+0000', '2024-02-29t23:59:59-08:00'],
  email: ['ann@example.com', 'ann.smith+crm@mail.example.co.uk', 'änn@exämple.de'],
  uri: ['https://example.com/a?b#c', 'mailto:ann@example.com', 'urn:isbn:0451450523', 'http://[::1]:80/'],
  uuid: ['0191d6f2-7c3a-7b6e-9d58-2f4b1c9a3e57', '0191D6F2-7C3A-7B6E-9D58-2F4B1C9A3E57', '00000000-0000-0000-0000-000000000000']
}
const doesNot = {
  date: ['', '2026-3-1', '2026-02-29', '2026-13-01', '2026-00-10', '2026-04-31', '2026-03-01T00:00:00Z', '01.03.2026', '2026-03-01\n'],
  time: ['', '14:05', '14:05:00', '24:00:00Z', '14:60:00Z', '14:05:61Z', '2:05:00Z', '14:05:00+24:00', '14:05:00Z\n'],
  'date-time': ['', '2026-03-01', '2026-03-01 14:05', '2026-03-01T14:05:00', '2026-02-30T14:05:00Z', '2026-03-01T25:05:00Z', '2026-03-01TT14:05:00Z'],
  email: ['', 'ann', 'ann@', '@example.com', 'ann@example', 'ann smith@example.com', 'a@b@example.com', 'ann@example.com\n'],
  uri: ['', '/a/b', 'example.com', 'https://', 'https://exa mple.com', 'https://example.com/a b', '//example.com'],
  uuid: ['', '0191d6f27c3a7b6e9d582f4b1c9a3e57', '0191d6f2-7c3a-7b6e-9d58-2f4b1c9a3e5', '{0191d6f2-7c3a-7b6e-9d58-2f4b1c9a3e57}', '0191d6f2-7c3a-7b6e-9d58-2f4b1c9a3g57']
}

for (const [format, texts] of Object.entries(fits)) {
  await t.test(`what is a ${format}, and what is none`, async t => {
    const schema = Type.String({ format })
    for (const [expected, list] of [[true, texts], [false, doesNot[format as keyof typeof doesNot]]] as const) {
      for (const text of list) {
        t.equal(Value.Check(schema, text), expected, JSON.stringify(text))
        t.equal(TypeCompiler.Compile(schema).Check(text), expected, `${JSON.stringify(text)}, compiled`)
      }
    }
  })
}

await t.test('a format that nobody could check is refused with the schema, not with the first value', async t => {
  const unknown = Type.Optional(Type.String({ format: 'dat' }))
  const table = [
    unknown, Type.Object({ a: unknown }), Type.Array(unknown), Type.Union([Type.Null(), unknown]), Type.Record(Type.String(), unknown),
    Type.Object({ default: Type.Object({ format: unknown }) })
  ]
  t.ok(TypeCompiler.Compile(Type.Integer({ format: 'int64' })).Check(1), 'that of a number says how large it may be, and is not checked')
  for (const schema of table) t.throws(() => TypeCompiler.Compile(schema), { message: 'There is no format "dat"; those are date, time, date-time, email, uri, uuid' }, JSON.stringify(schema))
})

await t.test('a member of the name "format" is no format', async t => {
  const schema = Type.Object({ format: Type.String() }, { default: { format: 'mp3' } })
  t.ok(TypeCompiler.Compile(schema).Check({ format: 'mp3' }))
})
