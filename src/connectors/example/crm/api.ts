import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type, ref } from '../../../contract/type.ts'
import type { Grants } from './grants.ts'
import { Refusal } from './refusal.ts'
import {
  Activity, ActivityChanges, ActivityFilter, ActivityList, Contact, ContactFilter, ContactList, Failure, NewActivity, NewContact,
  User, UserList
} from './schemas.ts'
import type { Store } from './store.ts'

const failures = { 400: ref(Failure), 401: ref(Failure), 429: ref(Failure), 500: ref(Failure), 503: ref(Failure) }
const bodyFailures = { ...failures, 413: ref(Failure), 415: ref(Failure) }
const byId = Type.Object({ id: Type.Integer({ minimum: 1 }) })

/** The key out of `Authorization: Basic`, where it is the user name and the password is empty. */
function keyOf (request: FastifyRequest): string | undefined {
  const [, credentials = ''] = /^Basic +(\S+)$/i.exec(request.headers.authorization ?? '') ?? []
  const [, key] = /^([^:]+):$/.exec(Buffer.from(credentials, 'base64').toString()) ?? []
  return key
}

/** The validator coerces nothing, so that bodies are taken as they are; the integers of paths and queries are read here. */
function readIntegers (values: object): void {
  for (const name of ['id', 'contactId', 'limit']) {
    const written: unknown = Reflect.get(values, name)
    if (typeof written === 'string' && /^\d{1,15}$/.test(written)) Reflect.set(values, name, Number(written))
  }
}

function found<Thing> (thing: Thing | undefined, name: string): Thing {
  if (thing === undefined) throw new Refusal(404, `There is no such ${name}`)
  return thing
}

const bearerOf = (request: FastifyRequest): string | undefined => /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]

/** The REST API; every request of it needs the key of a user, or a token that a user has granted. */
const api: FastifyPluginAsyncTypebox<{ store: Store, grants: Grants }> = async (app, { store, grants }) => {
  const callerOf = (request: FastifyRequest) => request.getDecorator<User>('caller')

  app.decorateRequest('caller')
  app.addHook('onRequest', async (request, reply) => {
    const key = keyOf(request)
    const bearer = bearerOf(request)
    const caller = key !== undefined ? store.userByKey(key) : bearer === undefined ? undefined : grants.userByAccessToken(bearer)
    if (caller === undefined) {
      reply.header('www-authenticate', 'Basic realm="Example CRM", charset="UTF-8", Bearer realm="Example CRM"')
      throw new Refusal(401, 'Send the API key of a user as the user name of Basic authorization, without a password, or an access token as Bearer')
    }
    request.setDecorator('caller', caller)
  })

  app.addHook('preValidation', async request => {
    readIntegers(Object(request.params))
    readIntegers(Object(request.query))
  })

  app.get('/me', {
    schema: { operationId: 'getMe', summary: 'The user with this key', tags: ['Users'], response: { 200: ref(User), ...failures } }
  }, async request => callerOf(request))

  app.get('/users', {
    schema: { operationId: 'listUsers', summary: 'All users', tags: ['Users'], response: { 200: ref(UserList), ...failures } }
  }, async () => ({ items: store.users() }))

  app.get('/contacts', {
    schema: {
      operationId: 'findContacts',
      summary: 'The contacts that meet every filter given',
      tags: ['Contacts'],
      querystring: ContactFilter,
      response: { 200: ref(ContactList), ...failures }
    }
  }, async request => ({ items: store.contacts(request.query) }))

  app.post('/contacts', {
    schema: {
      operationId: 'createContact',
      summary: 'Adds a contact or lead',
      tags: ['Contacts'],
      body: ref(NewContact),
      response: { 201: ref(Contact), ...bodyFailures }
    }
  }, async (request, reply) => {
    reply.code(201)
    return store.addContact(request.body)
  })

  app.get('/contacts/:id', {
    schema: {
      operationId: 'getContact',
      summary: 'One contact with its deals',
      tags: ['Contacts'],
      params: byId,
      response: { 200: ref(Contact), ...failures, 404: ref(Failure) }
    }
  }, async request => found(store.contact(request.params.id), 'contact'))

  app.get('/activities', {
    schema: {
      operationId: 'findActivities',
      summary: 'The activities that meet every filter given, the newest first',
      tags: ['Activities'],
      querystring: ActivityFilter,
      response: { 200: ref(ActivityList), ...failures }
    }
  }, async request => ({ items: store.activities(request.query) }))

  app.post('/activities', {
    schema: {
      operationId: 'createActivity',
      summary: 'Logs a call or a message; an `externalId` is taken once for each type',
      tags: ['Activities'],
      body: ref(NewActivity),
      response: { 201: ref(Activity), ...bodyFailures, 409: ref(Failure) }
    }
  }, async (request, reply) => {
    reply.code(201)
    return store.addActivity(request.body, callerOf(request))
  })

  app.get('/activities/:id', {
    schema: {
      operationId: 'getActivity',
      summary: 'One activity',
      tags: ['Activities'],
      params: byId,
      response: { 200: ref(Activity), ...failures, 404: ref(Failure) }
    }
  }, async request => found(store.activity(request.params.id), 'activity'))

  app.patch('/activities/:id', {
    schema: {
      operationId: 'updateActivity',
      summary: 'Changes the fields given',
      tags: ['Activities'],
      params: byId,
      body: ref(ActivityChanges),
      response: { 200: ref(Activity), ...bodyFailures, 404: ref(Failure) }
    }
  }, async request => found(store.changeActivity(request.params.id, request.body), 'activity'))

  app.delete('/activities/:id', {
    schema: {
      operationId: 'deleteActivity',
      summary: 'Deletes an activity for good',
      tags: ['Activities'],
      params: byId,
      response: { 204: Type.Null(), ...bodyFailures, 404: ref(Failure) }
    }
  }, async (request, reply) => {
    if (!store.deleteActivity(request.params.id)) throw new Refusal(404, 'There is no such activity')
    return reply.code(204).send(null)
  })
}

export default api
