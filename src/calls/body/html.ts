/**
 * Log bodies in HTML: `<li>` lines, `<div>` blocks, and an opening between two bold headings. CRMs rewrite HTML when they
 * save it (white space, attributes, entities, lists and paragraphs around it), so tags are recognised in any dress.
 */
import { partsOf, sectionsByClosing, sectionsByLabel, type Codec, type Part, type Written } from './codec.ts'
import { anchored, escaped, linkOf, plainTag, unescaped, withoutLayout } from './html-text.ts'
import type { Section } from './sections.ts'

const format = 'text/html'
const isSpaced = (section: Section) => section.spaced?.includes(format) === true
const folded = (label: string) => label.trim().toLowerCase()
const byLabel = sectionsByLabel(format, folded)
const byClosing = sectionsByClosing(format, folded)

export const html: Codec = {
  format,
  linewise: false,

  render (section, value, label) {
    const heading = `<b>${label}</b>`
    switch (section.kind) {
      case 'opening': return `${heading}<br>${escaped(value)}<br><br><b>${section.closings?.[format]}</b><br>`
      case 'block': return `<div>${heading}<br>${escaped(value)}</div>${isSpaced(section) ? '<br>' : ''}`
      case 'link': return `<li>${heading}: ${anchored(value)}</li>`
      case 'line': return `<li>${heading}: ${escaped(value)}</li>`
    }
  },

  value: ({ section, inner }) => section.kind === 'link' ? linkOf(inner) ?? unescaped(inner) : unescaped(inner),

  reading ({ section, inner }) {
    const text = (section.kind === 'link' ? linkOf(inner) : undefined) ?? unescaped(inner, plainTag)
    return section.kind === 'line' ? withoutLayout(text) : text
  },

  parse (body) {
    const closingTag = { div: finder(body, /<\/div\s*>/gi), p: finder(body, /<\/p\s*>/gi) }
    const parts = partsOf(body, headsOf(body), (head, next) => written(body, head, next, closingTag))
    return parts.flatMap((part, index) => 'section' in part ? part : listEdges(part.text, parts[index - 1], parts[index + 1]))
  }
}

/** A bold label that begins a section, or closes its opening. */
interface Head {
  section: Section
  /** Where the section begins, with the tag that the label stands in. */
  start: number
  /** Behind the label. */
  end: number
  tag: string | undefined
  closes: boolean
  /** The next head of a block. */
  nextBlock: Head | undefined
}

const boldText = /<(b|strong)(?:\s[^<>]*)?>([^<>]+)<\/\1\s*>/gi

function headsOf (body: string): Head[] {
  const heads: Head[] = []
  for (const { index, 0: bold, 2: label = '' } of body.matchAll(boldText)) {
    const head = headed(body, index, index + bold.length, folded(label))
    if (head !== undefined) heads.push(head)
  }
  let nextBlock: Head | undefined
  for (const head of heads.toReversed()) {
    head.nextBlock = nextBlock
    if (head.section.kind === 'block') nextBlock = head
  }
  return heads
}

/** A bold text is a head only where it stands as we write it: a line has its colon, a block its own element. */
function headed (body: string, index: number, end: number, label: string): Head | undefined {
  const closed = byClosing.get(label)
  const section = closed ?? byLabel.get(label)
  if (section === undefined) return undefined
  const head = { section, end, closes: closed !== undefined, nextBlock: undefined }
  if (section.kind === 'opening') return { ...head, start: index, tag: undefined }
  const element = elementBefore(body, index, section)
  const stands = section.kind === 'block' ? element !== undefined : matchAt(body, /\s*:/y, end) !== ''
  return stands ? { ...head, start: element?.start ?? index, tag: element?.name } : undefined
}

/** The element that a label begins: that of a block, or the list item of a line. Editors put a paragraph into an item: then it begins with that. */
function elementBefore (body: string, index: number, { kind }: Section): Tag | undefined {
  const around = tagBefore(body, index)
  const isBlock = around?.name === 'div' || around?.name === 'p'
  if (kind === 'block' || around === undefined) return isBlock ? around : undefined
  const item = isBlock ? tagBefore(body, around.start) : around
  return item?.name === 'li' ? { ...around, start: item.start } : undefined
}

interface Tag {
  start: number
  name: string
}

function tagBefore (body: string, index: number): Tag | undefined {
  let end = index
  while (/\s/.test(body.charAt(end - 1))) end--
  const start = body.charAt(end - 1) === '>' ? body.lastIndexOf('<', end - 1) : -1
  const [, name] = /^<([a-z][a-z\d]*)(?:\s[^<>]*)?>$/i.exec(start === -1 ? '' : body.slice(start, end)) ?? []
  return name === undefined ? undefined : { start, name: name.toLowerCase() }
}

