/**
 * How long it takes to write and to update a full log body: all sections, a transcript of 20 KB. The budget is 1 ms for
 * both together. The ratio compares with one pass over the same text (a JSON round trip), so that machines can be compared.
 */
import { pathToFileURL } from 'node:url'
import { composeCallLog, merge } from '../src/calls/body/merge.ts'
import type { BodyFormat, BodyOptions, CallLogValues } from '../src/calls/body/values.ts'
import type { UserSettings } from '../src/contract/settings.ts'

export interface Timing {
  format: BodyFormat
  /** Median of one create and one update, in milliseconds. */
  milliseconds: number
  /** How many times longer than a JSON round trip of the body. */
  ratio: number
  /** How many times longer with a transcript four times as long: about 4 while the work is linear. */
  growth: number
}

const formats: BodyFormat[] = ['text/plain', 'text/html', 'text/markdown']
const sentence = 'Ann (00:12): She said "it\'s <fine> & done" - see Duration: later; that is $1,000.\n'

const settings: UserSettings = Object.fromEntries(['addCallSessionId', 'addRingCentralUserName', 'addRingCentralNumber', 'addCallLogContactNumber']
  .map(id => [id, { value: true }]))

function fullCall (transcriptLength: number): CallLogValues {
  return {
    note: sentence.repeat(5),
    sessionId: '4503991004',
    subject: 'Inbound Call from Ann',
    contactNumber: '+14155550100',
    startTime: 1768473005000,
    duration: 3661,
    result: 'Accepted',
    recordingLink: 'https://recordings.example.com/1?a=1&b=2',
    voicemailLink: 'https://recordings.example.com/2',
    direction: 'Inbound',
    from: { name: 'Ann', phoneNumber: '+14155550100' },
    to: { name: 'Bob', phoneNumber: '+14155550199', extensionNumber: '101' },
    legs: [{ direction: 'Inbound', to: { name: 'Bob', phoneNumber: '+14155550199' } }, { direction: 'Outbound', duration: 12, from: { phoneNumber: '+14155550199' } }],
    aiNote: sentence.repeat(10),
    transcript: sentence.repeat(Math.ceil(transcriptLength / sentence.length)),
    ringSenseTranscript: sentence.repeat(10),
    ringSenseSummary: sentence.repeat(10),
    ringSenseAIScore: '92',
    ringSenseBulletedSummary: sentence.repeat(10),
    ringSenseLink: 'https://recordings.example.com/3'
  }
}

function median (samples: number[]): number {
  return samples.sort((one, other) => one - other)[Math.floor(samples.length / 2)] ?? 0
}

/** Median time of a job in milliseconds. */
function timeOf (job: () => unknown, runs = 300): number {
  for (let run = 0; run < runs; run++) job()
  return median(Array.from({ length: runs }, () => {
    const start = performance.now()
    job()
    return performance.now() - start
  }))
}

export function benchLogBody (): Timing[] {
  return formats.map(format => {
    const options: BodyOptions = { format, settings, timeZone: 'America/Denver' }
    const createAndUpdate = (call: CallLogValues) => () => {
      const created = composeCallLog({ ...call, duration: undefined, result: undefined, recordingLink: '(pending...)' }, options)
      return merge(created.body, created.fingerprints, call, options)
    }
    const call = fullCall(20_000)
    const { body } = composeCallLog(call, options)
    const milliseconds = timeOf(createAndUpdate(call))
    return {
      format,
      milliseconds,
      ratio: milliseconds / timeOf(() => JSON.parse(JSON.stringify(body))),
      growth: timeOf(createAndUpdate(fullCall(80_000))) / milliseconds
    }
  })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const { format, milliseconds, ratio, growth } of benchLogBody()) {
    console.log(`log body, create and update, ${format}: ${milliseconds.toFixed(3)} ms, ` +
      `${ratio.toFixed(1)} times a JSON round trip, ${growth.toFixed(1)} times for a transcript of 80 KB`)
  }
}
