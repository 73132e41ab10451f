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
