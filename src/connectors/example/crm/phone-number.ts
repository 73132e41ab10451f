import { parsePhoneNumberFromString } from 'libphonenumber-js/max'

/** A number as it is kept: in E.164 when it can be understood (of the US when no country is said), else its digits alone. */
export function storedNumber (written: string): string {
  const parsed = parsePhoneNumberFromString(written, 'US')
  return parsed?.isPossible() === true ? parsed.number : written.replace(/\D/g, '')
}

/** What two notations of one number have in common: the digits, country code first. */
export const comparableNumber = (written: string): string => storedNumber(written).replace('+', '')
