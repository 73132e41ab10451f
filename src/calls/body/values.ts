/** What a log body is made from: the values of one call, and how its reader wants to see them. */
import type { CallLeg, Direction, Instant, Party } from '../../contract/call-record.ts'
import type { UserSettings } from '../../contract/settings.ts'
import type { Zone } from './time.ts'

export type BodyFormat = 'text/plain' | 'text/html' | 'text/markdown'

/** The values of a call as they arrive. One that is absent leaves its section as it is. */
export interface CallLogValues {
  /** What the user typed. An empty text clears the note, when we wrote one before. */
  note?: string | null | undefined
  sessionId?: string | null | undefined
  subject?: string | null | undefined
  contactNumber?: string | null | undefined
  startTime?: Instant | null | undefined
  /** Seconds, or `pending` while the call lasts. */
  duration?: number | string | null | undefined
  result?: string | null | undefined
  /** A link, or `(pending...)` while the recording is made. */
  recordingLink?: string | null | undefined
  voicemailLink?: string | null | undefined
  direction?: Direction | null | undefined
  from?: Party | null | undefined
  to?: Party | null | undefined
  legs?: readonly CallLeg[] | null | undefined
  /** Artifacts are texts, structures, or structures as JSON text (artifacts.ts). */
  aiNote?: unknown
  transcript?: unknown
  ringSenseTranscript?: unknown
  ringSenseSummary?: unknown
  ringSenseAIScore?: unknown
  ringSenseBulletedSummary?: unknown
  ringSenseLink?: string | null | undefined
}

export interface BodyOptions extends Zone {
  format: BodyFormat
  settings: UserSettings
  /** The longest body that the CRM takes, in UTF-16 units. */
  maxLength?: number | undefined
}
