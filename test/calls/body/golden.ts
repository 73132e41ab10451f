/** The samples that every format is checked against, and the values they are made of. */
import type { BodyFormat, CallLogValues } from '../../../src/calls/body/values.ts'
import type { UserSettings } from '../../../src/contract/settings.ts'

export const formats: BodyFormat[] = ['text/plain', 'text/html', 'text/markdown']

export const everythingOn: UserSettings = Object.fromEntries([
  'addCallSessionId', 'addRingCentralUserName', 'addRingCentralNumber', 'addCallLogContactNumber'
].map(id => [id, { value: true }]))

export const fullCall: CallLogValues = {
  note: 'line1\nline2',
  sessionId: 'S1',
  subject: 'Inbound Call from Ann',
  contactNumber: '+14155550100',
  startTime: '2026-01-15T10:30:05Z',
  duration: 3661,
  result: 'Accepted',
  recordingLink: 'https://rec/1',
  voicemailLink: 'https://vm/1',
  aiNote: 'ai1\nai2\n\n',
  transcript: 't1\nt2\n',
  ringSenseTranscript: 'rt1\nrt2\n',
  ringSenseSummary: 'rs1\nrs2\n',
  ringSenseAIScore: '92',
  ringSenseBulletedSummary: '- a\n- b\n',
  ringSenseLink: 'https://ace/1',
  direction: 'Inbound',
  from: { name: 'Ann', phoneNumber: '+14155550100', extensionNumber: '55' },
  to: { name: 'Bob Agent', phoneNumber: '+14155550199', extensionNumber: '77' },
  legs: [
    { direction: 'Inbound', legType: 'Accept', to: { name: 'Bob Agent', phoneNumber: '+14155550199', extensionNumber: '101' } },
    { direction: 'Outbound', legType: 'PstnToSip', duration: 1, to: { name: 'Cat', extensionNumber: '102' } },
    { direction: 'Outbound', duration: 0, from: { phoneNumber: '+16505550100' } },
    { direction: 'Inbound', duration: 2, to: { name: 'Nobody' } }
  ]
}

export const goldenBodies: Record<BodyFormat, string> = {
  'text/plain': `- Note: line1
line2
- Session Id: S1
- RingCentral user name: Bob Agent
- RingCentral number and extension: +14155550199 77
- Summary: Inbound Call from Ann
- Contact Number: +14155550100
- Date/Time: 2026-01-15 03:30:05 AM
- Duration: 1 hour, 1 minute, 1 second
- Result: Accepted
- Call recording link: https://rec/1
- Voicemail recording link: https://vm/1

- AI Note:
ai1
ai2
--- END

- Transcript:
t1
t2

--- END

- ACE transcript:
rt1
rt2
--- END

- ACE summary:
rs1
rs2

--- END
- Call score: 92

- ACE bulleted summary:
- a
- b

--- END
- ACE recording link: https://ace/1
- Call journey:
Received call at Bob Agent, +14155550199, ext 101
Transferred to Cat, ext 102, duration: 1 second
Transferred to +16505550100, duration: 0 second
Transferred to , duration: 2 seconds
--- JOURNEY END
`,
  'text/html': [
    '<b>Agent notes</b><br>line1<br>line2<br><br><b>Call details</b><br>',
    '<li><b>Session Id</b>: S1</li><li><b>RingCentral user name</b>: Bob Agent</li>',
    '<li><b>RingCentral number and extension</b>: +14155550199 77</li><li><b>Summary</b>: Inbound Call from Ann</li>',
    '<li><b>Caller phone number</b>: +14155550100</li><li><b>Date/time</b>: 2026-01-15 03:30:05 AM</li>',
    '<li><b>Duration</b>: 1 hour, 1 minute, 1 second</li><li><b>Result</b>: Accepted</li>',
    '<li><b>Call recording link</b>: <a target="_blank" href="https://rec/1">open</a></li>',
    '<li><b>Voicemail recording link</b>: <a target="_blank" href="https://vm/1">open</a></li>',
    '<div><b>AI Note</b><br>ai1<br>ai2</div><br><div><b>Transcript</b><br>t1<br>t2<br></div><br>',
    '<div><b>ACE transcript</b><br>rt1<br>rt2</div><div><b>ACE summary</b><br>rs1<br>rs2</div><li><b>Call score</b>: 92</li>',
    '<div><b>ACE bulleted summary</b><br>- a<br>- b</div>',
    '<li><b>ACE recording link</b>: <a target="_blank" href="https://ace/1">open</a></li>',
    '<div><b>Call journey</b><br>Received call at Bob Agent, +14155550199, ext 101<br>Transferred to Cat, ext 102, duration: 1 second<br>',
    'Transferred to +16505550100, duration: 0 second<br>Transferred to , duration: 2 seconds</div>'
  ].join(''),
  'text/markdown': `## Agent notes
line1
line2

## Call details
**Session Id**: S1
**RingCentral user name**: Bob Agent
**RingCentral number and extension**: +14155550199 77
**Summary**: Inbound Call from Ann
**Contact Number**: +14155550100
**Date/Time**: 2026-01-15 03:30:05 AM
**Duration**: 1 hour, 1 minute, 1 second
**Result**: Accepted
**Call recording link**: https://rec/1
**Voicemail recording link**: https://vm/1
### AI Note
ai1
ai2
### Transcript
t1
t2

### ACE transcript
rt1
rt2
### ACE summary
rs1
rs2

**Call score**: 92
### ACE bulleted summary
- a
- b

**ACE recording link**: https://ace/1
### Call journey
Received call at Bob Agent, +14155550199, ext 101
Transferred to Cat, ext 102, duration: 1 second
Transferred to +16505550100, duration: 0 second
Transferred to , duration: 2 seconds
`
}
