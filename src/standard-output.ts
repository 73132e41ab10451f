/** Where the log goes. A disk that is full, or a reader who does not read, costs lines of the log and stops nothing. */
import pino from 'pino'

/** Bytes that are kept for when they can be written: some thousand lines. */
const mostKept = 1 << 20
/** Milliseconds until what is kept is tried again, unless a new line comes before that. */
const tryEvery = 1_000

/** Lines are written together, as they come, and the last ones when the process ends: unless standard output does not take them. */
export function standardOutput (): { write: (text: string) => void } {
  const output = pino.destination({
    // Asked of the process, which then makes a pipe one that says that it is full in place of waiting.
    dest: process.stdout.fd,
    sync: false,
    retryEAGAIN: () => false,
    maxLength: mostKept,
    periodicFlush: tryEvery,
    // Otherwise a periodic flush does nothing.
    minLength: 1
  })
  let isTaken = true
  output.on('write', () => { isTaken = true })
  // There is nowhere else to tell it.
  output.on('error', () => { isTaken = false })
  // Called after a fatal line and at the end; it would try until everything is written, on the only thread.
  const flushSync = output.flushSync.bind(output)
  output.flushSync = () => {
    try {
      if (isTaken) flushSync()
    } catch {
      isTaken = false // Nobody reads the pipe.
    }
  }
  return output
}
