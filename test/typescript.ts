/** TypeScript in a process of its own, as `npm run demo` runs it: arguments and variables for Node.js. */
export const typescript = ['--import', 'jiti/register'] as const

/**
 * jiti makes other JavaScript of a file than tap does. What is counted in such a process would spoil the coverage, because it would
 * count at the wrong places.
 */
export const uncounted = { _TAPJS_PROCESSINFO_COVERAGE_: '0' } as const
