/** Signing in and out, and what the extension asks about the session. */
import { Answer, ErrorAnswer, ErrorAnswerDetail, ReturnMessage, failures, limitedFailures, plainText, sessionFailures } from './answer.ts'
import { type RouteContract, anybody, signedIn } from './route.ts'
import { Nullable, Type, ref, type Static } from './type.ts'

export const LoginAnswer = Type.Object({
  jwtToken: Type.Optional(Type.String({ description: 'The session token: 14 days, renewed by the header `x-refreshed-jwt-token`.' })),
  name: Type.Optional(Type.String()),
  returnMessage: Type.Optional(Nullable(ref(ReturnMessage))),
  successful: Type.Optional(Type.Literal(false, { description: 'Without a token: somebody who may not sign in.' })),
  error: Type.Optional(ref(ErrorAnswerDetail))
}, { $id: 'LoginAnswer' })

export const apiKeyLoginRoute = {
  method: 'POST',
  url: '/apiKeyLogin',
  schema: {
    operationId: 'apiKeyLogin',
    tags: ['session'],
    summary: 'Sign in to a CRM with an API key or a login form',
    security: anybody,
    body: Type.Object({
      platform: Type.Optional(Type.String({ description: 'The name of the connector. Required.' })),
      apiKey: Type.Optional(Type.String()),
      hostname: Type.Optional(Type.String()),
      additionalInfo: Type.Optional(Type.Record(Type.String(), Type.Unknown(), { description: 'All fields of the login form.' }))
    }),
    response: { 200: ref(LoginAnswer), ...limitedFailures }
  }
} as const satisfies RouteContract

const parameter = (description: string) => Type.Optional(Type.String({ description }))

export const oauthCallbackRoute = {
  method: 'GET',
  url: '/oauth-callback',
  schema: {
    operationId: 'oauthCallback',
    tags: ['session'],
    summary: 'Sign in to a CRM with what came back from its consent page',
    description: 'The extension sends the address to which the CRM redirected as `callbackUri`, without encoding it, so that parts of ' +
      'it become members of this query; both forms are read. A CRM may also redirect here directly. Other members are kept for the connector.',
    security: anybody,
    querystring: Type.Object({
      callbackUri: parameter('The address to which the CRM redirected.'),
      code: parameter('The authorization code, when it is not in `callbackUri`.'),
      state: parameter('`platform=<name of the connector>`, or what `/oauth-authorize` made.'),
      hostname: parameter('Host of the CRM. The words `undefined` and `temp` mean that it is not known.'),
      tokenUrl: parameter('For connectors that take it, on their own hosts.'),
      apiUrl: parameter('For connectors that take it, on their own hosts.'),
      username: Type.Optional(Type.String()),
      rcAccountId: parameter('Not used: anybody can write it.')
    }, { additionalProperties: true }),
    response: { 200: ref(LoginAnswer), ...limitedFailures }
  }
} as const satisfies RouteContract

export const oauthAuthorizeRoute = {
  method: 'GET',
  url: '/oauth-authorize',
  schema: {
    operationId: 'oauthAuthorize',
    tags: ['session'],
    summary: 'Begin to sign in: redirects to the consent page of the CRM',
    description: 'Adds what the connector declares: scope, further parameters, PKCE, and a state that only this server can make. With 200 it says ' +
      'why there is no way to the CRM, for example because the operator has not set a client.',
    security: anybody,
    querystring: Type.Object({
      platform: parameter('The name of the connector. Required, here or in `state`.'),
      state: parameter('`platform=<name of the connector>`, as the extension sends it.'),
      hostname: parameter('Host of the CRM.'),
      redirect_uri: parameter('Where the CRM redirects to: the extension\'s page, or `/oauth-callback` of this server when absent.')
    }, { additionalProperties: true }),
    response: { 200: ref(ErrorAnswer), 302: { description: 'To the CRM.', type: 'null' }, ...limitedFailures }
  }
} as const satisfies RouteContract

export const authValidationRoute = {
  method: 'GET',
  url: '/authValidation',
  schema: {
    operationId: 'authValidation',
    tags: ['session'],
    summary: 'Whether the connection to the CRM still works',
    description: 'The extension ends the session when this is not successful, so a CRM that cannot be asked right now counts as success.',
    security: signedIn,
    response: { 200: ref(Answer), ...sessionFailures }
  }
} as const satisfies RouteContract

export const unAuthorizeRoute = {
  method: 'POST',
  url: '/unAuthorize',
  schema: {
    operationId: 'unAuthorize',
    tags: ['session'],
    summary: 'Sign out of the CRM',
    description: 'Answers the message itself, without an envelope.',
    security: signedIn,
    response: { 200: ref(ReturnMessage), ...sessionFailures }
  }
} as const satisfies RouteContract

export const LicenseStatus = Type.Object({
  isLicenseValid: Type.Boolean(),
  licenseStatus: Type.String(),
  licenseStatusDescription: Type.String()
}, { $id: 'LicenseStatus' })
export type LicenseStatus = Static<typeof LicenseStatus>

export const licenseStatusRoute = {
  method: 'GET',
  url: '/licenseStatus',
  schema: {
    operationId: 'getLicenseStatus',
    tags: ['session'],
    summary: 'Tell whether the user has a licence',
    security: [...signedIn, {}],
    response: { 200: ref(LicenseStatus), ...failures }
  }
} as const satisfies RouteContract

export const hostnameRoute = {
  method: 'GET',
  url: '/hostname',
  schema: {
    operationId: 'getHostname',
    tags: ['session'],
    summary: 'The host of the user\'s CRM, as bare text',
    security: signedIn,
    response: { 200: plainText('The host name; empty when there is none.'), ...sessionFailures }
  }
} as const satisfies RouteContract
