/** Values as text of an HTML page, and back. */
import { signsByName } from './html-names.ts'
import { withLineFeeds } from './lines.ts'

/** What we write for signs that mean something in HTML; the first one is written first. */
const entities = [['&', '&amp;'], ['<', '&lt;'], ['>', '&gt;'], ['"', '&quot;'], ["'", '&#039;']] as const

/** A value as text of an HTML page: no markup, line feeds as `<br>`. */
export function escaped (value: string): string {
  return entities.reduce((text, [sign, entity]) => text.replaceAll(sign, entity), value).replaceAll('\n', '<br>')
}

/** A link to the web as one to click, anything else as text. */
export function anchored (link: string): string {
  return /^https?:\/\//i.test(link) ? `<a target="_blank" href="${escaped(link)}">open</a>` : escaped(link)
}

const attributes = /^(?:\s+[a-z-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=]+))?)*\s*$/i

/** The link of an anchor as `anchored` writes it. */
export function linkOf (inner: string): string | undefined {
  const [, dress = ''] = /^\s*<a(\s[^<>]*)>\s*open\s*<\/a\s*>\s*$/i.exec(inner) ?? []
  const [, double, single] = /\shref\s*=\s*(?:"([^"]*)"|'([^']*)')/i.exec(dress) ?? []
  const link = double ?? single
  return link === undefined || !attributes.test(dress) ? undefined : unescaped(link)
}

const tags = /<br(?:\s[^<>]*|\/)?>\n?|<\/p\s*>\s*<p(?:\s[^<>]*)?>|<\/?([a-z][^\s<>/]*)[^<>]*>/gi
/** Ours, and what a CRM makes of any sign when it saves a text. */
const anyEntity = /&(?:([a-z][a-z\d]{1,7})|#(\d{1,7})|#x([\da-f]{1,6}));/gi

/**
 * The text that HTML shows. Old logs hold values that were never escaped; they read as they were typed.
 * @param otherTag what becomes of a tag that is neither a line feed nor a paragraph
 */
export function unescaped (inner: string, otherTag: (tag: string, name: string) => string = tag => tag): string {
  return withLineFeeds(inner)
    .replace(tags, (tag: string, name?: string) => name === undefined ? '\n' : name.toLowerCase() === 'p' ? '' : otherTag(tag, name.toLowerCase()))
    .replace(anyEntity, signOf)
}

function signOf (entity: string, name?: string, decimal?: string, hexadecimal?: string): string {
  if (name !== undefined) return signsByName.get(name) ?? entity
  const code = hexadecimal === undefined ? Number(decimal) : parseInt(hexadecimal, 16)
  return code !== 0 && code <= 0x10ffff ? String.fromCodePoint(code) : entity
}

/** A line as one line, where a CRM laid it out in several. */
export function withoutLayout (text: string): string {
  return text.includes('\n') ? text.split('\n').map(part => part.trim()).join(' ').trim() : text
}

const formatting = new Set(['a', 'b', 'blockquote', 'code', 'div', 'em', 'font', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'i', 'li', 'mark', 'ol', 's', 'small',
  'span', 'strong', 'sub', 'sup', 'u', 'ul'])

/** Formatting that people put in with the editor of their CRM, as plain text. */
export function plainTag (tag: string, name: string): string {
  if (!formatting.has(name)) return tag
  if (tag.startsWith('</')) return ''
  return name === 'li' ? '\n- ' : /^(?:div|blockquote|h\d)$/.test(name) ? '\n' : ''
}
