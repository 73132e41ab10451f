import t from 'tap'
import { readableNote, readableTranscript } from '../../../src/calls/body/artifacts.ts'

const diarized = {
  utterances: [
    { speakerId: '1', start: 0.4, end: 2.1, text: 'Hello.' },
    { speakerId: 2, start: 61.9, text: 'Hi, Ann.' },
    { speakerId: '3', start: 3725, text: 'Bye.' }
  ],
  speakerInfo: [{ speakerId: 1, name: 'Ann' }, { speakerId: '2', name: 'Bob' }]
}
const told = '[00:00] Ann: Hello.\n[01:01] Bob: Hi, Ann.\n[1:02:05] 3: Bye.'

await t.test('a transcript is told line by line, who said what and when', async t => {
  for (const [shape, transcript, text] of [
    ['utterances with a list of speakers', diarized, told],
    ['the same as JSON text', JSON.stringify(diarized), told],
    ['insights', { Transcript: diarized.utterances, speakerInfo: diarized.speakerInfo }, told],
    ['a bare list', [{ speaker: 'Ann', start: '00:00:07', text: 'Hi' }, { speakerName: 'Bob', text: 'Yes' }, { text: 'Well', start: null, speaker: null }],
      '[00:00:07] Ann: Hi\nBob: Yes\nWell'],
    ['text', 'Ann (00:12): hello\n', 'Ann (00:12): hello\n'],
    ['text that begins like JSON', '[00:12] Ann: hello', '[00:12] Ann: hello'],
    ['JSON of another kind', '{"a":[1]}', '{"a":[1]}'],
    ['a structure of another kind', { a: [1] }, '{"a":[1]}'],
    ['a list of nobody\'s words', [], undefined],
    ['the same as JSON text', ' []', undefined],
    ['nothing', null, undefined],
    ['not even that', undefined, undefined]
  ] as const) t.equal(readableTranscript(transcript), text, shape)
})

await t.test('an AI note has its headings, paragraphs and items', async t => {
  for (const [shape, note, text] of [
    ['a recap', {
      summary: 'Ann wants two chairs.\n',
      actionItems: ['Send the offer', { text: 'Call back', assignee: 'Bob', dueDate: '2026-01-20' }, { title: 'Invoice', description: 'to the office' }, 7, ' '],
      decisions: [{ name: 'Chairs', value: 'two' }, { name: 'Tables' }],
      next_steps: [],
      score: 5,
      mood: { text: 'good' }
    }, 'Summary\nAnn wants two chairs.\n\nAction items\n- Send the offer\n- Call back (Bob, 2026-01-20)\n- Invoice: to the office\n- 7\n\n' +
      'Decisions\n- Chairs: two\n- Tables\n\nScore\n5\n\nMood\ngood'],
    ['what is not understood', {
      summary: 'S',
      actionItems: [{ task: 'Call Bob' }, ['a', 1], { name: 'Chairs', value: 2 }, { text: '', owner: null }, {}],
      recap: { overview: 'O', points: [1] },
      isFinal: true,
      tags: [{}, null]
    }, 'Summary\nS\n\nAction items\n- {"task":"Call Bob"}\n- ["a",1]\n- Chairs: 2\n\nRecap\n{"overview":"O","points":[1]}\n\nIs final\ntrue'],
    ['JSON text that is nested without end', `[${'['.repeat(50_000)}"a"${']'.repeat(50_000)}]`, `[${'['.repeat(50_000)}"a"${']'.repeat(50_000)}]`],
    ['a list', '["one", {"text":"two","owner":"Ann"}]', '- one\n- two (Ann)'],
    ['text', 'Ann wants {two} chairs.', 'Ann wants {two} chairs.'],
    ['an empty structure', '{}', undefined],
    ['a structure of nothing else', { summary: '', actionItems: [], score: null }, undefined],
    ['the same as JSON text', '{"summary":" ","actionItems":[{}]}', undefined],
    ['a number', 5, '5'],
    ['nothing', undefined, undefined]
  ] as const) t.equal(readableNote(note), text, shape)
})
