/** Log bodies in plain text: `- Label: value` lines, and blocks that run to their end marker. */
import { partsOf, sectionsByLabel, type Codec, type Written } from './codec.ts'
import { chomped, guarded, linesOf, unguarded, withLineFeeds, type Line } from './lines.ts'
import { sections, type Section } from './sections.ts'

const format = 'text/plain'
const byLabel = sectionsByLabel(format, label => label)
const isSpaced = (section: Section) => section.spaced?.includes(format) === true
const closingOf = (section: Section) => section.closings?.[format] ?? '--- END'
const closings = new Set(sections.filter(section => section.kind === 'block').map(closingOf))

export const text: Codec = {
  format,
  linewise: true,

  render (section, value, label) {
    switch (section.kind) {
      case 'opening': return `- ${label}: ${guarded(value, ' ', isMarker)}\n`
      case 'block': return `${isSpaced(section) ? '\n' : ''}- ${label}:\n${guarded(value, ' ', isMarker)}\n${closingOf(section)}\n`
      default: return `- ${label}: ${value}\n`
    }
  },

  value: ({ section, inner }) =>
    section.kind === 'opening' || section.kind === 'block' ? unguarded(withLineFeeds(inner), ' ', isMarker) : inner,

  reading: part => text.value(part),

  parse: body => partsOf(body, headsOf(body), (head, next) => written(body, head, next))
}

/** A line that begins a section. */
interface Head {
  section: Section
  /** A block begins with the empty line that keeps it apart. */
  start: number
  line: Line
  /** The end marker of a block, unless another block begins before it. */
  closing: Line | undefined
}

function headsOf (body: string): Head[] {
  const lines = linesOf(body)
  const heads: Head[] = []
  const ahead = new Map<string, Line>()
  for (const [index, line] of [...lines.entries()].reverse()) {
    const section = headed(line.text)
    if (closings.has(line.text.trimEnd())) ahead.set(line.text.trimEnd(), line)
    if (section === undefined) continue
    const block = section.kind === 'block'
    const before = lines[index - 1]
    heads.push({
      section,
      start: isSpaced(section) && before?.text === '' ? before.start : line.start,
      line,
      closing: block ? ahead.get(closingOf(section)) : undefined
    })
    if (block) ahead.clear()
  }
  return heads.reverse()
}

/** The section that a line begins. */
function headed (line: string): Section | undefined {
  const [, label = '', rest = ''] = /^- ([^:]+):($| [^]*)/.exec(line) ?? []
  const section = byLabel.get(label)
  return section?.kind === 'block' && rest.trim() !== '' ? undefined : section
}

function isMarker (line: string): boolean {
  return headed(line) !== undefined || closings.has(line.trimEnd())
}

function written (body: string, { section, start, line, closing }: Head, nextHead: Head | undefined): Written {
  const next = nextHead?.start ?? body.length
  const upTo = (end: number, inner: string): Written => ({ section, text: body.slice(start, end), inner })
  switch (section.kind) {
    case 'opening': return upTo(next, afterLabel(chomped(body.slice(start, next)))) // it has no end of its own
    case 'block': return upTo(closing?.end ?? next, chomped(body.slice(line.end, closing?.start ?? next)))
    default: return upTo(line.end, afterLabel(line.text))
  }
}

function afterLabel (text: string): string {
  return text.slice(text.indexOf(':') + 2)
}
