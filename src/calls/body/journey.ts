/** The journey of a call through its legs, one line a leg. */
import type { CallLeg, Party } from '../../contract/call-record.ts'

/** @returns the lines of the journey, an empty text when there are no legs */
export function callJourney (legs: readonly CallLeg[]): string {
  return legs.map((leg, index) => index === 0 ? firstLeg(leg) : laterLeg(leg)).join('\n')
}

function firstLeg ({ direction, from, to }: CallLeg): string {
  return direction === 'Outbound' ? `Made call from ${partyText(from)}` : `Received call at ${partyText(to)}`
}

function laterLeg ({ direction, legType, duration = 0, from, to }: CallLeg): string {
  const party = direction === 'Outbound' && legType !== 'PstnToSip' ? from : to
  return `Transferred to ${partyText(party)}, duration: ${duration} second${duration > 1 ? 's' : ''}`
}

/** `Bob Agent, +14155550199, ext 101`; a party without any number stays unnamed. */
function partyText ({ name, phoneNumber, extensionNumber }: Party = {}): string {
  const number = [phoneNumber, extensionNumber && `ext ${extensionNumber}`].filter(Boolean).join(', ')
  return number === '' ? '' : [name, number].filter(Boolean).join(', ')
}
