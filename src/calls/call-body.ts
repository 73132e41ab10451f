/** The text of a call's log in the format of its CRM, and the subject beside it. For the format `none` there is no text. */
import type { CreateCallLogBody, UpdateCallLogBody } from '../contract/call-log.ts'
import type { Call, CallLogRecord, LogContact } from '../contract/operations.ts'
import type { CallLog } from '../db/call-logs.ts'
import { fingerprintOf, isSame, type Fingerprints } from './body/fingerprint.ts'
import { composeCallLog, merge, readNote, readSections, type Decision } from './body/merge.ts'
import { placeholdersOf } from './body/sections.ts'
import type { BodyOptions } from './body/values.ts'
import { instantOf, knownNote } from './call.ts'
import type { Caller } from './caller.ts'
import type { Doubt } from './pending.ts'

export interface CallBody {
  /** Absent for the format `none`. */
  readonly body?: string
  readonly fingerprints: Fingerprints
  readonly decisions: readonly Decision[]
}

/** What people edit in both places, in the extension and in the CRM; and the subject field. */
const editedSections = ['note', 'subject'] as const

/** The subject field of the record is ours like a section of its text: remembered, so that an echo is told from an edit. */
const subjectField = 'field:subject'

export function composeCallBody (caller: Caller, body: CreateCallLogBody, call: Call, contact: LogContact, subject: string): CallBody {
  const remembered = { [subjectField]: fingerprintOf(subject) }
  const options = optionsOf(caller)
  if (options === undefined) return { fingerprints: { ...rememberedNote(body), ...remembered }, decisions: [] }
  const { logInfo } = body
  const composed = composeCallLog({
    ...body,
    sessionId: call.sessionId,
    subject: logInfo.customSubject,
    contactNumber: contact.phoneNumber,
    startTime: call.startTime,
    duration: logInfo.duration,
    result: logInfo.result,
    recordingLink: logInfo.recording?.link,
    voicemailLink: body.voicemailLink ?? logInfo.voicemail?.link,
    direction: call.direction,
    from: call.from,
    to: call.to,
    legs: logInfo.legs
  }, options)
  return { ...composed, fingerprints: { ...composed.fingerprints, ...remembered } }
}

export interface MergedCallBody extends CallBody {
  /** When the user of the extension wants another subject than the one that we last wrote. */
  readonly subject?: string
}

/**
 * @param updates in the order in which they arrived, those that waited among them
 * @param current the text as the CRM holds it now; nothing where it was not read
 */
export function mergeCallBody (caller: Caller, updates: readonly UpdateCallLogBody[], row: CallLog, current: string | undefined): MergedCallBody {
  let merged: MergedCallBody = { ...(current !== undefined && { body: current }), fingerprints: row.fingerprints, decisions: [] }
  for (const update of updates) {
    const next = mergeUpdate(caller, update, { ...row, fingerprints: merged.fingerprints }, merged.body ?? '')
    merged = { ...merged, ...next, decisions: [...merged.decisions, ...next.decisions] }
  }
  return merged
}

function mergeUpdate (caller: Caller, body: UpdateCallLogBody, row: Pick<CallLog, 'fingerprints' | 'sessionId'>, current: string): MergedCallBody {
  const options = optionsOf(caller)
  const edited = body.subject !== undefined && body.subject !== '' && fingerprintOf(body.subject) !== row.fingerprints[subjectField]
  const remembered = edited ? { [subjectField]: fingerprintOf(body.subject ?? '') } : {}
  const startTime = body.startTime === undefined ? undefined : instantOf(body.startTime, 'startTime')
  const merged = options === undefined
    ? { fingerprints: rememberedNote(body), decisions: [] }
    : merge(current, sectionsOnly(row.fingerprints), { ...body, sessionId: row.sessionId, startTime }, options)
  return {
    ...merged,
    fingerprints: { ...row.fingerprints, ...merged.fingerprints, ...remembered },
    ...(edited && { subject: body.subject })
  }
}

