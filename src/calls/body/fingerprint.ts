/** What is remembered of a text in the CRM: enough to know it again, nothing that could be read. */
import { createHash } from 'node:crypto'

/** Per section (or message) what we last wrote there. Small, and JSON. */
export type Fingerprints = Record<string, string>

/** White space around a text does not count, because CRMs trim what they save. */
export function fingerprintOf (text: string): string {
  return createHash('sha256').update(text.trim()).digest('base64url').slice(0, 16)
}

const FOUND = '~'

/** Marks a text that was there before we came: it counts as ours, but no client of ours ever sent it. */
export function found (fingerprint: string): string {
  return FOUND + fingerprint
}

export function isFound (remembered: string): boolean {
  return remembered.startsWith(FOUND)
}

/** Whether a fingerprint is the remembered one, marked or not. */
export function isSame (fingerprint: string, remembered: string | undefined): boolean {
  return fingerprint === remembered || found(fingerprint) === remembered
}
