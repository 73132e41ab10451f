/** The version of the server: that of the package. */
import { readFileSync } from 'node:fs'
import { Type, TypeCompiler } from './contract/type.ts'

const Package = TypeCompiler.Compile(Type.Object({ version: Type.String() }))
const contents: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
if (!Package.Check(contents)) throw new TypeError('package.json names no version')

export const { version } = contents
