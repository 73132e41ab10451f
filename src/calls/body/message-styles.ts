/** The words and frames of message logs, per format. They are those that customers' CRMs already hold. */
import type { ConversationLayout, EntryLayout } from './conversation.ts'
import { anchored, escaped, unescaped } from './html-text.ts'
import { guarded, oneLine, withLineFeeds } from './lines.ts'
import { endsBlock, escapedTags } from './markdown.ts'
import type { BodyFormat } from './values.ts'

export const FOOTER = '--- Created via RingCentral App Connect'

export interface MessageStyle {
  /** The date in the subject of a log. */
  subjectDate: string
  /** A name, or another text of one line. */
  inline: (text: string) => string
  /** What somebody wrote. */
  block: (text: string) => string
  link: (link: string) => string
  /** One message of a conversation. */
  entry: (sender: string, time: string, text: string) => string
  /** A conversation still without messages. */
  conversationFrame: (subject: string, date: string, participants: readonly string[]) => string
  conversation: ConversationLayout
  /** A voicemail or fax in a log of links. */
  linkEntry: (text: string) => string
  linksFrame: (subject: string) => string
  links: EntryLayout
  /** What keeps the links apart from the footer. */
  beforeFooter: RegExp
}

/** The text of HTML without its markup, however a CRM lays it out. */
export const htmlReading = (text: string) => unescaped(text, () => ' ').replace(/\s+/g, ' ')

const ownLink = /\[Link\]:\s*<a\s[^<>]*>\s*open\s*<\/a\s*>/gi
/** Tags that neither we nor editors of CRMs write there. */
const foreignTag = /<\/?(?!(?:li|p|div|br|b|strong|i|em)[\s/>])[a-z]/i
const isMarked = (text: string) => foreignTag.test(text.replace(ownLink, ''))

const html: MessageStyle = {
  subjectDate: 'YY/MM/DD',
  inline: text => escaped(oneLine(text)),
  block: escaped,
  link: anchored,
  entry: (sender, time, text) => `<li>${sender} ${time}<br><b>${text}</b></li>`,
  conversationFrame: (subject, date, [user, ...others]) =>
    `<br><b>${subject}</b><br><b>Conversation summary</b><br>${date}<br>Participants<br>` +
    `<ul><li><b>${user}</b><br></li>${others.map(name => `<li><b>${name}</b></li>`).join('')}</ul><br>` +
    `Conversation(0 messages)<br>BEGIN<br>------------<br><ul></ul>------------<br>END<br><br>${FOOTER}`,
  conversation: {
    heading: /Conversation\(\d+ messages\)/g,
    begins: /BEGIN(?:\s|<br(?:\s[^<>]*|\/)?>)*-{12}(?:\s|<br(?:\s[^<>]*|\/)?>)*<ul(?:\s[^<>]*)?>/gi,
    ends: /<\/ul\s*>\s*-{12}/gi,
    entry: /<li(?:\s[^<>]*)?>/gi,
    reading: htmlReading,
    isMarked,
    linewise: false,
    gap: () => ''
  },
  linkEntry: text => `${text} <br>`,
  linksFrame: subject => `<br><b>${subject}</b><br><br>${FOOTER}`,
  links: {
    entry: /(?:Fax failed to be uploaded to [^<>]*<br(?:\s[^<>]*|\/)?>\s*)?(?:Voicemail recording|Fax document) link: |<li(?:\s[^<>]*)?>/gi,
    reading: htmlReading,
    isMarked,
    linewise: false,
    gap: () => ''
  },
  beforeFooter: /<br(?:\s[^<>]*|\/)?>\s*$/i
}

const plainHead = /^\S[^\n]* \d\d:\d\d [AP]M$/

const plain: MessageStyle = {
  subjectDate: 'MM/DD/YYYY',
  inline: oneLine,
  block: text => guarded(text, ' ', line => /^-{12}/.test(line) || plainHead.test(line)),
  link: oneLine,
  entry: (sender, time, text) => `${sender} ${time}\n${text}`,
  conversationFrame: (_, date, [user, contact, ...others]) =>
    `\nConversation summary\n${date}\nParticipants\n    ${user}\n    ${contact}\n${others.map(name => `    ${name}`).join('\n')}\n` +
    `Conversation(0 messages)\nBEGIN\n------------\n------------\nEND\n\n${FOOTER}`,
  conversation: {
    heading: /Conversation\(\d+ messages\)/g,
    begins: /(?<![^\n])BEGIN\r?\n-{12}\r?\n/g,
    ends: /(?<![^\n])-{12}\r?\nEND/g,
    entry: /(?<![^\n])\S[^\n]* \d\d:\d\d [AP]M\r?(?![^\n])/g,
    reading: withLineFeeds,
    linewise: true,
    gap: index => index === 0 ? '\n' : '\n\n'
  },
  linkEntry: text => `${text} `,
  linksFrame: () => `\n${FOOTER}`,
  links: {
    entry: /(?<![^\n])(?:(?:Fax failed to be uploaded to [^\n]*\n)?(?:Voicemail recording|Fax document) link: |\S[^\n]* \d\d:\d\d [AP]M\r?(?![^\n]))/g,
    reading: withLineFeeds,
    linewise: true,
    gap: () => '\n'
  },
  beforeFooter: /\r?\n$/
}

const markdownLine = (text: string) => escapedTags(oneLine(text))
const markdownHead = /^\*\*[^\n]*\*\* \d\d:\d\d [AP]M$/

const markdown: MessageStyle = {
  subjectDate: 'MM/DD/YYYY',
  inline: markdownLine,
  block: text => guarded(escapedTags(text), '\\', line => endsBlock(line) || /^-{3}/.test(line) || markdownHead.test(line)),
  link: markdownLine,
  entry: (sender, time, text) => `**${sender}** ${time}\n${text}`,
  conversationFrame: (subject, date, participants) =>
    `## ${subject}\n### Conversation summary\n${date}\n\nParticipants\n${participants.map(name => `* ${name}\n`).join('')}\n` +
    `### Conversation(0 messages)\nBEGIN\n\n---\n\n---\nEND\n\n${FOOTER}`,
  conversation: {
    heading: /Conversation\(\d+ messages\)/g,
    begins: /(?<![^\n])BEGIN\r?\n\r?\n---\r?\n\r?\n/g,
    ends: /(?<![^\n])---\r?\nEND/g,
    entry: /(?<![^\n])\*\*[^\n]*\*\* \d\d:\d\d [AP]M\r?(?![^\n])/g,
    reading: withLineFeeds,
    linewise: true,
    gap: () => '\n\n'
  },
  linkEntry: text => text,
  linksFrame: subject => `## ${subject}\n\n${FOOTER}`,
  links: {
    entry: /(?<![^\n])(?:(?:Fax failed to be uploaded to [^\n]*\n)?(?:Voicemail recording|Fax document) link: |\*\*[^\n]*\*\* \d\d:\d\d [AP]M\r?(?![^\n]))/g,
    reading: withLineFeeds,
    linewise: true,
    gap: () => '\n\n'
  },
  beforeFooter: /(?!)/
}

export const messageStyles: Record<BodyFormat, MessageStyle> = { 'text/plain': plain, 'text/html': html, 'text/markdown': markdown }
