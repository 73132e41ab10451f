/** Log bodies in Markdown: `**Label**: value` lines, and headings whose text runs to the next heading or line of ours. */
import { partsOf, sectionsByClosing, sectionsByLabel, type Codec, type Written } from './codec.ts'
import { chomped, guarded, linesOf, unguarded, withLineFeeds, type Line } from './lines.ts'
import type { Section } from './sections.ts'

const format = 'text/markdown'
const byLabel = sectionsByLabel(format, label => label)
const byClosing = sectionsByClosing(format, label => label)

export const markdown: Codec = {
  format,
  linewise: true,

  render (section, value, label) {
    const safe = escapedTags(value)
    switch (section.kind) {
      case 'opening': return `## ${label}\n${guarded(safe, '\\', isMarker)}\n\n## ${section.closings?.[format]}\n`
      case 'block': return `### ${label}\n${guarded(safe, '\\', endsBlock)}\n`
      default: return `**${label}**: ${safe}\n`
    }
  },

  value ({ section, inner }) {
    const typed = withLineFeeds(inner)
    switch (section.kind) {
      case 'opening': return unescapedTags(unguarded(typed, '\\', isMarker))
      case 'block': return unescapedTags(unguarded(typed, '\\', endsBlock))
      default: return unescapedTags(typed)
    }
  },

  reading: part => markdown.value(part),

  parse: body => partsOf(body, headsOf(body), (head, next) => written(body, head, next))
}

/** A line that begins a section, or closes its opening. */
interface Head {
  section: Section
  start: number
  line: Line
  closes: boolean
  /** Where the next heading, of whomever, or line of ours begins. */
  nextHeading: number
}

function headsOf (body: string): Head[] {
  const heads: Head[] = []
  let nextHeading = body.length
  for (const line of linesOf(body).reverse()) {
    const head = headed(line.text)
    if (head !== undefined) heads.push({ ...head, start: line.start, line, nextHeading })
    if (endsBlock(line.text)) nextHeading = line.start
  }
  return heads.reverse()
}

function headed (line: string): { section: Section, closes: boolean } | undefined {
  const [, marks = '', heading = '', label = ''] = /^(?:(#{2,3}) ([^]*)|\*\*([^*]+)\*\*:(?:$| ))/.exec(line) ?? []
  const closed = marks === '##' ? byClosing.get(heading.trimEnd()) : undefined
  if (closed !== undefined) return { section: closed, closes: true }
  const section = byLabel.get(label || heading.trimEnd())
  return section !== undefined && marks === marksOf[section.kind] ? { section, closes: false } : undefined
}

const marksOf: Record<Section['kind'], string> = { opening: '##', block: '###', line: '', link: '' }

function isMarker (line: string): boolean {
  return headed(line) !== undefined
}

/** A block also ends at a heading that somebody else wrote. */
export function endsBlock (line: string): boolean {
  return /^#{1,3}(?: |$)/.test(line) || isMarker(line)
}

function written (body: string, { section, start, line, closes, nextHeading }: Head, next: Head | undefined): Written {
  const upTo = (end: number, inner: string): Written => ({ section, text: body.slice(start, end), inner })
  if (closes) return { ...upTo(line.end, ''), bare: true }
  switch (section.kind) {
    case 'opening': return upTo(next?.closes ? next.line.end : next?.start ?? body.length, chomped(chomped(body.slice(line.end, next?.start))))
    case 'block': return upTo(nextHeading, chomped(body.slice(line.end, nextHeading)))
    default: return upTo(line.end, line.text.slice(line.text.indexOf('**:') + 4))
  }
}

/** Markup in a value is text: `<script>` becomes `\<script>`, and `[link](address)` leads nowhere as `\[link](address)`. */
export function escapedTags (value: string): string {
  return value.replace(/(?<!\\)(\\*)(<(?=[a-z/!?])|\[)/gi, (_, backslashes: string, sign: string) => `${backslashes}${backslashes}\\${sign}`)
}

/** What was written before a sign was escaped is read as it is. */
function unescapedTags (value: string): string {
  return value.replace(/(?<!\\)(\\+)(<(?=[a-z/!?])|\[)/gi, (whole, backslashes: string, sign: string) =>
    backslashes.length % 2 === 1 ? `${backslashes.slice(0, (backslashes.length - 1) / 2)}${sign}` : whole)
}
