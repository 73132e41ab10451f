/** Texts that are out to confuse: what people type, markers of ours, markup, signs that patterns and CRMs like to eat. */
import fc from 'fast-check'
import { sections } from '../../../src/calls/body/sections.ts'
import type { BodyFormat } from '../../../src/calls/body/values.ts'
import { goldenBodies } from './golden.ts'

/** Of a property over all formats: 10,000 where it is asked for, few on a developer's machine. */
const runs = Number(process.env.RUNS ?? (process.env.CI ? 10_000 : 600))
/** Always the same, so that a change that breaks something is the one that turns red; `SEED=$RANDOM npx tap ...` looks further. */
const seed = Number(process.env.SEED ?? 20_260_115)
const formats = Object.keys(goldenBodies).length

const labels = [...new Set(sections.flatMap(section => Object.values(section.labels).flat()))]

const markers = labels.flatMap(label => [
  `- ${label}: `, `- ${label}:\n`, `**${label}**: `, `## ${label}\n`, `### ${label}\n`, `<b>${label}</b>`, `<li><b>${label}</b>: `,
  `<div><b>${label}</b><br>`, `<strong>${label}</strong>:`
]).concat(['--- END\n', '--- JOURNEY END\n', '## Call details\n', '<b>Call details</b><br>', '- Agent notes: ', '- Todo: x\n', '### Mine\n'])

const oddities = ['$&', '$1,000', '$`', '<script>', '</script>', '\\<script>', '\\', '&amp;', '&', '<', '>', '"', "'", '&lt;b&gt;', '<b>', '</b>',
  '<br>', '<br/>\n', '</li>', '</div>', '</ul>', '<ul>', '<p>', '</p>', '<!--', '\n', '\n\n', '\r\n', ' ', '  ', ' - Note: ', '\\## Call details\n',
  '(pending...)', '(pending)', 'pending', '😀', '👩‍👩‍👧', 'שלום', 'مرحبا', '\u202e', '\u00a0', '\u2028', '\u200b', '#', '# x\n', '---\n', 'Conversation(3 messages)',
  'Hang-Up', 'a < b', '<3', 'x@example.com', '<a href="javascript:alert(1)">', '[x](https://x.example)', '![](', '[x]: ', '[', '\\[', ']', '---', '...']

export const fragment = fc.oneof(
  fc.constantFrom(...markers),
  fc.constantFrom(...oddities),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.lorem({ maxCount: 4 })
)

/** What a person puts in with the editor of a CRM: it shows no text, or little, and holds a mark to be found by. */
export const additions: ReadonlyArray<[what: string, markup: (mark: string) => string]> = [
  ['a picture', mark => `<img src="https://crm.example/${mark}.png">`],
  ['the beginning of a link', mark => `<a href="https://crm.example/person/${mark}">`],
  ['a struck word', mark => `<s title="${mark}">late</s>`],
  ['a colour', mark => `<span style="color: red" title="${mark}">`],
  ['a comment', mark => `<!-- ${mark} -->`],
  ['the beginning of a table', mark => `<table title="${mark}"><tr><td>`],
  ['a word', mark => mark]
]

/** One of them, anywhere between the tags of a body: `into` puts it there. */
export const addition = fc.record({
  markup: fc.tuple(fc.constantFrom(...additions), fc.nat(999)).map(([[, markup], number]) => markup(`⟦${number}⟧`)),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true })
}).map(({ markup, at }) => ({
  markup,
  into (body: string): string {
    const pieces = body.split(/(<[^<>]*>)/)
    const place = Math.floor(at * pieces.join('').length)
    let length = 0
    const index = pieces.findIndex(piece => (length += piece.length) > place)
    const piece = pieces[index] ?? ''
    const within = piece.startsWith('<') ? 0 : piece.length - (length - place)
    return [...pieces.slice(0, index), piece.slice(0, within), markup, piece.slice(within), ...pieces.slice(index + 1)].join('')
  }
}))

export const typedText = fc.array(fragment, { maxLength: 6 }).map(fragments => fragments.join(''))

/** Bodies from the wild: samples, pieces of samples, and anything in between. */
export const anyBody = (format: BodyFormat) => {
  const sample = goldenBodies[format]
  const piece = fc.tuple(fc.nat(sample.length), fc.nat(sample.length)).map(([one, other]) => sample.slice(Math.min(one, other), Math.max(one, other)))
  return fc.array(fc.oneof(fragment, piece), { maxLength: 12 }).map(pieces => pieces.join(''))
}

/** The text as a CRM's field holds it: its line feeds are line feeds. */
export const asTyped = (text: string) => text.replace(/\r\n?/g, '\n')

const runsOfFormat = Math.ceil(runs / formats)
/** Of a property that others imply, or nearly. */
export const fewRuns = Math.ceil(runsOfFormat / 10)

/** Asserts that a property holds for one of the formats; its predicate throws where it does not. */
export function holds<Values> (t: { pass: (message: string) => unknown }, property: fc.IProperty<Values>, numRuns = runsOfFormat): void {
  fc.assert(property, { numRuns, seed })
  t.pass(`in ${numRuns} runs from seed ${seed}`)
}
