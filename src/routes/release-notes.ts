/** manifests/release-notes.json: what each version brought, for everybody and per connector. */
import { readFile } from 'node:fs/promises'
import { ReleaseNotes } from '../contract/metadata.ts'
import { TypeCompiler, type Static } from '../contract/type.ts'

const file = new URL('../../manifests/release-notes.json', import.meta.url)
const releaseNotes = TypeCompiler.Compile(ReleaseNotes)

/** @throws an error that names the file and the place */
export async function readReleaseNotes (): Promise<Static<typeof ReleaseNotes>> {
  const notes: unknown = JSON.parse(await readFile(file, 'utf8'))
  if (releaseNotes.Check(notes)) return notes
  const problem = releaseNotes.Errors(notes).First()
  throw new Error(`manifests/release-notes.json: ${problem?.path ?? ''} ${problem?.message ?? ''}`)
}
