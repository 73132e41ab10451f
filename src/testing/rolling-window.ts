/** A limit of so many requests within the last so many milliseconds, as CRMs enforce it. */
export interface RollingWindow {
  /** Counts a request of somebody, unless the limit is reached. */
  take: (who: string) => WindowState & { readonly granted: boolean }
}

export interface WindowState {
  readonly limit: number
  readonly remaining: number
  /** Whole seconds until the oldest request counts no more. */
  readonly resetSeconds: number
}

/** @param clock gives epoch milliseconds */
export function rollingWindow ({ requests, milliseconds }: { requests: number, milliseconds: number }, clock: () => number): RollingWindow {
  const taken = new Map<string, number[]>()
  return {
    take (who) {
      const now = clock()
      const recent = (taken.get(who) ?? []).filter(at => at > now - milliseconds)
      const granted = recent.length < requests
      const counted = granted ? [...recent, now] : recent
      taken.set(who, counted)
      const oldest = counted[0] ?? now
      return {
        granted,
        limit: requests,
        remaining: requests - counted.length,
        resetSeconds: Math.max(1, Math.ceil((oldest + milliseconds - now) / 1000))
      }
    }
  }
}
