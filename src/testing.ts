/** What the fake of a CRM imports by the name `patchbay/testing`, when it stands beside a connector in `CONNECTORS_DIR`. */
export { fakeServer } from './testing/fake-crm.ts'
export { oauthServer } from './testing/oauth-server.ts'
export { Refusal } from './testing/refusal.ts'
export { rollingWindow } from './testing/rolling-window.ts'
export type { FakeCrm, FakeCrmOptions, FakeKeyCrm, FakeOAuthCrm, FakeRecord, StartFakeCrm } from './testing/fake-crm.ts'
export type { OAuthServer } from './testing/oauth-server.ts'
