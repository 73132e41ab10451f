/** How far to look for faults: `npm run test:faults` looks for minutes where `npm test` looks for seconds. */
export const long = process.env['FAULTS'] === 'long'

/** The short run is the same each time; the long one looks elsewhere each time. SEED runs a failed one again. */
export const seed = Number(process.env['SEED'] ?? (long ? Date.now() % 2 ** 31 : 1))
