/**
 * What machines make of a call (transcripts, AI notes), written so that a person can read it. Texts pass through; structures,
 * also as JSON text, become lines. Shapes: RingCentral's speech-to-text utterances and its conversation insights.
 */
import { mended } from '../../contract/mended.ts'
import { Type, TypeCompiler, type Static } from '../../contract/type.ts'

const Text = Type.Union([Type.String(), Type.Number()])

const Utterance = Type.Object({
  text: Type.String(),
  start: Type.Optional(Type.Union([Text, Type.Null()], { description: 'Seconds, or a time code.' })),
  speaker: Type.Optional(Type.Union([Text, Type.Null()])),
  speakerName: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  speakerId: Type.Optional(Type.Union([Text, Type.Null()]))
})
type Utterance = Static<typeof Utterance>

const Speaker = Type.Object({ speakerId: Text, name: Type.String() })

const text = TypeCompiler.Compile(Text)
const utterances = TypeCompiler.Compile(Type.Array(Utterance, { minItems: 1 }))
const speakers = TypeCompiler.Compile(Type.Array(Speaker))
const structure = TypeCompiler.Compile(Type.Record(Type.String(), Type.Unknown()))

/** @returns `[00:12] Ann: Hello` a line, or the text itself; nothing when there is nothing to read */
export function readableTranscript (artifact: unknown): string | undefined {
  return readable(artifact, diarized)
}

/** @returns headings with their paragraphs and bullets, or the text itself; nothing when there is nothing to read */
export function readableNote (artifact: unknown): string | undefined {
  return readable(artifact, outlined)
}

/** @returns the number or text, on its own or as the only one of a structure; nothing when there is none */
export function readableScore (score: unknown): string | undefined {
  const candidates = typeof score === 'object' && score !== null ? Object.values(score) : [score]
  const [found, ...others] = candidates.filter(value => (typeof value === 'number' && value !== 0) || (typeof value === 'string' && value !== ''))
  return found === undefined || others.length > 0 ? undefined : String(found)
}

/** A structure that is not understood stays as JSON text, rather than getting lost. */
function readable (artifact: unknown, lay: (structured: unknown) => string | undefined): string | undefined {
  if (typeof artifact !== 'string') return isEmpty(artifact) ? undefined : lay(artifact) ?? JSON.stringify(artifact)
  return /^\s*[[{]/.test(artifact) ? readableJson(artifact, lay) : artifact
}

/** JSON text holds its signs by their numbers and nests as deeply as it likes: nobody has looked into it before. */
function readableJson (json: string, lay: (structured: unknown) => string | undefined): string | undefined {
  try {
    const structured: unknown = JSON.parse(json)
    return isEmpty(structured) ? undefined : mended(lay(structured)) ?? json
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return json // a text that only begins like JSON, or one nested without end
    throw error
  }
}

function diarized (transcript: unknown): string | undefined {
  if (utterances.Check(transcript)) return transcript.map(utterance => utteranceLine(utterance, new Map())).join('\n')
  if (!structure.Check(transcript)) return undefined
  const spoken = Object.values(transcript).find(member => utterances.Check(member))
  const known = Object.values(transcript).find(member => speakers.Check(member)) ?? []
  if (!utterances.Check(spoken) || !speakers.Check(known)) return undefined
  const names = new Map(known.map(speaker => [String(speaker.speakerId), speaker.name]))
  return spoken.map(utterance => utteranceLine(utterance, names)).join('\n')
}

function utteranceLine ({ text, start, speaker, speakerName, speakerId }: Utterance, names: Map<string, string>): string {
  const who = speakerName ?? speaker ?? names.get(String(speakerId)) ?? speakerId ?? ''
  const when = start ?? ''
  return `${when === '' ? '' : `[${timeCode(when)}] `}${who === '' ? '' : `${who}: `}${text}`
}

function timeCode (start: string | number): string {
  if (typeof start === 'string') return start
  const seconds = Math.max(0, Math.floor(start))
  const clock = [Math.floor(seconds / 60) % 60, seconds % 60].map(part => String(part).padStart(2, '0')).join(':')
  return seconds < 3600 ? clock : `${Math.floor(seconds / 3600)}:${clock}`
}

/** `{ summary, actionItems, decisions }` and whatever else it holds: a heading each, then its text or its items. */
function outlined (note: unknown): string | undefined {
  if (Array.isArray(note)) return bullets(note)
  if (!structure.Check(note)) return undefined
  const chapters = Object.entries(note).flatMap(([key, content]) => {
    const text = Array.isArray(content) ? bullets(content) : itemText(content)
    return text === undefined ? [] : `${heading(key)}\n${text}`
  })
  return chapters.join('\n\n') || undefined
}

function heading (key: string): string {
  const words = key.replace(/([a-z])([A-Z])/g, '$1 $2').replaceAll('_', ' ').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

function bullets (items: readonly unknown[]): string | undefined {
  return items.flatMap(item => itemText(item) ?? []).map(text => `- ${text}`).join('\n') || undefined
}

/**
 * An item is a text or a number, or an object that holds one, perhaps with the person who takes care and the day it is due. Anything else
 * is JSON text.
 */
function itemText (item: unknown): string | undefined {
  if (isEmpty(item)) return undefined
  if (typeof item === 'string') return item.trim()
  if (!structure.Check(item)) return JSON.stringify(item)
  const first = (...keys: string[]) => keys.map(key => item[key]).find(value => text.Check(value) && !isEmpty(value))
  const told = first('text', 'value', 'description', 'title', 'name')
  if (told === undefined) return JSON.stringify(item)
  const title = first('title', 'name')
  const details = [first('assignee', 'owner'), first('dueDate', 'due')].filter(detail => detail !== undefined).join(', ')
  return [title === undefined || title === told ? '' : `${title}: `, told, details && ` (${details})`].join('')
}

/** Whether there is nothing to read: an empty text, or a structure of nothing else. */
function isEmpty (value: unknown): boolean {
  if (typeof value === 'string') return value.trim() === ''
  return value === null || value === undefined || (typeof value === 'object' && Object.values(value).every(isEmpty))
}
