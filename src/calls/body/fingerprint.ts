/** What is remembered of a text in the CRM: enough to know it again, nothing that could be read. */
import { hash } from 'node:crypto'

/**
 * Per section (or message) what we last wrote there: the fingerprint of the text; with a mark in front when the text was there
 * before we came; with the fingerprint of the whole text behind it when the CRM took only a part. Small, and JSON.
 */
export type Fingerprints = Record<string, string>

/** White space around a text does not count, because CRMs trim what they save. */
export function fingerprintOf (text: string): string {
  return hash('sha256', text.trim(), 'base64url').slice(0, 16)
}

const FOUND = '~'
const OF = '/'

/** Of a text that was there before we came: it counts as ours, but no client of ours ever sent it. */
export function found (fingerprint: string): string {
  return FOUND + fingerprint
}

export function isFound (remembered: string): boolean {
  return remembered.startsWith(FOUND)
}

/** Of a text that is a part of the one remembered before. */
export function partOf (remembered: string, fingerprint: string): string {
  return fingerprint + OF + withoutMark(remembered).split(OF).at(-1)
}

/** Whether a fingerprint is of the whole text, of which the CRM took only a part. */
export function isOfWhole (fingerprint: string, remembered: string | undefined): boolean {
  return remembered !== undefined && remembered.endsWith(OF + fingerprint)
}

/** Whether a fingerprint is that of the text that we left in the CRM. */
export function isSame (fingerprint: string, remembered: string | undefined): boolean {
  return remembered !== undefined && withoutMark(remembered).split(OF)[0] === fingerprint
}

function withoutMark (remembered: string): string {
  return isFound(remembered) ? remembered.slice(FOUND.length) : remembered
}
