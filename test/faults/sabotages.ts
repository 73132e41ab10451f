/**
 * One way to break each promise, and the file of tests that has to notice it (`npm run sabotage`). Where the code moves, what is
 * looked for is not found any more and the run fails: the sabotage has to move with it.
 */

export interface Sabotage {
  readonly promise: `P${number}`
  readonly title: string
  readonly file: string
  /** What is replaced, which stands in the file exactly once, and by what. */
  readonly edits: ReadonlyArray<readonly [from: string, to: string]>
  readonly test: string
  /** Among the few that every run of CI tries, whose tests take a second. */
  readonly quick?: true
}

export const sabotages: readonly Sabotage[] = [
  {
    promise: 'P1',
    title: 'send without having the reservation',
    file: 'src/calls/write-once.ts',
    edits: [['leaseUntil: clock() + leaseTime })\n      if (reserved', 'leaseUntil: clock() + leaseTime }) ?? await store.find()\n      if (reserved']],
    test: 'test/faults/found-histories.test.ts',
    quick: true
  },
  {
    promise: 'P1',
    title: 'send although somebody else holds the lease',
    file: 'src/calls/write-once.ts',
    edits: [['} else if ((row.leaseUntil ?? 0) > clock()) {', '} else if (row.leaseUntil === -1) {']],
    test: 'test/calls/call-logs.test.ts'
  },
  {
    promise: 'P1',
    title: 'send again without a look',
    file: 'src/calls/write-once.ts',
    edits: [['found = await writing.lookUp(row)\n  } catch (error) {', 'found = undefined\n  } catch (error) {']],
    test: 'test/faults/found-histories.test.ts',
    quick: true
  },
  {
    promise: 'P1',
    title: 'take a search that lags behind at its word',
    file: 'src/calls/write-once.ts',
    edits: [['(row.leaseUntil ?? 0) + writing.findDelay : row.nextAttemptAt ?? 0', '0 : 0']],
    test: 'test/faults/found-histories.test.ts',
    quick: true
  },
  {
    promise: 'P1',
    title: 'take an accident in the middle for a refusal',
    file: 'src/calls/outcome.ts',
    edits: [["return { state: 'unknown', code: error instanceof PatchbayError", "return { state: 'failed', code: error instanceof PatchbayError"]],
    test: 'test/calls/outcome.test.ts'
  },
  {
    promise: 'P1',
    title: 'step on from a row that has changed since it was read',
    file: 'src/db/lifecycle.ts',
    edits: [['return and(eq(table.id, row.id), within(table, row), eq(table.version, row.version))', 'return and(eq(table.id, row.id), within(table, row))']],
    test: 'test/db/message-logs.test.ts'
  },
  {
    promise: 'P1',
    title: 'look for what would be sent now, not for what was sent',
    file: 'src/calls/call-logs.ts',
    edits: [['{ ...log, ...sent, externalId: externalId(row), since', '{ ...log, externalId: externalId(row), since']],
    test: 'test/calls/attempts.test.ts',
    quick: true
  },
  {
    promise: 'P2',
    title: 'forget what a record has told when it is not written',
    file: 'src/calls/change.ts',
    edits: [['...learned?.(), ...done(true)', '...done(true)']],
    test: 'test/faults/found-histories.test.ts'
  },
  {
    promise: 'P2',
    title: 'write a record that could not be read',
    file: 'src/calls/change.ts',
    edits: [['current = await read(row)\n', 'current = await read(row).catch(() => undefined)\n']],
    test: 'test/calls/call-logs.test.ts'
  },
  {
    promise: 'P2',
    title: 'write a note without saying so before',
    file: 'src/calls/change.ts',
    edits: [['if (noted !== undefined && !await advance(noted))', 'if (noted === null)']],
    test: 'test/faults/found-histories.test.ts'
  },
  {
    promise: 'P2',
    title: 'write over a section that a person changed',
    file: 'src/calls/body/decide.ts',
    edits: [["return kept(first ? 'changed-by-person' : 'deleted-by-person')", "return writing('edited', first)"]],
    test: 'test/calls/body/merge.test.ts',
    quick: true
  },
  {
    promise: 'P2',
    title: 'update a record while another update is under way',
    file: 'src/calls/change.ts',
    edits: [['if ((row.leaseUntil ?? 0) > clock()) {', 'if (row.leaseUntil === -1) {']],
    test: 'test/faults/two-processes.test.ts'
  },
  {
    promise: 'P3',
    title: 'let the disk write commits later',
    file: 'src/db/sqlite.ts',
    edits: [["client.pragma('synchronous = FULL')", "client.pragma('synchronous = NORMAL')"]],
    test: 'test/db/database.test.ts'
  },
  {
    promise: 'P3',
    title: 'tell of a write before it is committed',
    file: 'src/db/groups.ts',
    edits: [['runs.map(run => run()))', 'runs.map(run => {\n    run()()\n    return () => {}\n  }))']],
    test: 'test/db/groups.test.ts',
    quick: true
  },
  {
    promise: 'P3',
    title: 'forget an update before it is written',
    file: 'src/calls/change.ts',
    edits: [['...(keep !== undefined && { pending: keep(row), nextAttemptAt: leaseUntil })', '...(keep !== undefined && { nextAttemptAt: leaseUntil })']],
    test: 'test/faults/found-histories.test.ts',
    quick: true
  },
  {
    promise: 'P3',
    title: 'forget messages that wait, with the record that somebody deleted',
    file: 'src/calls/message-logs.ts',
    edits: [["if (pending === '') return await rows.remove(row)", 'if (pending.length >= 0) return await rows.remove(row)']],
    test: 'test/calls/attempts.test.ts'
  },
  {
    promise: 'P3',
    title: 'leave the rows of a process that died',
    file: 'src/db/lifecycle.ts',
    edits: [["and(unwritten, inArray(table.state, ['sending', 'unknown', 'waiting']), passed(table.nextAttemptAt)),", "and(unwritten, inArray(table.state, ['unknown', 'waiting']), passed(table.nextAttemptAt)),"]],
    test: 'test/db/message-logs.test.ts'
  },
  {
    promise: 'P4',
    title: 'go on with credentials that another process has replaced',
    file: 'src/db/row-cache.ts',
    edits: [['if (others !== othersSeen) rows.clear()', '']],
    test: 'test/db/users.test.ts'
  },
  {
    promise: 'P4',
    title: 'renew without having the lease',
    file: 'src/tokens/renewal.ts',
    edits: [
      ['if (row.renewingUntil !== null && row.renewingUntil > clock()) {', 'if (row.renewingUntil === -1) {'],
      ['isSignedIn(mine) ? await renewWith(mine) : undefined', 'await renewWith(isSignedIn(mine) ? mine : row)']
    ],
    test: 'test/tokens/renewal.test.ts'
  },
  {
    promise: 'P4',
    title: 'throw away what the CRM has issued when the database fails',
    file: 'src/tokens/renewal.ts',
    edits: [['return await storeAtLast(row, credentials)', 'return await store(row, credentials, false)']],
    test: 'test/tokens/renewal.test.ts'
  },
  {
    promise: 'P4',
    title: 'take what a renewal has only kept for its result',
    file: 'src/tokens/renewal.ts',
    edits: [['value !== undefined && !ofAccessToken.has(member)', 'value !== undefined']],
    test: 'test/tokens/renewal.test.ts'
  },
  {
    promise: 'P4',
    title: 'go on trying a refresh token that is dead',
    file: 'src/tokens/renewal.ts',
    edits: [['if (!await users.markRevoked(tenant, row.version)) return undefined', 'await users.endRenewal(tenant, row.version)']],
    test: 'test/faults/token-renewal.test.ts'
  },
  {
    promise: 'P5',
    title: 'come back earlier than the CRM asked',
    file: 'src/crm/retry.ts',
    edits: [['const wait = Math.max(backoff, (retryAfter ?? 0) * 1000)', 'const wait = backoff']],
    test: 'test/crm/retry.test.ts',
    quick: true
  },
  {
    promise: 'P5',
    title: 'let others of the account ask before the delay is over',
    file: 'src/crm/door.ts',
    edits: [['budget.pause(Math.max(judged.retryAfter * 1000, wait ?? 0))', 'budget.pause(1)']],
    test: 'test/crm/client.test.ts'
  },
  {
    promise: 'P6',
    title: 'go on asking a host that fails again and again',
    file: 'src/crm/door.ts',
    edits: [["if (judged?.transient === true && judged.kind === 'unavailable') hosts.failed(host)", "if (judged?.transient === true && judged.kind === 'unavailable') hosts.succeeded(host)"]],
    test: 'test/crm/client.test.ts'
  },
  {
    promise: 'P6',
    title: 'let what writes go on for ever when its client has gone',
    file: 'src/plugins/deadline.ts',
    edits: [['if (reply.raw.writableFinished) clearTimeout(timer)\n      else if', 'clearTimeout(timer)\n      if']],
    test: 'test/plugins/deadline.test.ts'
  },
  {
    promise: 'P6',
    title: 'let a compressed bomb go off',
    file: 'src/crm/decoding.ts',
    edits: [['return await decoder(body, { maxOutputLength: mostBytes })', 'return await decoder(body, {})']],
    test: 'test/crm/decoding.test.ts',
    quick: true
  },
  {
    promise: 'P7',
    title: 'keep credentials as they are',
    file: 'src/db/cipher.ts',
    edits: [['const bytes = Buffer.concat([nonce, sealing.update(plain', 'const bytes = Buffer.concat([Buffer.from(plain), sealing.update(plain']],
    test: 'test/db/cipher.test.ts'
  },
  {
    promise: 'P7',
    title: 'open what was sealed for another row',
    file: 'src/db/cipher.ts',
    edits: [['setAAD(Buffer.from(identity))\n      const bytes', "setAAD(Buffer.from(''))\n      const bytes"]],
    test: 'test/db/cipher.test.ts',
    quick: true
  },
  {
    promise: 'P8',
    title: 'follow redirects',
    file: 'src/crm/exchange.ts',
    edits: [
      ["import { errors, type Dispatcher } from 'undici'", "import { errors, interceptors, type Dispatcher } from 'undici'"],
      ['dispatcher.dispatch({ ...outgoing', 'dispatcher.compose(interceptors.redirect({ maxRedirections: 5 })).dispatch({ ...outgoing']
    ],
    test: 'test/crm/fetch.test.ts',
    quick: true
  },
  {
    promise: 'P8',
    title: 'dial addresses that are not public',
    file: 'src/crm/addresses.ts',
    edits: [["return address.range() === 'unicast' && (address.kind() === 'ipv4' || address.match(globalIpv6))", 'return true']],
    test: 'test/crm/addresses.test.ts'
  },
  {
    promise: 'P8',
    title: 'ask a host that is written in a way that parsers disagree about',
    file: 'src/crm/hosts.ts',
    edits: [['if (!isWrittenPlainly(text, url)) return undefined\n', '']],
    test: 'test/crm/hosts.test.ts'
  },
  {
    promise: 'P8',
    title: 'ask an address that is no name of the CRM',
    file: 'src/crm/hosts.ts',
    edits: [['info.hosts.some(host => covers(host, url.hostname))', '(/^[\\d.]+$/.test(url.hostname) || info.hosts.some(host => covers(host, url.hostname)))']],
    test: 'test/crm/hosts.test.ts',
    quick: true
  },
  {
    promise: 'P9',
    title: 'log the address of a request',
    file: 'src/plugins/request-log.ts',
    edits: [["route: request.routeOptions.url ?? '(none)',", 'route: request.url,']],
    test: 'test/faults/request-log.test.ts',
    quick: true
  },
  {
    promise: 'P9',
    title: 'log what a CRM said',
    file: 'src/plugins/request-log.ts',
    edits: [['  err: errorForLog,\n', '  err: (error: Error) => ({ ...errorForLog(error), message: error.message }),\n']],
    test: 'test/faults/request-log.test.ts'
  },
  {
    promise: 'P10',
    title: 'take text that no database can hold',
    file: 'src/plugins/validation.ts',
    edits: [['    request.body = mended(request.body)\n', '']],
    test: 'test/routes/failures.test.ts'
  },
  {
    promise: 'P11',
    title: 'look for rows without their user',
    file: 'src/db/tenant.ts',
    edits: [['return and(eq(table.userId, tenant.userId), eq(table.platform, tenant.platform))', 'return eq(table.platform, tenant.platform)']],
    test: 'test/db/message-logs.test.ts'
  },
  {
    promise: 'P11',
    title: 'look for call logs without their user',
    file: 'src/db/call-logs.ts',
    edits: [['.where(and(within(table, tenantPlaceholders), inArray(', '.where(and(inArray(']],
    test: 'test/routes/tenancy.test.ts',
    quick: true
  },
  {
    promise: 'P12',
    title: 'write the time of the server\'s zone',
    file: 'src/calls/body/time.ts',
    edits: [['const local = new Date(epoch + offsetAt(epoch, zone))', 'const local = new Date(epoch - new Date(epoch).getTimezoneOffset() * 60_000)']],
    test: 'test/calls/body/time.test.ts',
    quick: true
  }
]
