/** Telephone numbers: the forms that CRMs hold them in, and whether two of them are the same number. */
import { parsePhoneNumberFromString, type PhoneNumber } from 'libphonenumber-js/max'

/** A number in the forms in which it may have been typed into a CRM. */
export interface PhoneForms {
  /** `+16505550100`. */
  readonly e164: string
  /** `16505550100`. */
  readonly digits: string
  /** Without country code and trunk prefix, `6505550100`: the part that all forms have in common. */
  readonly national: string
  /** As it is written within its country: `(650) 555-0100`. */
  readonly formatted: string
}

/** The whole text as a number. Of one with letters (`+1800FLOWERS`) the digits alone would be another number. */
const numberIn = (text: string): PhoneNumber | undefined => parsePhoneNumberFromString(text.trim(), { extract: false })

/**
 * @param text in E.164
 * @returns undefined for what is no number of the public network, such as an internal extension, and for a number that is written with letters
 */
export function phoneForms (text: string): PhoneForms | undefined {
  const number = numberIn(text)
  if (number === undefined) return undefined
  return { e164: number.number, digits: number.number.slice(1), national: number.nationalNumber, formatted: number.format('NATIONAL') }
}

/**
 * A number in the mask that a user gave: each `*` and `#` is one digit of the national number, all else is taken as it is.
 * @example masked('6505550100', '(***) ***-****') // '(650) 555-0100'
 */
export function masked (national: string, mask: string): string {
  const digits = national[Symbol.iterator]()
  return mask.replace(/[*#]/g, () => digits.next().value ?? '')
}

/**
 * For CRMs that compare text by text: every form in which a number may be there, those that users gave first.
 * @param masks such as `(***) ***-****`
 */
export function phoneVariants (text: string, masks: readonly string[] = []): string[] {
  const forms = phoneForms(text)
  if (forms === undefined) return [text]
  return [...new Set([...masks.map(mask => masked(forms.national, mask)), forms.e164, forms.digits, forms.national, forms.formatted])]
}

/**
 * Whether a text that somebody typed holds that number, however it is written: with the country's trunk prefix, with an international
 * prefix, with an extension, with dots, hyphens, slashes and brackets, beside another one.
 * @param number in E.164. A text without country code is read as people of its country write it
 */
export function isSameNumber (number: string, text: string): boolean {
  const known = numberIn(number)
  if (known === undefined) return number === text.trim()
  // A slash stands between two numbers, or between the area code and the rest; so the text is also read as one.
  return [text, ...text.split(betweenNumbers)].some(part => readings(part, known).some(typed => typed !== undefined && today(typed) === today(known)))
}

/**
 * Mexican numbers as they are since 3 August 2019 (IFT, Plan Técnico Fundamental de Numeración): ten digits without 1, 01, 044 or 045 before them.
 * The metadata have no such prefixes any more, address books do.
 */
const today = ({ number }: PhoneNumber): string => number.replace(/^\+52(1|01|04[45])(?=\d{10}$)/, '+52')

/** Signs, and words such as `or`, `oder` and `mobile:`. */
const betweenNumbers = /[/;|,&\n]|\p{L}{2,}/u

/** What people dial before the country code in place of the plus: in most countries, in North America, in Australia. */
const internationalPrefix = /^\s*(0011|011|00)/

function readings (text: string, { country, countryCallingCode }: PhoneNumber): Array<PhoneNumber | undefined> {
  const there = country === undefined ? { defaultCallingCode: countryCallingCode } : { defaultCountry: country }
  const international = [text.replace(internationalPrefix, '+'), ...(text.trim().startsWith(countryCallingCode) ? [`+${text.trim()}`] : [])]
  return [text, ...international].map(form => parsePhoneNumberFromString(form, there))
}
