/** What the person at the terminal reads. */
import type { WriteStream } from 'node:tty'
import { inspect, isDeepStrictEqual, styleText } from 'node:util'
import type { Spent } from '../src/testing/fake-crm.ts'
import type { CrmRecord } from './crm.ts'
import type { Answer } from './http.ts'

export interface Narrator {
  readonly step: (title: string) => void
  /** A request and its answer; what must not be seen is replaced before. */
  readonly exchange: (method: string, path: string, body: unknown, answer: Pick<Answer, 'status'> & { readonly body: unknown }) => void
  /** A record as it is in the CRM now. */
  readonly record: (record: CrmRecord) => void
  /** What the CRM was asked, and what that is in the units in which it counts. */
  readonly cost: (title: string, spent: Spent) => void
  readonly check: (title: string, holds: boolean) => void
  /** @param failures what did not hold before */
  readonly stopped: (why: string, failures: readonly string[]) => void
  /** @param page where somebody can look at the records */
  readonly end: (failures: readonly string[], page?: string) => void
}

const indent = '      '

/** Writes in colour where a terminal shows it. */
export function narrator (out: Pick<WriteStream, 'write' | 'isTTY' | 'columns'>): Narrator {
  const colors = out.isTTY && !process.env.NO_COLOR
  const paint = (style: Parameters<typeof styleText>[0], text: string): string => colors ? styleText(style, text) : text
  const line = (text = ''): void => { out.write(`${text}\n`) }
  const width = Math.min(out.columns ?? 120, 160) - indent.length
  const shown = (label: string, value?: unknown): void => {
    const [first = '', ...more] = wrapped(value === undefined ? label : `${label} ${oneLine(value)}`, width)
    line(`  ${paint('cyan', first.slice(0, label.length))}${first.slice(label.length)}`)
    for (const rest of more) line(`${indent}${rest}`)
  }
  const wrong = (failures: readonly string[]): void => {
    for (const failure of failures) line(`${paint('red', 'WRONG')} ${failure}`)
  }
  let lastBody: unknown
  let steps = 0

  return {
    step (title) {
      steps += 1
      line(`\n${paint('bold', `${steps}. ${title}`)}`)
    },
    exchange (method, path, body, answer) {
      const same = body !== undefined && isDeepStrictEqual(body, lastBody)
      shown(`> ${method} ${path}`, same ? '(the same as before)' : body)
      lastBody = body
      shown(`< ${answer.status}`, answer.body)
    },
    record ({ id, kind, body, ...fields }) {
      shown(`CRM ${kind} ${id}`, fields)
      for (const part of body.split(/(?<=<br>|<\/li>|<\/div>|<\/p>|\n)/)) line(`${indent}| ${part.replaceAll('\n', ' ')}`)
    },
    cost (title, { requests, units, unit }) {
      line(`  ${paint('magenta', title)} ${requests} ${requests === 1 ? 'request' : 'requests'} to the CRM and ${units} of its ${unit}`)
    },
    check (title, holds) {
      line(holds ? `  ${paint('green', 'ok')}    ${title}` : `  ${paint('red', 'WRONG')} ${title}`)
    },
    stopped (why, failures) {
      wrong(failures)
      line(`\n${paint('red', 'The demo stopped.')} ${why}`)
    },
    end (failures, page) {
      line()
      const look = page === undefined ? '' : ` Look at the records: ${page}`
      if (failures.length === 0) line(`${paint('green', 'Everything is as it should be.')}${look}`)
      wrong(failures)
    }
  }
}

const oneLine = (value: unknown): string => typeof value === 'string'
  ? value
  : inspect(value, { breakLength: Infinity, compact: true, depth: 6, maxStringLength: 100 })

/** One line as several, cut at blanks where there are any. */
const wrapped = (text: string, width: number): string[] =>
  text.match(new RegExp(`.{1,${width}}(?= |$)|.{${width}}`, 'g'))?.map(part => part.trim()) ?? []
