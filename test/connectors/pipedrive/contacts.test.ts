import t from 'tap'
import { connected } from './connected.ts'

const matched = (answer: any): any[] => answer.json.contact.filter((contact: any) => contact.isNewContact !== true)
const names = (answer: any): string[] => matched(answer).map(({ name }) => name)

await t.test('P-03: a caller is matched in one request, with open deals and leads', async t => {
  const pipedrive = await connected(t)
  const answer = await pipedrive.get('/contact?phoneNumber=+16504445566')
  t.strictSame(matched(answer), [{
    id: 1,
    name: 'John Smith',
    phone: '(650) 444-5566',
    organization: 'Acme Tooling',
    additionalInfo: {
      deals: [{ const: 42, title: 'Annual licence' }, { const: 43, title: 'Training days' }],
      leads: [{ const: 'adf21080-0e10-11eb-879b-05d71fb426ec', title: 'Support contract' }]
    }
  }], 'neither won and archived deals nor archived leads; what is remembered stays here')
  const [request, ...more] = await pipedrive.receivedInFull()
  t.match(request, { method: 'GET', path: '/api/v2/itemSearch', query: { term: '6504445566', fields: 'phone', search_for_related_items: 'true' } })
  t.strictSame(more, [])
  t.equal(pipedrive.fake.spent().units, 20)
})

await t.test('three people who share a number are matched, however it is written, and nobody else', async t => {
  const pipedrive = await connected(t)
  t.ok(pipedrive.fake.held.people.some(({ phones: [phone] }) => phone?.value === '+49 4155 550123'), 'one has the same digits in another country')
  const answer = await pipedrive.get('/contact?phoneNumber=+14155550123')
  t.strictSame(names(answer), ['Maria Garcia', 'Paul Garcia', 'Zoë Østergård 王'])
  t.strictSame(matched(answer).map(({ additionalInfo }) => additionalInfo.deals), [[{ const: 46, title: 'Bakery oven' }], [], []])
  t.strictSame(await pipedrive.received(), ['GET /api/v2/itemSearch'], 'a number more people share costs no more')
})

await t.test('an internal extension is nobody, and nothing is asked', async t => {
  const pipedrive = await connected(t)
  t.match((await pipedrive.get('/contact?phoneNumber=101&isExtension=true')).json, { successful: true, contact: [{ isNewContact: true }] })
  t.strictSame(await pipedrive.received(), [])
})

await t.test('C-12: contacts are found by any name, because the term is encoded', async t => {
  const pipedrive = await connected(t)
  const table: Array<[name: string, found: string[]]> = [
    ['smith', ['John Smith', 'Jane Smith']],
    ['  smith ', ['John Smith', 'Jane Smith']],
    ["O'Neil & Söhne", ["Conor O'Neil & Söhne"]],
    ['østergård 王', ['Zoë Østergård 王']],
    ['王', []],
    ['100%?#/+ Zoë', []],
    [' ', []]
  ]
  for (const [name, found] of table) {
    const answer = await pipedrive.get(`/custom/contact/search?name=${encodeURIComponent(name)}`)
    t.match(answer.json, { successful: true }, name)
    t.strictSame(names(answer), found, name)
  }
  const [john] = matched(await pipedrive.get('/custom/contact/search?name=john'))
  t.match(john, { id: 1, phone: '(650) 444-5566', additionalInfo: { deals: [{}, {}], leads: [{}] } })
  const terms = (await pipedrive.receivedInFull()).map(({ query }) => query.term)
  t.strictSame(terms, [...table.map(([name]) => name.trim()).filter(name => name !== ''), 'john'])
})

await t.test('a placeholder contact is made with a typed number, and matched from then on without a search', async t => {
  const pipedrive = await connected(t)
  t.strictSame(names(await pipedrive.get('/contact?phoneNumber=+19995550100')), [])
  const created = await pipedrive.send('POST', '/contact', { phoneNumber: '+19995550100', newContactName: 'Nia <New> 王', newContactType: '', additionalSubmission: { deals: 'x' } })
  t.match(created.json, { successful: true, contact: { id: 8, name: 'Nia <New> 王', phone: '+19995550100', additionalInfo: { deals: [], leads: [] } } })
  t.strictSame(pipedrive.fake.held.people.at(-1), {
    id: 8, name: 'Nia <New> 王', owner_id: 11, org_id: null, phones: [{ value: '+19995550100', primary: true, label: 'work' }], emails: []
  })
  t.strictSame(names(await pipedrive.get('/contact?phoneNumber=+19995550100')), ['Nia <New> 王'])
  t.strictSame(await pipedrive.received(), ['GET /api/v2/itemSearch', 'POST /api/v2/persons'])
})

await t.test('the users of the company are listed without those who are gone', async t => {
  const pipedrive = await connected(t)
  const { connector, context } = await pipedrive.caller()
  t.strictSame(await connector.operations.getUserList?.(context), [
    { id: '11', name: 'Ann Agent', email: 'ann.agent@example.com' },
    { id: '12', name: 'Bob Broker', email: 'bob.broker@example.com' }
  ])
})
