import fc from 'fast-check'
import t from 'tap'
import { isSameNumber, masked, phoneForms, phoneVariants } from '../../src/contract/phone.ts'

await t.test('a number has the forms in which CRMs hold it', t => {
  t.strictSame(phoneForms('+16505550100'), { e164: '+16505550100', digits: '16505550100', national: '6505550100', formatted: '(650) 555-0100' })
  t.strictSame(phoneForms('+390612345678'), { e164: '+390612345678', digits: '390612345678', national: '0612345678', formatted: '06 1234 5678' }, 'an Italian zero belongs to the number')
  for (const none of ['', '101', 'anonymous', '+', '+99999', '+1800FLOWERS', '+49 800 1FLOWERS']) t.equal(phoneForms(none), undefined, none)
  t.end()
})

await t.test('masks are filled with the digits of the national number', t => {
  const table: Array<[mask: string, filled: string]> = [
    ['(***) ***-****', '(650) 555-0100'],
    ['###.###.####', '650.555.0100'],
    ['1-***-***-****', '1-650-555-0100'],
    ['***', '650'],
    ['(***) ***-**** ****', '(650) 555-0100 '],
    ['no mask', 'no mask']
  ]
  for (const [mask, filled] of table) t.equal(masked('6505550100', mask), filled, mask)
  t.end()
})

await t.test('variants are distinct, those of the user come first, and an extension is only itself', t => {
  t.strictSame(phoneVariants('+16505550100', ['***-***-****', '(***) ***-****']), ['650-555-0100', '(650) 555-0100', '+16505550100', '16505550100', '6505550100'])
  t.strictSame(phoneVariants('101', ['(***) ***-****']), ['101'])
  t.strictSame(phoneVariants('+1800FLOWERS', ['(***) ***-****']), ['+1800FLOWERS'])
  t.end()
})

await t.test('numbers are compared whatever they look like', t => {
  const same: Array<[number: string, text: string]> = [
    ['+16505550100', '+1 650-555-0100'],
    ['+16505550100', '(650) 555.0100'],
    ['+16505550100', '1 650 555 0100'],
    ['+16505550100', '16505550100'],
    ['+16505550100', '650 555 0100 ext. 12'],
    ['+16505550100', '650-555-0100;ext=12'],
    ['+16505550100', '6505550100,,12#'],
    ['+16505550100', '001 650 555 0100'],
    ['+16505550100', 'mobile: 650 555 0100'],
    ['+16505550100', '650.555.0199 / 650.555.0100'],
    ['+16505550100', '650-555-0199, 650-555-0100'],
    ['+16505550100', '650-555-0199 or 650-555-0100'],
    ['+16505550100', 'Büro 650-555-0199 Handy: 650-555-0100 (privat)'],
    ['+491701234567', '0170/1234567'],
    ['+491701234567', '+49 (0)170 1234567'],
    ['+491701234567', '011 49 170 1234567'],
    ['+61255501234', '0011 61 2 5550 1234'],
    ['+390612345678', '06 1234 5678'],
    ['+79123456789', '8 (912) 345-67-89'],
    ['+80012345678', '+800 1234 5678'],
    // Mexican mobiles until 2019, and the 15 that Argentines dial before theirs.
    ['+525512345678', '+52 1 55 1234 5678'],
    ['+525512345678', '1 55 1234 5678'],
    ['+525512345678', '5215512345678'],
    ['+525512345678', '044 55 1234 5678'],
    ['+525512345678', '045 55 1234 5678'],
    ['+525512345678', '01 55 1234 5678'],
    ['+5215512345678', '+52 55 1234 5678'],
    ['+5215512345678', '55 1234 5678'],
    ['+5491123456789', '011 15 2345-6789'],
    ['+5491123456789', '+54 9 11 2345-6789'],
    ['+5492211234567', '0221 15 123-4567'],
    ['101', ' 101 '],
    ['+1800FLOWERS', '+1800FLOWERS'],
    // Digits that could be a long national number, too.
    ['+4915112345678', '4915112345678'],
    ['+6281234567890', '6281234567890'],
    ['+38343201234', '38343201234']
  ]
  for (const [number, text] of same) t.equal(isSameNumber(number, text), true, `${number} is ${text}`)
  const others: Array<[number: string, text: string]> = [
    ['+16505550100', '+49 650 5550100'],
    ['+16505550100', '650 555 01009'],
    ['+16505550100', '555 0100'],
    ['+16505550100', ''],
    ['+16505550100', 'call after 5'],
    ['+16505550100', '650, 5550100'],
    ['+16505550100', '650 555 0199 ext. 0100, 555 0100'],
    ['+525512345678', '+52 1 55 1234 567'],
    ['+525512345678', '+1 52 5512345678'],
    ['101', '1010'],
    ['+1800FLOWERS', '+1 800'],
    ['+1800FLOWERS', '+1800TAXI']
  ]
  for (const [number, text] of others) t.equal(isSameNumber(number, text), false, `${number} is not ${text}`)
  t.end()
})

await t.test('every variant of a number is that number, and no text makes it fail', t => {
  const numbers = fc.tuple(fc.constantFrom('650', '212', '415'), fc.integer({ min: 200_0000, max: 999_9999 })).map(([area, rest]) => `+1${area}${rest}`)
  fc.assert(fc.property(numbers, number => phoneVariants(number, ['***/***-****']).every(variant => isSameNumber(number, variant))))
  fc.assert(fc.property(numbers, fc.string({ unit: 'binary' }), (number, text) => typeof isSameNumber(number, text) === 'boolean'))
  t.end()
})