/** Of a text that the connector lays out itself: that somebody wrote a note is known by nothing else. */
function rememberedNote ({ note }: Pick<UpdateCallLogBody, 'note'>): Fingerprints {
  const known = knownNote(note)
  return known === undefined ? {} : { note: fingerprintOf(known) }
}

/**
 * What a record holds of what people edit in both places.
 * @param ours tell our sections from those that were pasted
 */
function editedTexts ({ connector: { info } }: Caller, record: RecordTexts | undefined, ours: Fingerprints): Fingerprints {
  const { body = '', subject = '' } = record ?? {}
  const { logFormat } = info
  const texts = logFormat === 'none' ? [] : readSections(body, logFormat, editedSections, ours)
  return {
    ...Object.fromEntries(texts.map((text = '', index) => [editedSections[index], fingerprintOf(text)])),
    [subjectField]: fingerprintOf(subject)
  }
}

/** Whether an update writes something that people may edit in the CRM, too. */
export const writesEdited = (remembered: Fingerprints, { fingerprints }: MergedCallBody): boolean =>
  [...editedSections, subjectField].some(part => fingerprints[part] !== remembered[part])

type RecordTexts = Pick<CallLogRecord, 'body' | 'subject'>

/**
 * @param remembered what we last wrote
 * @param current the record that an attempt starts from
 * @param merged what it writes
 */
export function doubtOf (caller: Caller, remembered: Fingerprints, current: RecordTexts | undefined, merged: MergedCallBody): Doubt {
  return {
    before: editedTexts(caller, current, remembered),
    after: editedTexts(caller, { ...current, ...merged }, merged.fingerprints),
    remember: merged.fingerprints
  }
}

/**
 * What we last wrote, when there is a doubt about the last attempt: it got through where the record holds what it wrote, and it did
 * not where the record holds what it held before. Where it holds something else, a person has changed it since.
 */
export function settled (caller: Caller, remembered: Fingerprints, doubt: Doubt | undefined, current: RecordTexts | undefined): Fingerprints {
  if (doubt === undefined) return remembered
  const { before, after, remember } = doubt
  const ifWritten = editedTexts(caller, current, remember)
  const ifNot = editedTexts(caller, current, remembered)
  const wasWritten = (part: string): boolean => after[part] !== before[part] && (ifWritten[part] === after[part] || ifNot[part] !== before[part])
  return { ...remembered, ...Object.fromEntries(Object.entries(remember).filter(([part]) => part in after && wasWritten(part))) }
}

/**
 * The note of a record, as its author typed it.
 * @param fingerprints of the row: they tell our note from one that was pasted
 */
export function noteOf ({ connector: { info } }: Caller, body: string | undefined, fingerprints: Fingerprints): string | undefined {
  return info.logFormat === 'none' || body === undefined ? undefined : readNote(body, info.logFormat, fingerprints)
}

/** Whether we have written a note. One that only keeps the place of a note is none. */
export const hasNote = ({ note }: Fingerprints): boolean =>
  note !== undefined && !placeholdersOf('note').some(placeholder => isSame(fingerprintOf(placeholder), note))

/** Nothing at all for a log that another server made: its sections count as ours. */
function sectionsOnly ({ [subjectField]: subject, ...sections }: Fingerprints): Fingerprints | undefined {
  return subject === undefined && Object.keys(sections).length === 0 ? undefined : sections
}

function optionsOf ({ connector: { info }, context: { settings, user } }: Caller): BodyOptions | undefined {
  if (info.logFormat === 'none') return undefined
  return {
    format: info.logFormat,
    settings,
    timeZone: user.timeZone,
    timeZoneOffset: user.timeZoneOffset,
    ...(info.maxBodyLength !== undefined && { maxLength: info.maxBodyLength })
  }
}
