import { PatchbayError } from './errors.ts'

/**
 * Aborts after so many milliseconds, or with another signal. (An `AbortSignal.timeout` that nothing but `AbortSignal.any` knows of may
 * be collected as garbage, and then it never comes.)
 */
export function timeLimit (milliseconds: number, other: AbortSignal): AbortSignal {
  const controller = new AbortController()
  setTimeout(() => { controller.abort(new PatchbayError('timed-out')) }, milliseconds).unref()
  return AbortSignal.any([controller.signal, other])
}
