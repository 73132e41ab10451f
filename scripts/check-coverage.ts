/**
 * The last step of `npm test`: fails when the tests run less than 95 % of the lines of src. tap reports only files that were loaded,
 * so a file that no test loads is counted here, with all its lines.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import ts from 'typescript'

const leastPercent = 95
const root = resolve(import.meta.dirname, '..')
const report = join(root, '.tap', 'report', 'coverage-summary.json')

interface Lines { readonly total: number, readonly covered: number }
type Summary = Readonly<Record<string, { readonly lines: Lines }>>

/** Nothing is left of a file with types alone when it is compiled, so that no test can run it. */
function hasCode (source: string): boolean {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, removeComments: true, verbatimModuleSyntax: true }
  })
  return outputText.replace(/export \{\};?/, '').trim() !== ''
}

function linesOf (file: string, summary: Summary): Lines {
  const found = summary[file]
  if (found !== undefined) return found.lines
  const source = readFileSync(file, 'utf8')
  return { total: hasCode(source) ? source.trimEnd().split('\n').length : 0, covered: 0 }
}

const summary = JSON.parse(readFileSync(report, 'utf8')) as Summary
const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.ts'))
  .map(name => join(root, 'src', name))
  .map(file => ({ name: relative(root, file), ...linesOf(file, summary) }))

const sum = (key: keyof Lines): number => files.reduce((total, file) => total + file[key], 0)
const percent = ({ covered, total }: Lines): number => total === 0 ? 100 : 100 * covered / total
const all = percent({ total: sum('total'), covered: sum('covered') })

console.log(`Lines of src that the tests run: ${all.toFixed(2)} % (at least ${leastPercent} % is wanted)`)
if (all < leastPercent) {
  console.log('Those with the most lines to go:')
  const worst = files.toSorted((a, b) => (b.total - b.covered) - (a.total - a.covered)).slice(0, 10)
  for (const file of worst) console.log(`  ${percent(file).toFixed(1).padStart(5)} %  ${file.name} (${file.total - file.covered} lines)`)
  process.exitCode = 1
}
