/**
 * Loaded before a server (`node --import`), so that a server is measured as it is: answers the message `cpu` with the CPU time that
 * the process has used, in microseconds. Plain JavaScript, because nothing else is to be loaded into the process.
 */
process.on('message', question => {
  if (question !== 'cpu') return
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
process.on('disconnect', () => { process.exit() })
