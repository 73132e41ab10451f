import t from 'tap'
import { noteCache } from '../../src/db/note-cache.ts'
import { alice, onEveryDatabase, strangers, testCipher } from './databases.ts'

const HOUR = 3_600_000

await onEveryDatabase(t, 'a note is given away once', async (t, database) => {
  const notes = noteCache(database, testCipher, () => 0)
  await notes.put(alice, 's1', 'first words', HOUR)
  await notes.put(alice, 's1', 'Größe 東京 🎧 "quoted"', HOUR)
  const taken = await Promise.all([notes.take(alice, 's1'), notes.take(alice, 's1'), notes.take(alice, 's1')])
  t.strictSame(taken.filter(note => note !== undefined), ['Größe 東京 🎧 "quoted"'])
})

await onEveryDatabase(t, 'a note belongs to one user and one session', async (t, database) => {
  const notes = noteCache(database, testCipher, () => 0)
  await notes.put(alice, 's1', 'for me', HOUR)
  for (const stranger of strangers) {
    t.equal(await notes.take(stranger, 's1'), undefined)
    await notes.put(stranger, 's1', 'not for alice', HOUR)
  }
  t.equal(await notes.take(alice, 's2'), undefined)
  t.equal(await notes.take(alice, 's1'), 'for me')
})

await onEveryDatabase(t, 'a note is over after its time', async (t, database) => {
  let now = 1_000
  const notes = noteCache(database, testCipher, () => now)
  await notes.put(alice, 'late', 'too late', 10)
  now = 1_010
  t.equal(await notes.take(alice, 'late'), undefined)

  await notes.put(alice, 'old', 'old', 10)
  await notes.put(alice, 'young', 'young', 11)
  now = 1_020
  await notes.removeExpired()
  now = 1_000
  t.equal(await notes.take(alice, 'old'), undefined, 'removed')
  t.equal(await notes.take(alice, 'young'), 'young')
})

await onEveryDatabase(t, 'a sealed note opens only where it was put', async (t, database) => {
  const notes = noteCache(database, testCipher, () => 0)
  const { handle, tables } = database
  await notes.put(alice, 's1', 'private', HOUR)
  await handle.update(tables.noteCache).set({ sessionId: 's2' })
  await t.rejects(notes.take(alice, 's2'), { name: 'CipherError' })
})
