/** Signing in and out, and what the extension asks about the session. */
import { ReturnMessage, failures, limitedFailures, plainText, sessionFailures } from './answer.ts'
import { type RouteContract, anybody, signedIn } from './route.ts'
import { Nullable, Type, ref } from './type.ts'

export const LoginAnswer = Type.Object({
  jwtToken: Type.Optional(Type.String({ description: 'The session token: 14 days, renewed by the header `x-refreshed-jwt-token`.' })),
  name: Type.Optional(Type.String()),
  returnMessage: Type.Optional(Nullable(ref(ReturnMessage)))
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
