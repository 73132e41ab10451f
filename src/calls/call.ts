/** A call, out of what clients send: checked and normalised, with the contact it is logged against. */
import { isDeepStrictEqual } from 'node:util'
import type { CreateCallLogBody, UpdateCallLogBody } from '../contract/call-log.ts'
import type { Duration, Instant } from '../contract/call-record.ts'
import { PatchbayError } from '../contract/errors.ts'
import type { Call, LogContact } from '../contract/operations.ts'
import { partsOfSubmission, type SubmissionParts } from '../contract/submission.ts'
import { isPlaceholderOf } from './body/sections.ts'
import { epochOf } from './body/time.ts'

/** @returns epoch milliseconds. @throws {PatchbayError} `invalid-request` naming the field */
export function instantOf (value: Instant, field: string): number {
  const instant = typeof value === 'number' ? value : /^\d+$/.test(value) ? Number(value) : epochOf(value) ?? epochWithZone(value)
  if (!Number.isFinite(instant) || Math.abs(instant) > 8.64e15) {
    throw new PatchbayError('invalid-request', { field, message: `The request is not valid: ${field} is no time.` })
  }
  // Not every database takes fractions.
  return Math.round(instant)
}

/** Of a text that is not ISO 8601, but says its zone: any other reading would depend on where the server is. */
const epochWithZone = (text: string): number => /(\b(z|gmt|utc)|[+-]\d\d:?\d\d)(\s*\(.*\))?\s*$/i.test(text) ? Date.parse(text) : NaN

/** Seconds; undefined while the call goes on. */
export function secondsOf (duration: Duration | undefined): number | undefined {
  const seconds = typeof duration === 'string' && /^\d+(\.\d+)?$/.test(duration) ? Number(duration) : duration
  return typeof seconds === 'number' && seconds >= 0 ? Math.round(seconds) : undefined
}

/** A link that somebody can open; the extension sends `(pending...)` until the recording is ready. */
export const readyLink = (link: string | undefined): string | undefined => link !== undefined && /^https?:\/\//.test(link) ? link : undefined

const knownText = (id: 'note' | 'result') => (text: string | undefined): string | undefined =>
  text === undefined || text.trim() === '' || isPlaceholderOf(id, text) ? undefined : text

/** What somebody wrote; undefined where nobody has. */
export const knownNote = knownText('note')

/** How a call ended; undefined while it goes on. */
export const knownResult = knownText('result')

export function callOf ({ logInfo }: CreateCallLogBody, now: number): Call {
  const duration = secondsOf(logInfo.duration)
  const result = knownResult(logInfo.result)
  const recordingLink = readyLink(logInfo.recording?.link)
  return {
    sessionId: String(logInfo.sessionId),
    telephonySessionId: String(logInfo.telephonySessionId ?? logInfo.id ?? ''),
    direction: logInfo.direction ?? 'Inbound',
    from: logInfo.from ?? {},
    to: logInfo.to ?? {},
    startTime: logInfo.startTime === undefined ? now : instantOf(logInfo.startTime, 'logInfo.startTime'),
    ...(duration !== undefined && { duration }),
    ...(result !== undefined && { result }),
    ...(logInfo.legs !== undefined && { legs: logInfo.legs }),
    ...(recordingLink !== undefined && { recordingLink }),
    ...(logInfo.recording?.downloadUrl !== undefined && { recordingDownloadLink: logInfo.recording.downloadUrl })
  }
}

/** What may be kept: download links hold tokens, which are never stored. */
export function withoutTokens<Body extends CreateCallLogBody | UpdateCallLogBody> (body: Body): Body {
  if ('logInfo' in body) {
    const { downloadUrl, ...recording } = body.logInfo.recording ?? {}
    return { ...body, logInfo: { ...body.logInfo, ...(body.logInfo.recording !== undefined && { recording }) } }
  }
  const { recordingDownloadLink, ...rest } = body
  return rest as Body
}

