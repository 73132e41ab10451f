/** Who asks: a connected user, with the connector of their CRM and everything an operation gets. Made by plugins/caller.ts. */
import type { Connector } from '../contract/connector.ts'
import { PatchbayError } from '../contract/errors.ts'
import type { Context, OperationName, Operations } from '../contract/operations.ts'
import type { Tenant } from '../db/tenant.ts'

/** Somebody whom a log is for, although it comes with the session of another one. */
export interface AssignedUser {
  readonly tenant: Tenant
  readonly crmUserId: string
}

export interface Caller {
  readonly tenant: Tenant
  readonly connector: Connector
  readonly context: Context
  /**
   * The user whom a log is for, where a client that logs without a browser names another one among the additional fields.
   * Undefined when it names nobody, or nobody who may be named: then the record is the caller's.
   */
  readonly assignedTo: (additionalSubmission: Readonly<Record<string, unknown>> | undefined) => Promise<AssignedUser | undefined>
}

/** @throws {PatchbayError} `not-supported` when the connector has no such operation */
export function operationOf<Name extends OperationName> ({ connector }: Caller, name: Name): NonNullable<Operations[Name]> {
  const operation = connector.operations[name]
  if (operation === undefined) throw new PatchbayError('not-supported', { message: `${connector.info.title} does not support this (${name}).` })
  return operation
}

/** The CRM user whom a new record belongs to. */
export async function ownerOf (caller: Caller, { additionalSubmission }: { readonly additionalSubmission?: Readonly<Record<string, unknown>> | undefined }): Promise<string> {
  const assigned = await caller.assignedTo(additionalSubmission)
  return (assigned ?? caller.context.user).crmUserId
}
