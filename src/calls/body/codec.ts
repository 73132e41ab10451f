/** What a format does for the table of sections: it finds them in a body, and writes one. */
import { sections, type Section } from './sections.ts'
import type { BodyFormat } from './values.ts'

/** A stretch of a body. The parts of a body, joined, are that body. */
export type Part = Written | Verbatim

/** A section as it stands in a body. */
export interface Written {
  text: string
  section: Section
  /** The value within the text, in the words of the format. */
  inner: string
  /** Only the closing of the section is left. */
  bare?: true
}

/** Anything else: it is never changed. */
export interface Verbatim {
  text: string
  /** It only opens or closes the list around sections. */
  list?: 'opens' | 'closes'
}

export interface Codec {
  format: BodyFormat
  /** Sections start on a line of their own. */
  linewise: boolean
  /** Takes any text apart, in linear time. */
  parse: (body: string) => Part[]
  /** A section in canonical form, the value escaped. */
  render: (section: Section, value: string, label: string) => string
  /** The value of a part as it was given to `render`; markup that others put in stays visible, so that it counts as a change. */
  value: (part: Written) => string
  /** The same for people: formatting that others put in is left out. */
  reading: (part: Written) => string
}

export function isWritten (part: Part): part is Written {
  return 'section' in part
}

export function joined (parts: readonly Part[]): string {
  return parts.map(part => part.text).join('')
}

/**
 * Cuts a body at the heads of its sections, which come in their order; a head inside the section before is that section's text.
 * @param written the section that begins at a head, given the next head
 */
export function partsOf<Head extends { start: number }> (
  body: string, heads: readonly Head[], written: (head: Head, next: Head | undefined) => Written
): Part[] {
  const parts: Part[] = []
  let at = 0
  for (const [index, head] of heads.entries()) {
    if (head.start < at) continue
    const part = written(head, heads[index + 1])
    if (head.start > at) parts.push({ text: body.slice(at, head.start) })
    parts.push(part)
    at = head.start + part.text.length
  }
  if (at < body.length) parts.push({ text: body.slice(at) })
  return parts
}

/** The sections by the words that close them. */
export function sectionsByClosing (format: BodyFormat, key: (label: string) => string): Map<string, Section> {
  return new Map(sections.flatMap(section => {
    const closing = section.closings?.[format]
    return closing === undefined ? [] : [[key(closing), section] as const]
  }))
}

/** The sections by every label that a format knows for them. */
export function sectionsByLabel (format: BodyFormat, key: (label: string) => string): Map<string, Section> {
  return new Map(sections.flatMap(section => section.labels[format].map(label => [key(label), section] as const)))
}