/** Members that say nothing yet, although they are there. */
const placeholders: Readonly<Record<string, (value: never) => boolean>> = {
  note: value => knownNote(value) === undefined,
  duration: value => secondsOf(value) === undefined,
  result: value => knownResult(value) === undefined,
  link: value => readyLink(value) === undefined,
  recordingLink: value => readyLink(value) === undefined,
  voicemailLink: value => readyLink(value) === undefined
}

const saysNothing = (name: string, value: unknown): boolean =>
  value === undefined || value === null || value === '' || placeholders[name]?.(value as never) === true

const present = (members: object): Record<string, unknown> => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

type Parted<Body> = Omit<Body, 'additionalSubmission'> & SubmissionParts

/** With the parts of the additional fields as members of their own: each takes the place only of its like. */
const parted = <Body extends Pick<UpdateCallLogBody, 'additionalSubmission'>>({ additionalSubmission, ...members }: Body): Parted<Body> =>
  ({ ...members, ...partsOfSubmission(additionalSubmission) })

/** What {@link parted} made of it. */
const whole = <Body>({ form, assignment, ...members }: Parted<Body>): Body =>
  ({ ...members, ...((form ?? assignment) !== undefined && { additionalSubmission: { ...form, ...assignment } }) }) as Body

/** The later members, and of the earlier ones those of which the later say nothing. */
function filled<Members extends object> (earlier: Members | undefined, later: Members | undefined): Members | undefined {
  if (earlier === undefined || later === undefined) return later ?? earlier
  const kept = Object.entries(earlier).filter(([name]) => saysNothing(name, (later as Record<string, unknown>)[name]))
  return { ...later, ...Object.fromEntries(kept) }
}

/** What both kinds of requests say beside what is logged: whose record it is, and what is chosen with it. */
export type Choices = Pick<CreateCallLogBody, 'contactId' | 'contactType' | 'contactName' | 'additionalSubmission'>

/** A later request to log the same, with what an earlier one said beside what is logged and this one does not. */
export const withEarlier = <Body extends Choices>(earlier: Body, later: Body): Body => whole(partsWithEarlier(parted(earlier), parted(later)))

function partsWithEarlier<Body extends Choices> (earlier: Parted<Body>, later: Parted<Body>): Parted<Body> {
  const { contactId, contactType, contactName, form, ...others } = earlier as Parted<Choices>
  // What was chosen for one contact is nothing for another. Who sends a form sends all of it: what it lacks was taken back.
  const known = String((later as Parted<Choices>).contactId ?? contactId) === String(contactId) ? earlier : others
  return filled<object>(known, later) as Parted<Body>
}

/**
 * A later request to log the same call, with what an earlier one knew and this one does not: a client without the form sends no note.
 * (Who clears a note does so by an update.)
 */
export const completed = (earlier: CreateCallLogBody | undefined, later: CreateCallLogBody): CreateCallLogBody => whole(completedParts(earlier, later))

function completedParts (earlierBody: CreateCallLogBody | undefined, laterBody: CreateCallLogBody): Parted<CreateCallLogBody> {
  const later = parted(laterBody)
  if (earlierBody === undefined) return later
  const earlier = parted(earlierBody)
  const logInfo = {
    ...filled(earlier.logInfo, later.logInfo),
    recording: filled(earlier.logInfo.recording, later.logInfo.recording),
    voicemail: filled(earlier.logInfo.voicemail, later.logInfo.voicemail)
  }
  return { ...partsWithEarlier<CreateCallLogBody>(earlier, later), logInfo: present(logInfo) } as Parted<CreateCallLogBody>
}

/** For the service that logs without a browser: which contact a call is with, a person knows better. */
export const withoutContact = ({ contactId, contactType, contactName, ...others }: CreateCallLogBody): CreateCallLogBody => others

/**
 * What a later request to log the same call brings beyond an earlier one, as updates: one or none.
 * @param earlier all that the later one brings when there is none
 */
export function differences (earlier: CreateCallLogBody | undefined, later: CreateCallLogBody): UpdateCallLogBody[] {
  const before = new Map(Object.entries(earlier === undefined ? {} : changesOf(parted(earlier))))
  const changed = Object.entries(changesOf(completedParts(earlier, later))).filter(([name, value]) => !saysNothing(name, value) && !isDeepStrictEqual(value, before.get(name)))
  return changed.length === 0 ? [] : [whole<UpdateCallLogBody>({ ...Object.fromEntries(changed), sessionId: later.logInfo.sessionId })]
}

