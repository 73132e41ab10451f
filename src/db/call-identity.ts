/** Which log of a call a request means. Several extensions can each have one of the same call. */

/** Who logs a call: a client sends both, one or neither (`''`). */
export interface CallIdentity {
  extensionNumber: string
  /** Lowercase hex hash of the RingCentral extension id. */
  hashedExtensionId: string
}

/**
 * How well a log fits a request, 0 best, undefined when it does not fit at all. A log without a hash is one that an older
 * client made; its user's newer clients go on with it.
 */
function fit (log: CallIdentity, request: CallIdentity): number | undefined {
  const sameNumber = log.extensionNumber === request.extensionNumber
  if (request.hashedExtensionId === '') return sameNumber || request.extensionNumber === '' ? 0 : undefined
  if (log.hashedExtensionId === request.hashedExtensionId) return sameNumber ? 0 : 1
  if (log.hashedExtensionId !== '') return undefined
  if (sameNumber) return 2
  return log.extensionNumber === '' ? 3 : undefined
}

/**
 * The logs that fit a request, the best first; equally good ones by hash, then by extension number.
 * @param logs of one user
 */
export function fittingLogs<Log extends CallIdentity> (logs: readonly Log[], request: CallIdentity): Log[] {
  const rank = (log: Log): number => fit(log, request) ?? Infinity
  return logs
    .filter(log => fit(log, request) !== undefined)
    .sort((one, other) => rank(one) - rank(other) ||
      compare(one.hashedExtensionId, other.hashedExtensionId) ||
      compare(one.extensionNumber, other.extensionNumber))
}

function compare (one: string, other: string): number {
  return Number(one > other) - Number(one < other)
}
