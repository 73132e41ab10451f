/** What the operator sees after the start: where things are, and what to try. */
import { exampleUsers } from './connectors/example/crm/server.ts'

export interface Places {
  readonly server: string
  readonly exampleCrm: string | undefined
  /** The file with the keys that were made at this start. */
  readonly keyFile: string | undefined
}

export function banner ({ server, exampleCrm, keyFile }: Places): string {
  return `
  Patchbay is running.

  Server        ${server}
  API reference ${server}/docs
${exampleCrm === undefined
    ? ''
    : `  Example CRM   ${exampleCrm}
  API keys      ${exampleUsers.map(({ key }) => key).join('  ')}   (platform: example)

  Next: npm run demo     plays a call from the first ring to the record in the CRM
`}${keyFile === undefined ? '' : `\n  Keys were made and kept in ${keyFile}. Back this file up: without it, stored credentials cannot be read.\n`}
`
}
