/** The figures as text. What misses its target has a sign. */
import type { Figures, Load } from './measure.ts'

export interface Measured extends Load {
  /** Milliseconds until the CRM answers. */
  readonly delay: number
  /** Requests to the CRM that the operation cannot do without. */
  readonly needed: number
  readonly server: Figures
  readonly floor: Figures
}

/** The same load on an empty database and on a filled one, several times. */
export interface Compared extends Pick<Load, 'operation'> {
  readonly rounds: ReadonlyArray<{ readonly empty: Figures, readonly filled: Figures }>
}

const sign = '!'
/** So few requests say nothing about CPU time. */
const tooFewRequests = 100

const titles = ['requests/s', 'p50, ms', 'p99, ms', 'CPU, us']

/** Two figures, the ratio of the second to the first, and whether it misses the target. */
function cell (first: number, second: number, ratio: number, missed: boolean): string {
  const digits = (value: number): number => value < 10 ? 2 : value < 100 ? 1 : 0
  const figure = (value: number): string => value.toFixed(digits(value)).padStart(6)
  return `${figure(first)} ${figure(second)} ${ratio.toFixed(2).padStart(6)}${missed ? sign : ' '}`
}

/** @param names of the two figures of each cell */
function head (firstColumn: string, names: string): string[] {
  return [
    [firstColumn, ...titles.map(title => title.padStart(13).padEnd(21))].join(' | '),
    [' '.repeat(firstColumn.length), ...titles.map(() => `${names}  ratio `)].join(' | ')
  ]
}

export function operationsTable (rows: readonly Measured[]): string {
  return [
    ...head('operation           clients   CRM', ' floor server'),
    ...rows.map(row => {
      const { operation, connections, delay, needed, server, floor } = row
      const both = (key: keyof Figures, missed = false): string => cell(floor[key], server[key], server[key] / floor[key], missed)
      return [
        `${operation.padEnd(20)}${String(connections).padStart(7)}${`${delay} ms`.padStart(6)}`,
        both('perSecond', operation === 'lookup' && server.perSecond < 0.5 * floor.perSecond),
        both('p50'),
        both('p99', connections === 100 && delay === 50 && server.p99 > needed * delay + 50),
        both('cpu', (operation === 'create' || operation === 'update') && server.requests >= tooFewRequests && server.cpu > 2 * floor.cpu),
        `${server.crmRequests.toFixed(2)} CRM requests${server.crmRequests > needed ? sign : ''}`
      ].join(' | ')
    })
  ].join('\n')
}

const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0

/** Shown are the medians of the rounds. */
export function storedLogsTable (rows: readonly Compared[]): string {
  return [
    ...head('operation ', ' empty filled'),
    ...rows.map(({ operation, rounds }) => {
      const both = (key: keyof Figures, isMiss: (ratio: number) => boolean): string => {
        const ratio = median(rounds.map(({ empty, filled }) => filled[key] / empty[key]))
        return cell(median(rounds.map(({ empty }) => empty[key])), median(rounds.map(({ filled }) => filled[key])), ratio, isMiss(ratio))
      }
      const muchMore = (ratio: number): boolean => ratio > 1.1
      return [operation.padEnd(10), both('perSecond', ratio => ratio < 0.9), both('p50', muchMore), both('p99', muchMore), both('cpu', muchMore)].join(' | ')
    })
  ].join('\n')
}
