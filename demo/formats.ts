/** How a person writes into the text of a record, and where its facts stand, in each format. */
import type { LogFormat } from '../src/contract/connector.ts'

interface Format {
  /** Ann's own words. */
  readonly inFront: string
  readonly atTheEnd: string
  /** What keeps them apart from the text. */
  readonly between: string
  /** Finds the value behind a label. */
  readonly fact: (label: string) => RegExp
}

const formats: Record<LogFormat, Format> = {
  'text/plain': {
    inFront: 'VIP! Ask R&D first, costs $100 & up.',
    atTheEnd: 'Ann: he sounded happy, call back on Monday.',
    between: '\n',
    fact: label => new RegExp(`(?<=^- ${label}: ).+`, 'm')
  },
  'text/html': {
    inFront: '<p>VIP! Ask R&amp;D first, costs $100 &amp; up.</p>',
    atTheEnd: '<p>Ann: he sounded happy, <i>call back on Monday</i>.</p>',
    between: '',
    fact: label => new RegExp(`(?<=<b>${label}</b>: )[^<]+`)
  },
  'text/markdown': {
    inFront: 'VIP! Ask R&D first, costs $100 & up.',
    atTheEnd: 'Ann: he sounded happy, *call back on Monday*.',
    between: '\n\n',
    fact: label => new RegExp(`(?<=^\\*\\*${label}\\*\\*: ).+`, 'm')
  }
}

export interface Words {
  readonly inFront: string
  readonly atTheEnd: string
  /** The text with Ann's words around it. */
  readonly around: (body: string) => string
  /** What the text says behind a label. */
  readonly fact: (body: string, label: string) => string | undefined
}

export function wordsIn (format: LogFormat): Words {
  const { inFront, atTheEnd, between, fact } = formats[format]
  return {
    inFront,
    atTheEnd,
    around: body => [inFront, body, atTheEnd].join(between),
    fact: (body, label) => fact(label).exec(body)?.[0]
  }
}
