/**
 * What a connector has at the root of the server, because its CRM or the extension expects it there. It declares what the route is;
 * the platform mounts it, decides who gets in, and does the work.
 */
import { Code, OneOf, Type, type Static, type TSchema } from './type.ts'

interface Mounted {
  /** The first segment is the name of the platform, or begins with it and a hyphen: `/tinydesk-redirect`. */
  readonly url: string
  readonly operationId: string
  readonly summary: string
}

/** A page for anybody. No script runs in it, and nothing in it changes with the request. */
export interface PageRoute extends Mounted {
  readonly kind: 'page'
  readonly html: string
}

/** Whom a notice of the CRM is about. Both have to match a user here. */
export interface RemovedUser {
  readonly crmUserId: string
  /** What the connector gave as `companyId` at sign-in; empty where it gave none. */
  readonly companyId: string
  /** Epoch milliseconds: when that was. A notice may come late, and ends no connection that was made or renewed after that. */
  readonly at?: number
}

/**
 * The CRM says that somebody removed this server's app there, so that their credentials are forgotten. The CRM shows that it is the
 * one by the client's id and secret (HTTP Basic).
 */
export interface RemovalNoticeRoute extends Mounted {
  readonly kind: 'removal-notice'
  readonly method: 'DELETE' | 'POST'
  readonly body: TSchema
  readonly read: (body: unknown) => RemovedUser
}

export type RootRoute = PageRoute | RemovalNoticeRoute

const Text = Type.String()
const mounted = { url: Text, operationId: Text, summary: Text }

/** The members of each kind, for the check at the start. */
export const rootRouteMembers: { readonly [Route in RootRoute as Route['kind']]: Record<Exclude<keyof Route, 'kind'>, TSchema> } = {
  page: { ...mounted, html: Text },
  'removal-notice': { ...mounted, method: OneOf(['DELETE', 'POST']), body: Type.Unknown(), read: Code }
}

export const page = (route: Omit<PageRoute, 'kind'>): PageRoute => ({ kind: 'page', ...route })

/** @param route `read` gets a body that was checked against the schema `body` */
export const removalNotice = <Body extends TSchema>(
  route: Omit<RemovalNoticeRoute, 'kind' | 'body' | 'read'> & { readonly body: Body, readonly read: (body: Static<Body>) => RemovedUser }
): RemovalNoticeRoute => ({ kind: 'removal-notice', ...route, read: body => route.read(body as Static<Body>) })
