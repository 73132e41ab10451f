/** The numbers of the door. Tests bring smaller ones. */
export interface Limits {
  /** Milliseconds until a connection stands, TLS included. */
  readonly connect: number
  /** Milliseconds that a connection is kept which nobody uses. */
  readonly idle: number
  /** Milliseconds that one call may spend on talking to the CRM, over all its attempts. */
  readonly talk: number
  /** Milliseconds that one call may spend on waiting: for its turn, for a delay that the CRM asked for, between attempts. */
  readonly wait: number
  /** Bytes of an answer, both on the wire and decompressed. */
  readonly answer: number
  /** Bytes of an answer's headers. */
  readonly headers: number
}

/** Talking and waiting together stay below the 25 seconds that a request of the extension may take. */
export const defaultLimits: Limits = {
  connect: 3_000,
  idle: 30_000,
  talk: 10_000,
  // A delay of ten seconds, and what timers are late.
  wait: 10_500,
  answer: 10 * 1024 * 1024,
  headers: 32 * 1024
}
