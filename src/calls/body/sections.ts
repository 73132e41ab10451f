/**
 * The sections of a log body, one row each, in the order in which they stand. To add a section, add a row
 * (docs/log-body.md shows one). Labels and order are what customers' CRMs already hold: a row may get more labels to
 * recognise, the first of them, which is the one written, never changes.
 */
import { settingValue } from '../../contract/settings.ts'
import type { Party } from '../../contract/call-record.ts'
import { readableNote, readableScore, readableTranscript } from './artifacts.ts'
import { callJourney } from './journey.ts'
import { durationWords, formatInstant } from './time.ts'
import type { BodyFormat, BodyOptions, CallLogValues } from './values.ts'

export interface Section<Id extends string = string> {
  id: Id
  /** `opening`: the text that opens the body. `line`: one labelled line. `link`: a line that leads somewhere. `block`: many lines. */
  kind: 'opening' | 'line' | 'link' | 'block'
  /** The label per format; a label after the first is only read, unless `labelOf` chooses it. */
  labels: Record<BodyFormat, readonly string[]>
  /** Which of the labels is written, where that depends on the call. */
  labelOf?: (values: CallLogValues) => number
  /** What closes an opening or a block, where the format closes it with words other than its usual ones. */
  closings?: Partial<Record<BodyFormat, string>>
  /** The user setting that switches the section, and what holds while the user has not chosen. */
  setting: string
  on: boolean
  /** The text of the section, nothing when the call brings none. */
  value: (values: CallLogValues, options: BodyOptions) => string | null | undefined
  /** Texts that only keep a place for the value. */
  placeholders?: readonly string[]
  /** Every call has it in the end: a new log keeps its place with the first placeholder. */
  awaited?: true
  /** People edit it in the extension: a text other than the last written one is their wish. */
  editable?: true
  /** An empty text is a wish too: the section goes. Elsewhere it means that there is no value. */
  clearable?: true
  /** Once there, only a placeholder gives way. */
  writtenOnce?: true
  /** Formats in which line feeds at the end of a block are part of it. */
  keepsEnd?: readonly BodyFormat[]
  /** Formats in which an empty line keeps the block apart: before it in plain text, behind it in HTML. */
  spaced?: readonly BodyFormat[]
  /** Who goes first when the CRM takes no longer text. Sections without a rank are never shortened. */
  shortenRank?: number
}

const labels = (plain: string[], html = plain, markdown = plain): Section['labels'] =>
  ({ 'text/plain': plain, 'text/html': html, 'text/markdown': markdown })

/** The party on our side of the call. Without a direction nobody can tell. */
function ownParty ({ direction, from, to }: CallLogValues): Party | null | undefined {
  if (!direction) return undefined
  return direction === 'Inbound' ? to : from
}

const everyFormat: BodyFormat[] = ['text/plain', 'text/html', 'text/markdown']
const pendingMedia = ['(pending...)']
const pendingFact = ['(pending)', 'pending', '(pending...)']

