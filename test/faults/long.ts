/** `npm run test:faults` looks for minutes where `npm test` looks for seconds. */
export const long = process.env['FAULTS'] === 'long'