/** What an update can change, out of a request to log a call. */
function changesOf (body: Parted<CreateCallLogBody>): Partial<Parted<UpdateCallLogBody>> {
  const {
    logInfo, contactId, contactType, contactName, overridingFormat, extensionNumber, hashedExtensionId, rcExtensionId, ...parts
  } = withoutTokens(body)
  const { startTime, duration, result, direction, from, to, legs, recording, voicemail, customSubject } = logInfo
  const facts = { startTime, duration, result, direction, from, to, legs, recordingLink: recording?.link, voicemailLink: voicemail?.link, subject: customSubject }
  return present({ ...facts, ...parts })
}

/** Whether a member of an update changes nothing. An empty note does: it clears the one that was sent before. */
export const changesNothing = (name: string, value: unknown): boolean =>
  saysNothing(name, value) && !(name === 'note' && typeof value === 'string' && value.trim() === '')

/** What an update changes, without what it does not know yet: that takes the place of nothing. */
const changing = (update: UpdateCallLogBody): Partial<UpdateCallLogBody> =>
  Object.fromEntries(Object.entries(update).filter(([name, value]) => name !== 'sessionId' && !changesNothing(name, value)))

/** All that updates change when they are written together. @param updates the oldest first */
export const joined = (updates: readonly UpdateCallLogBody[]): Partial<UpdateCallLogBody> => whole(joinedParts(updates))

const joinedParts = (updates: readonly UpdateCallLogBody[]): Partial<Parted<UpdateCallLogBody>> => Object.assign({}, ...updates.map(update => parted(changing(update))))

/**
 * Updates that were written together, and may be written again: each without what a later one of them says anew, because by then an
 * earlier value would pass for a new edit, and replace what a person has made of the later one.
 */
export function withoutSuperseded (updates: readonly UpdateCallLogBody[]): UpdateCallLogBody[] {
  return updates.map((update, index) => {
    const later = joinedParts(updates.slice(index + 1))
    return whole<UpdateCallLogBody>(Object.fromEntries(Object.entries(parted(update)).filter(([name]) => !Object.hasOwn(later, name))) as Parted<UpdateCallLogBody>)
  })
}

/** The structured fields that an update brings. */
export function callChangesOf (body: Partial<UpdateCallLogBody>): Partial<Call> {
  const duration = secondsOf(body.duration)
  const result = knownResult(body.result)
  const recordingLink = readyLink(body.recordingLink)
  return {
    ...(body.startTime !== undefined && { startTime: instantOf(body.startTime, 'startTime') }),
    ...(duration !== undefined && { duration }),
    ...(result !== undefined && { result }),
    ...(body.direction !== undefined && { direction: body.direction }),
    ...(body.from !== undefined && { from: body.from }),
    ...(body.to !== undefined && { to: body.to }),
    ...(body.legs !== undefined && { legs: body.legs }),
    ...(recordingLink !== undefined && { recordingLink }),
    ...(body.recordingDownloadLink !== undefined && { recordingDownloadLink: body.recordingDownloadLink })
  }
}

/** @throws {PatchbayError} `no-contact` when none was chosen */
export function contactOf (
  { contactId, contactType, contactName }: Pick<CreateCallLogBody, 'contactId' | 'contactType' | 'contactName'>,
  phoneNumber: string
): LogContact {
  const id = String(contactId ?? '')
  if (id === '' || id === '0') {
    throw new PatchbayError('no-contact', phoneNumber === '' ? {} : { message: `Contact not found for number ${phoneNumber}. Choose or create a contact, then log again.` })
  }
  return { id, type: contactType ?? '', name: contactName ?? '', phoneNumber }
}

/** The number of the other side; an internal extension where there is no phone number. */
export function otherNumber ({ direction, from, to }: Pick<Call, 'direction' | 'from' | 'to'>): string {
  const party = direction === 'Inbound' ? from : to
  return party.phoneNumber ?? String(party.extensionNumber ?? '')
}