const table = [
  {
    id: 'note',
    kind: 'opening',
    labels: labels(['Note', 'Agent notes'], ['Agent notes'], ['Agent notes']),
    closings: { 'text/html': 'Call details', 'text/markdown': 'Call details' },
    setting: 'addCallLogNote',
    on: true,
    value: ({ note }) => note,
    placeholders: ['From auto logging (Pending)'],
    editable: true,
    clearable: true
  },
  {
    id: 'sessionId',
    kind: 'line',
    labels: labels(['Session Id']),
    setting: 'addCallSessionId',
    on: false,
    value: ({ sessionId }) => sessionId
  },
  {
    id: 'agentName',
    kind: 'line',
    labels: labels(['RingCentral user name']),
    setting: 'addRingCentralUserName',
    on: false,
    value: values => ownParty(values)?.name,
    placeholders: pendingMedia,
    writtenOnce: true
  },
  {
    id: 'agentNumber',
    kind: 'line',
    labels: labels(['RingCentral number and extension']),
    setting: 'addRingCentralNumber',
    on: false,
    value: values => {
      const { phoneNumber, extensionNumber = '' } = ownParty(values) ?? {}
      return phoneNumber && `${phoneNumber} ${extensionNumber}`
    }
  },
  {
    id: 'subject',
    kind: 'line',
    labels: labels(['Summary']),
    setting: 'addCallLogSubject',
    on: true,
    value: ({ subject }) => subject,
    editable: true
  },
  {
    id: 'contactNumber',
    kind: 'line',
    labels: labels(['Contact Number'], ['Caller phone number', 'Recipient phone number'], ['Contact Number']),
    labelOf: ({ direction }) => direction === 'Outbound' ? 1 : 0,
    setting: 'addCallLogContactNumber',
    on: false,
    value: ({ contactNumber }) => contactNumber
  },
  {
    id: 'dateTime',
    kind: 'line',
    labels: labels(['Date/Time'], ['Date/time']),
    setting: 'addCallLogDateTime',
    on: true,
    value: ({ startTime }, { settings, ...zone }) =>
      startTime ? formatInstant(startTime, settingValue(settings, 'logDateFormat', '') || 'YYYY-MM-DD hh:mm:ss A', zone) : undefined
  },
  {
    id: 'duration',
    kind: 'line',
    labels: labels(['Duration']),
    setting: 'addCallLogDuration',
    on: true,
    value: ({ duration }) => duration === undefined ? undefined : durationWords(duration),
    placeholders: pendingFact,
    awaited: true
  },
  {
    id: 'result',
    kind: 'line',
    labels: labels(['Result']),
    setting: 'addCallLogResult',
    on: true,
    value: ({ result }) => result,
    placeholders: pendingFact,
    awaited: true
  },
  {
    id: 'recordingLink',
    kind: 'link',
    labels: labels(['Call recording link']),
    setting: 'addCallLogRecording',
    on: true,
    value: ({ recordingLink }) => recordingLink,
    placeholders: pendingMedia
  },
  {
    id: 'voicemailLink',
    kind: 'link',
    labels: labels(['Voicemail recording link']),
    setting: 'addCallLogRecording',
    on: true,
    value: ({ voicemailLink }) => voicemailLink,
    placeholders: pendingMedia
  },
  {
    id: 'aiNote',
    kind: 'block',
    labels: labels(['AI Note']),
    setting: 'addCallLogAiNote',
    on: true,
    value: ({ aiNote }) => readableNote(aiNote),
    spaced: ['text/plain', 'text/html'],
    shortenRank: 5
  },
  {
    id: 'transcript',
    kind: 'block',
    labels: labels(['Transcript']),
    setting: 'addCallLogTranscript',
    on: true,
    value: ({ transcript }) => readableTranscript(transcript),
    keepsEnd: everyFormat,
    spaced: ['text/plain', 'text/html'],
    shortenRank: 1
  },
  {
    id: 'ringSenseTranscript',
    kind: 'block',
    labels: labels(['ACE transcript']),
    setting: 'addCallLogRingSenseRecordingTranscript',
    on: true,
    value: ({ ringSenseTranscript }) => readableTranscript(ringSenseTranscript),
    spaced: ['text/plain'],
    shortenRank: 2
  },
  {
    id: 'ringSenseSummary',
    kind: 'block',
    labels: labels(['ACE summary']),
    setting: 'addCallLogRingSenseRecordingSummary',
    on: true,
    value: ({ ringSenseSummary }) => readableNote(ringSenseSummary),
    keepsEnd: ['text/plain', 'text/markdown'],
    spaced: ['text/plain'],
    shortenRank: 4
  },
  {
    id: 'ringSenseAIScore',
    kind: 'line',
    labels: labels(['Call score']),
    setting: 'addCallLogRingSenseRecordingAIScore',
    on: true,
    value: ({ ringSenseAIScore }) => readableScore(ringSenseAIScore)
  },
  {
    id: 'ringSenseBulletedSummary',
    kind: 'block',
    labels: labels(['ACE bulleted summary']),
    setting: 'addCallLogRingSenseRecordingBulletedSummary',
    on: true,
    value: ({ ringSenseBulletedSummary }) => readableNote(ringSenseBulletedSummary),
    keepsEnd: ['text/plain', 'text/markdown'],
    spaced: ['text/plain'],
    shortenRank: 3
  },
  {
    id: 'ringSenseLink',
    kind: 'link',
    labels: labels(['ACE recording link']),
    setting: 'addCallLogRingSenseRecordingLink',
    on: true,
    value: ({ ringSenseLink }) => ringSenseLink
  },
  {
    id: 'legs',
    kind: 'block',
    labels: labels(['Call journey']),
    closings: { 'text/plain': '--- JOURNEY END' },
    setting: 'addCallLogLegs',
    on: true,
    value: ({ legs }) => legs && callJourney(legs)
  }
] as const satisfies readonly Section[]

export type SectionId = typeof table[number]['id']

export const sections: readonly Section<SectionId>[] = table

/** Whether a text only keeps the place of a section. */
export const isPlaceholder = ({ placeholders = [] }: Section, text: string): boolean => placeholders.includes(text.trim())

/** Texts that only keep the place of that section. */
export const placeholdersOf = (id: SectionId): readonly string[] => sections.find(section => section.id === id)?.placeholders ?? []

/** Whether a text is no value of that section yet. */
export const isPlaceholderOf = (id: SectionId, text: string): boolean => placeholdersOf(id).includes(text.trim())
