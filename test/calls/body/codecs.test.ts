import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { joined, isWritten, type Codec } from '../../../src/calls/body/codec.ts'
import { html } from '../../../src/calls/body/html.ts'
import { markdown } from '../../../src/calls/body/markdown.ts'
import { sections } from '../../../src/calls/body/sections.ts'
import { text } from '../../../src/calls/body/text.ts'
import { anyBody, asTyped, holds, typedText } from './arbitraries.ts'

const codecs: Codec[] = [text, html, markdown]

for (const codec of codecs) {
  await t.test(`${codec.format}: the parts of any body, joined, are that body`, async t => {
    holds(t, fc.property(anyBody(codec.format), body => assert.equal(joined(codec.parse(body)), body)))
  })

  await t.test(`${codec.format}: every section gives its value back as it was typed, whatever was typed`, async t => {
    holds(t, fc.property(fc.constantFrom(...sections), typedText, (section, value) => {
      const manyLines = section.kind === 'opening' || section.kind === 'block'
      const typed = manyLines ? asTyped(value) : asTyped(value).replaceAll('\n', ' ')
      const parts = codec.parse(codec.render(section, typed, section.labels[codec.format][0] ?? ''))
      assert.deepEqual(parts.filter(isWritten).map(part => [part.section.id, codec.value(part)]), [[section.id, typed]])
      assert.equal(parts.length, 1)
    }))
  })
}

const hostile = ['<b>Agent notes</b>', '<b>Call details</b>', '<div><b>AI Note</b>', '<div><b>AI Note</b><br>x</div>', '<li><b>Result</b>:', '<b>Result</b>: x',
  '<li><b>Call recording link</b>: <a href="', '<div><b>AI Note</b><li><b>Result</b>:', '<', '<b>', '<br', '</p>  ', '</ul> ', '&#', ' ', '\n', '- Note: x\n',
  '- AI Note:\n', '\n- AI Note:\nx\n', '--- END\n', '- Result: x\n', '## Agent notes\n', '## Call details\n', '### AI Note\n', '**Result**: x\n', '**', '#', '\\', '\\<a']

for (const codec of codecs) {
  await t.test(`${codec.format}: bodies that are out to waste time are read in linear time`, async t => {
    for (const seed of hostile) {
      /** Milliseconds of CPU time, of which other processes take nothing. */
      const time = (length: number) => {
        const body = seed.repeat(Math.ceil(length / seed.length))
        const start = process.cpuUsage()
        for (const part of codec.parse(body)) if (isWritten(part)) codec.value(part)
        return process.cpuUsage(start).user / 1000
      }
      time(32_000)
      const few = time(32_000)
      const many = time(320_000)
      // Ten times as long a text takes a hundred times as long where time is squared. What is over at once is too short to compare.
      t.ok(many < Math.max(40 * few, 200), `${JSON.stringify(seed)}: ${few.toFixed()} ms for 32 KB, ${many.toFixed()} ms for 320 KB`)
    }
  })
}
