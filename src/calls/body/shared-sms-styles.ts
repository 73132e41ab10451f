/** The words and frame of the digest of a shared SMS conversation, per format. They are those that CRMs already hold. */
import type { ConversationLayout } from './conversation.ts'
import { escaped } from './html-text.ts'
import { guarded, oneLine, withLineFeeds } from './lines.ts'
import { endsBlock, escapedTags } from './markdown.ts'
import { htmlReading } from './message-styles.ts'
import type { BodyFormat } from './values.ts'

/** What the heading says; names are still as they came. */
export interface DigestHeading {
  started: string
  ended: string
  duration: string
  participants: readonly string[]
  owner: { role: 'Receiving call queue' | 'Owner', name: string } | undefined
  counts: string
}

export interface DigestStyle {
  heading: (heading: DigestHeading) => string
  /** What somebody said or noted. */
  entry: (author: string, deed: 'said' | 'left a note', time: string, text: string) => string
  assignment: (assignee: string) => string
  /** Follows the entries. */
  ending: string
  layout: ConversationLayout
}

const html: DigestStyle = {
  heading: ({ started, ended, duration, participants, owner, counts }) =>
    `<div><b>Conversation summary</b><br>Started: ${started}<br>Ended: ${ended}<br>Duration: ${duration}<br></div><br>` +
    `<div><b>Participants</b><ul>${participants.map(name => `<li>${escaped(name)}</li>`).join('')}</ul></div>` +
    (owner ? `<div>${owner.role}: <b>${escaped(owner.name)}</b></div><br>` : '') +
    `<div><b>Conversation (${counts})</b></div><div>BEGIN</div><hr>`,
  entry: (author, deed, time, text) => `<p><b>${escaped(author)}</b> ${deed} on ${time}:<br>${escaped(text)}</p>`,
  assignment: assignee => `<p><i>Conversation assigned to <b>${escaped(assignee)}</b></i></p>`,
  ending: '<hr><div>END</div>',
  layout: {
    // Editors of CRMs write <strong> for <b>, and <p> for <div>.
    heading: /<(?:div|p)(?:\s[^<>]*)?>\s*<(b|strong)>Conversation summary<\/\1>/gi,
    begins: /<(div|p)(?:\s[^<>]*)?>BEGIN<\/\1>\s*<hr(?:\s[^<>]*|\/)?>/gi,
    ends: /<hr(?:\s[^<>]*|\/)?>\s*<(div|p)(?:\s[^<>]*)?>END<\/\1>/gi,
    entry: /<p(?:\s[^<>]*)?>/gi,
    reading: htmlReading,
    isMarked: text => /<\/?(?!(?:div|p|br|hr|ul|li|b|strong|i|em)[\s/>])[a-z]/i.test(text),
    linewise: false,
    gap: () => ''
  }
}

const plainEntry = /^(?:\S[^\n]* (?:said|left a note) on \d{4}-\d\d-\d\d \d\d:\d\d [AP]M:|Conversation assigned to [^\n]*)$/
const plainText = (text: string) => guarded(text, ' ', line => /^-{12}/.test(line) || plainEntry.test(line))

const plain: DigestStyle = {
  heading: ({ started, ended, duration, participants, owner, counts }) =>
    `Conversation summary\nStarted: ${started}\nEnded: ${ended}\nDuration: ${duration} \n\n` +
    `Participants\n${participants.map(name => `* ${oneLine(name)}\n`).join('')}\n` +
    (owner ? `${owner.role}: ${oneLine(owner.name)}\n\n` : '') +
    `Conversation (${counts})\nBEGIN\n------------\n`,
  entry: (author, deed, time, text) => `${oneLine(author)} ${deed} on ${time}:\n${plainText(text)}`,
  assignment: assignee => `Conversation assigned to ${oneLine(assignee)}`,
  ending: '------------\nEND',
  layout: {
    heading: /(?<![^\n])Conversation summary\r?(?![^\n])/g,
    begins: /(?<![^\n])BEGIN\r?\n-{12}\r?\n/g,
    ends: /(?<![^\n])-{12}\r?\nEND/g,
    entry: /(?<![^\n])(?:\S[^\n]* (?:said|left a note) on \d{4}-\d\d-\d\d \d\d:\d\d [AP]M:\r?(?![^\n])|Conversation assigned to )/g,
    reading: withLineFeeds,
    linewise: true,
    gap: () => '\n\n'
  }
}

const markdownEntry = /^(?:\*\*[^\n]*\*\* (?:said|left a note) on \d{4}-\d\d-\d\d \d\d:\d\d [AP]M:|\*Conversation assigned to [^\n]*)$/
const markdownLine = (text: string) => escapedTags(oneLine(text))
const markdownText = (text: string) =>
  guarded(escapedTags(text), '\\', line => endsBlock(line) || /^-{3}/.test(line) || markdownEntry.test(line))

const markdown: DigestStyle = {
  heading: ({ started, ended, duration, participants, owner, counts }) =>
    `## Conversation summary\nStarted: ${started}\nEnded: ${ended}\nDuration: ${duration} \n\n` +
    `### Participants\n${participants.map(name => `* ${markdownLine(name)}\n`).join('')}\n` +
    (owner ? `${owner.role}: **${markdownLine(owner.name)}**\n\n` : '') +
    `### Conversation (${counts})\nBEGIN\n---\n`,
  entry: (author, deed, time, text) => `**${markdownLine(author)}** ${deed} on ${time}:\n${markdownText(text)}`,
  assignment: assignee => `*Conversation assigned to **${markdownLine(assignee)}***`,
  ending: '---\nEND',
  layout: {
    heading: /(?<![^\n])## Conversation summary\r?(?![^\n])/g,
    begins: /(?<![^\n])BEGIN\r?\n---\r?\n/g,
    ends: /(?<![^\n])---\r?\nEND/g,
    entry: /(?<![^\n])(?:\*\*[^\n]*\*\* (?:said|left a note) on \d{4}-\d\d-\d\d \d\d:\d\d [AP]M:\r?(?![^\n])|\*Conversation assigned to )/g,
    reading: withLineFeeds,
    linewise: true,
    gap: () => '\n\n'
  }
}

export const digestStyles: Record<BodyFormat, DigestStyle> = { 'text/plain': plain, 'text/html': html, 'text/markdown': markdown }
