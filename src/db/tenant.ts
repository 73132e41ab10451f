/** Whose rows a repository may see. */
import { and, eq, sql, type Placeholder, type SQL } from 'drizzle-orm'
import type { AnySQLiteColumn } from 'drizzle-orm/sqlite-core'

/**
 * One user of one CRM. Rows are found by user and platform; the account is only noted on them.
 */
export interface Tenant {
  /** The user's id, `<crm user id>-<platform>`. */
  userId: string
  /** The RingCentral account id, `''` when it is not known. */
  accountId: string
  platform: string
}

/** The tenant's columns of a row, out of something that may hold more. */
export function ownedBy ({ userId, accountId, platform }: Tenant): Tenant {
  return { userId, accountId, platform }
}

/** In place of the tenant, for a statement that is prepared: user and platform are among its values. */
export const tenantPlaceholders = { userId: sql.placeholder('userId'), platform: sql.placeholder('platform') }

/** Limits a statement to the rows of the tenant. */
export function within (
  table: { userId: AnySQLiteColumn, platform: AnySQLiteColumn },
  tenant: { [Name in 'userId' | 'platform']: string | Placeholder }
): SQL | undefined {
  return and(eq(table.userId, tenant.userId), eq(table.platform, tenant.platform))
}
