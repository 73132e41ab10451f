/** What the formats made of lines have in common: cutting a body into lines, and values that cannot be taken for markers. */

export interface Line {
  start: number
  /** Behind the line feed. */
  end: number
  /** Without the line feed, or the carriage return that a CRM put before it. */
  text: string
}

export function linesOf (body: string): Line[] {
  const lines: Line[] = []
  for (let start = 0, end; start < body.length; start = end) {
    const feed = body.indexOf('\n', start)
    end = feed === -1 ? body.length : feed + 1
    lines.push({ start, end, text: chomped(body.slice(start, end)) })
  }
  return lines
}

/** Line feeds as we write them, whatever sent them. */
export function withLineFeeds (text: string): string {
  return text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text
}

/** A text as one line. */
export function oneLine (text: string): string {
  return withLineFeeds(text).replace(/\n+/g, ' ')
}

/** A text without the line feed at its end. */
export function chomped (text: string): string {
  return text.endsWith('\r\n') ? text.slice(0, -2) : text.endsWith('\n') ? text.slice(0, -1) : text
}

export function withoutTrailingFeeds (text: string): string {
  let end = text.length
  while (text[end - 1] === '\n') end--
  return text.slice(0, end)
}

/**
 * Puts a sign before each line of a value that would be read as a marker, also when it has that sign already, so that
 * `unguarded` gives back exactly what was typed.
 */
export function guarded (value: string, sign: string, isMarker: (line: string) => boolean): string {
  return eachLine(value, line => isMarker(withoutLeading(line, sign)) ? sign + line : line)
}

export function unguarded (value: string, sign: string, isMarker: (line: string) => boolean): string {
  return eachLine(value, line => line.startsWith(sign) && isMarker(withoutLeading(line, sign)) ? line.slice(sign.length) : line)
}

function eachLine (text: string, change: (line: string) => string): string {
  return text.split('\n').map(change).join('\n')
}

function withoutLeading (line: string, sign: string): string {
  let start = 0
  while (line.startsWith(sign, start)) start += sign.length
  return line.slice(start)
}
