import t from 'tap'
import { noteCache } from '../../src/db/note-cache.ts'
import { alice, onEveryDatabase, strangers, testCipher } from './databases.ts'

const HOUR = 3_600_000

await onEveryDatabase(t, 'a note is there until it is removed, which leaves one that has taken its place', async (t, database) => {
  const notes = noteCache(database, testCipher, () => 0)
  await notes.put(alice, 's1', 'first words', HOUR)
  const first = await notes.find(alice, 's1')
  await notes.put(alice, 's1', 'Größe 東京 🎧 "quoted"', HOUR)
  if (first !== undefined) await notes.remove(alice, 's1', first)
  const second = await notes.find(alice, 's1')
  t.match([first, second], [{ note: 'first words' }, { note: 'Größe 東京 🎧 "quoted"' }])
  if (second !== undefined) await notes.remove(alice, 's1', second)
  t.equal(await notes.find(alice, 's1'), undefined)
})

await onEveryDatabase(t, 'a note belongs to one user and one session', async (t, database) => {
  const notes = noteCache(database, testCipher, () => 0)
  await notes.put(alice, 's1', 'for me', HOUR)
  for (const stranger of strangers) {
    t.equal(await notes.find(stranger, 's1'), undefined)
    await notes.put(stranger, 's1', 'not for alice', HOUR)
  }
  t.equal(await notes.find(alice, 's2'), undefined)
  const mine = await notes.find(alice, 's1')
  t.equal(mine?.note, 'for me')
  for (const stranger of strangers) if (mine !== undefined) await notes.remove(stranger, 's1', mine)
  t.equal((await notes.find(alice, 's1'))?.note, 'for me')
})

await onEveryDatabase(t, 'a note is over after its time', async (t, database) => {
  let now = 1_000
  const notes = noteCache(database, testCipher, () => now)
  await notes.put(alice, 'late', 'too late', 10)
  now = 1_010
  t.equal(await notes.find(alice, 'late'), undefined)

  await notes.put(alice, 'old', 'old', 10)
  await notes.put(alice, 'young', 'young', 11)
  now = 1_020
  await notes.removeExpired()
  now = 1_000
  t.equal(await notes.find(alice, 'old'), undefined, 'removed')
  t.equal((await notes.find(alice, 'young'))?.note, 'young')
})

await onEveryDatabase(t, 'a sealed note opens only where it was put', async (t, database) => {
  const notes = noteCache(database, testCipher, () => 0)
  const { handle, tables } = database
  await notes.put(alice, 's1', 'private', HOUR)
  await handle.update(tables.noteCache).set({ sessionId: 's2' })
  await t.rejects(notes.find(alice, 's2'), { name: 'CipherError' })
})
