/** What anybody may ask about the server and its connectors. */
import { failures, limitedFailures, plainText } from './answer.ts'
import { type RouteContract, anybody } from './route.ts'
import { Type, ref } from './type.ts'
import { ServedManifest } from './manifest.ts'

export const isAliveRoute = {
  method: 'GET',
  url: '/isAlive',
  schema: {
    operationId: 'isAlive',
    tags: ['health'],
    summary: 'Answers as long as the server runs',
    security: anybody,
    response: { 200: plainText('The word `OK`.'), ...failures }
  }
} as const satisfies RouteContract

export const Health = Type.Object({ status: Type.String(), problems: Type.Optional(Type.Array(Type.String())) }, { $id: 'Health' })

export const liveRoute = {
  method: 'GET',
  url: '/health/live',
  schema: {
    operationId: 'getLiveness',
    tags: ['health'],
    summary: 'Whether the process runs',
    security: anybody,
    response: { 200: ref(Health), ...failures }
  }
} as const satisfies RouteContract

export const readyRoute = {
  method: 'GET',
  url: '/health/ready',
  schema: {
    operationId: 'getReadiness',
    tags: ['health'],
    summary: 'Whether the server can work: asks the database',
    security: anybody,
    response: { 200: ref(Health), ...failures }
  }
} as const satisfies RouteContract

export const ImplementedInterfaces = Type.Record(Type.String(), Type.Boolean(), { $id: 'ImplementedInterfaces' })

export const implementedInterfacesRoute = {
  method: 'GET',
  url: '/implementedInterfaces',
  schema: {
    operationId: 'getImplementedInterfaces',
    tags: ['metadata'],
    summary: 'What the connector of a CRM can do',
    security: anybody,
    querystring: Type.Object({ platform: Type.Optional(Type.String()) }),
    response: { 200: ref(ImplementedInterfaces), ...failures }
  }
} as const satisfies RouteContract

export const crmManifestRoute = {
  method: 'GET',
  url: '/crmManifest',
  schema: {
    operationId: 'getCrmManifest',
    tags: ['metadata'],
    summary: 'What the extension shows for each CRM',
    security: anybody,
    querystring: Type.Object({ platformName: Type.Optional(Type.String({ description: 'One CRM; all of them when absent or `default`.' })) }),
    response: { 200: ref(ServedManifest), ...failures }
  }
} as const satisfies RouteContract

export const ReleaseNotes = Type.Record(
  Type.String({ description: 'The version.' }),
  Type.Record(Type.String({ description: '`global`, or the name of a connector.' }), Type.Array(Type.Object({
    type: Type.String(),
    description: Type.String()
  }))),
  { $id: 'ReleaseNotes' }
)

export const releaseNotesRoute = {
  method: 'GET',
  url: '/releaseNotes',
  schema: {
    operationId: 'getReleaseNotes',
    tags: ['metadata'],
    summary: 'What each version brought',
    security: anybody,
    response: { 200: ref(ReleaseNotes), ...failures }
  }
} as const satisfies RouteContract

export const ServerVersionInfo = Type.Object({ version: Type.String() }, { $id: 'ServerVersionInfo' })

export const serverVersionInfoRoute = {
  method: 'GET',
  url: '/serverVersionInfo',
  schema: {
    operationId: 'getServerVersionInfo',
    tags: ['metadata'],
    summary: 'The version of the server',
    security: anybody,
    response: { 200: ref(ServerVersionInfo), ...failures }
  }
} as const satisfies RouteContract

export const UserInfoHash = Type.Object({
  extensionId: Type.String(),
  accountId: Type.String()
}, { $id: 'UserInfoHash', description: 'Empty for an id that was not given.' })

export const userInfoHashRoute = {
  method: 'GET',
  url: '/userInfoHash',
  schema: {
    operationId: 'getUserInfoHash',
    tags: ['metadata'],
    summary: 'The hashes that stand for a telephony user and account',
    security: anybody,
    querystring: Type.Object({ extensionId: Type.Optional(Type.String()), accountId: Type.Optional(Type.String()) }),
    response: { 200: ref(UserInfoHash), ...limitedFailures }
  }
} as const satisfies RouteContract