type ClosingTags = Record<string, (from: number) => RegExpExecArray | undefined>

function written (body: string, head: Head, next: Head | undefined, closingTag: ClosingTags): Written {
  switch (head.section.kind) {
    case 'opening': return writtenOpening(body, head, next)
    case 'block': return writtenBlock(body, head, next?.start ?? body.length, closingTag[head.tag ?? '']?.(head.end))
    default: return writtenLine(body, head, next?.start ?? body.length)
  }
}

/** An opening runs to its closing heading; where that was lost, up to the next section. */
function writtenOpening (body: string, { section, start, end, closes }: Head, next: Head | undefined): Written {
  const behindBreak = (place: number) => place + matchAt(body, /\s*<br(?:\s[^<>]*|\/)?>\n?/iy, place).length
  if (closes) return { section, text: body.slice(start, behindBreak(end)), inner: '', bare: true }
  const stop = next?.start ?? body.length
  const inner = body.slice(Math.min(behindBreak(end), stop), stop)
  return { section, text: body.slice(start, next?.closes ? behindBreak(next.end) : stop), inner: withoutLast(lineBreak, withoutLast(lineBreak, inner)) }
}

const lineBreak = /^<br(?:\s[^<>]*|\/)?>$/i
const blockEnd = /^<\/(?:div|p)\s*>$/i

function withoutLast (tag: RegExp, inner: string): string {
  const shown = inner.trimEnd()
  const start = shown.endsWith('>') ? shown.lastIndexOf('<') : -1
  return start !== -1 && tag.test(shown.slice(start)) ? shown.slice(0, start) : inner
}

/** A block ends with its element; where that was lost, before the next section. */
function writtenBlock (body: string, head: Head, next: number, tag: RegExpExecArray | undefined): Written {
  const { section, start } = head
  const begin = head.end + matchAt(body, /\s*<br(?:\s[^<>]*|\/)?>\n?/iy, head.end).length
  if (tag === undefined || (head.nextBlock !== undefined && head.nextBlock.start < tag.index)) {
    return { section, text: body.slice(start, next), inner: body.slice(begin, next) }
  }
  const end = tag.index + tag[0].length
  const space = isSpaced(section) ? matchAt(body, /\s*<br(?:\s[^<>]*|\/)?>/iy, end).length : 0
  return { section, text: body.slice(start, end + space), inner: body.slice(begin, tag.index) }
}

/** A line ends with its element; outside of one, before the next tag or line feed, but behind a link. */
function writtenLine (body: string, { section, start, end, tag }: Head, next: number): Written {
  const begin = end + matchAt(body, /\s*: ?/y, end).length
  const rest = body.slice(begin, next)
  const item = /<(\/?)li(?:\s[^<>]*)?>/i.exec(rest)
  const closed = tag !== undefined && item?.[1] === '/'
  const paragraph = tag !== undefined && tag !== 'li'
  const value = closed ? rest.slice(0, item.index) : matchAt(rest, /(?:\s*<a\s[^<>]*>[^<>]*<\/a\s*>|[^<\n]*)/iy, 0)
  const after = closed ? item[0] : matchAt(rest, paragraph ? /\s*<\/(?:div|p)\s*>/iy : /\s*<\/li\s*>/iy, value.length)
  return { section, text: body.slice(start, begin + value.length + after.length), inner: paragraph ? withoutLast(blockEnd, value) : value }
}

/** The edges of a list around our lines, apart from what else stands there. */
function listEdges (gap: string, before: Part | undefined, after: Part | undefined): Part[] {
  const closing = before === undefined ? '' : matchAt(gap, /\s*<\/ul\s*>/iy, 0)
  const opening = after === undefined ? undefined : tagBefore(gap, gap.length)
  const edge = opening?.name === 'ul' && opening.start >= closing.length ? opening.start : gap.length
  const edges: Part[] = [
    { text: closing, list: 'closes' }, { text: gap.slice(closing.length, edge) }, { text: gap.slice(edge), list: 'opens' }
  ]
  return edges.filter(part => part.text !== '')
}

/** What a sticky pattern matches at a place, an empty text when it does not. */
function matchAt (text: string, pattern: RegExp, at: number): string {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ''
}

/** Finds a pattern at or behind places that only grow, reading the body once. */
function finder (body: string, pattern: RegExp): (from: number) => RegExpExecArray | undefined {
  let found: RegExpExecArray | null | undefined
  return from => {
    while (found === undefined || (found !== null && found.index < from)) found = pattern.exec(body)
    return found ?? undefined
  }
}
