/** A transaction is undone as a whole when one of its statements is a guard that did not hold. */
class GuardFailed extends Error {}

/** A statement's result; throws when it has `returning()` and gave no row. Goes inside the transaction. */
export function guarded (result: unknown): unknown {
  if (Array.isArray(result) && result.length === 0) throw new GuardFailed()
  return result
}

export const isGuardFailed = (error: unknown): boolean => error instanceof GuardFailed

/** The transaction's results, or undefined when a guard did not hold. Goes around the transaction. */
export async function unlessGuardFailed<Result> (transaction: () => Result | Promise<Result>): Promise<Result | undefined> {
  try {
    return await transaction()
  } catch (error) {
    if (isGuardFailed(error)) return undefined
    throw error
  }
}
