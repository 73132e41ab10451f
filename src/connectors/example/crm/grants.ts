import { createHash, randomBytes } from 'node:crypto'
import type { Database } from 'better-sqlite3'
import { keyHash } from './database.ts'
import type { User } from './schemas.ts'

type Kind = 'code' | 'access' | 'refresh'

interface Token {
  readonly grantId: number
  readonly userId: number
  readonly expiresAt: number
  readonly used: number
  readonly revoked: number
  readonly redirectUri: string | null
  readonly challenge: string | null
}

/** What a client gets for a code or a refresh token. */
export interface IssuedTokens {
  readonly accessToken: string
  readonly refreshToken: string
  /** Seconds. */
  readonly expiresIn: number
}

/** How access tokens behave; tests change it. */
export interface TokenRules {
  /** Seconds. */
  accessTokenLifetime: number
  /** After how many requests an access token ends; never when null. */
  accessTokenUses: number | null
}

const noCode = { redirectUri: null, challenge: null }

export type Grants = ReturnType<typeof grants>

/** Milliseconds. */
const codeLifetime = 5 * 60_000
const refreshTokenLifetime = 60 * 24 * 60 * 60_000

/**
 * What users have granted to clients: a code, then pairs of tokens. A refresh token is taken once; one that comes again ends the whole
 * grant, because somebody else must have a copy. Tokens are kept as their SHA-256 only.
 * @param clock gives epoch milliseconds
 */
export function grants (db: Database, clock: () => number, rules: TokenRules) {
  const sql = {
    addGrant: db.prepare<[number]>('INSERT INTO grants (userId) VALUES (?)'),
    endGrant: db.prepare<[number]>('UPDATE grants SET revoked = 1 WHERE id = ?'),
    add: db.prepare<[Buffer, Kind, number | bigint, number, string | null, string | null]>(`
      INSERT INTO tokens (hash, kind, grantId, expiresAt, redirectUri, challenge) VALUES (?, ?, ?, ?, ?, ?)`),
    find: db.prepare<[Buffer, Kind], Token>(`
      SELECT grantId, userId, expiresAt, used, revoked, redirectUri, challenge FROM tokens JOIN grants ON grants.id = grantId
      WHERE hash = ? AND kind = ?`),
    use: db.prepare<[Buffer]>('UPDATE tokens SET used = used + 1 WHERE hash = ?'),
    end: db.prepare<[Buffer]>('DELETE FROM tokens WHERE hash = ?'),
    endAll: db.prepare<[Kind]>('DELETE FROM tokens WHERE kind = ?'),
    user: db.prepare<[number], User>('SELECT id, name, email FROM users WHERE id = ?')
  }

  function issue (kind: Kind, grantId: number | bigint, lifetime: number, of: Pick<Token, 'redirectUri' | 'challenge'> = noCode): string {
    const token = randomBytes(32).toString('base64url')
    sql.add.run(keyHash(token), kind, grantId, clock() + lifetime, of.redirectUri, of.challenge)
    return token
  }

  /** Uses up a code or refresh token. Undefined when it is not good; one that was used before takes its whole grant with it. */
  function spend (token: string, kind: Kind): Token | undefined {
    const found = sql.find.get(keyHash(token), kind)
    if (found === undefined || found.revoked !== 0 || found.expiresAt <= clock()) return undefined
    if (found.used > 0) {
      sql.endGrant.run(found.grantId)
      return undefined
    }
    sql.use.run(keyHash(token))
    return found
  }

  function pair (grantId: number): IssuedTokens {
    return {
      accessToken: issue('access', grantId, rules.accessTokenLifetime * 1000),
      refreshToken: issue('refresh', grantId, refreshTokenLifetime),
      expiresIn: rules.accessTokenLifetime
    }
  }

  return {
    user: (id: number): User | undefined => sql.user.get(id),

    /** @param challenge of PKCE, by S256 */
    consent: db.transaction((userId: number, redirectUri: string, challenge: string | undefined): string =>
      issue('code', sql.addGrant.run(userId).lastInsertRowid, codeLifetime, { redirectUri, challenge: challenge ?? null })).immediate,

    /** @returns undefined for `invalid_grant` */
    exchange: db.transaction((code: string, redirectUri: string, verifier: string | undefined): IssuedTokens | undefined => {
      const found = spend(code, 'code')
      if (found === undefined || found.redirectUri !== redirectUri) return undefined
      const challenge = verifier === undefined ? null : createHash('sha256').update(verifier).digest('base64url')
      return found.challenge === challenge ? pair(found.grantId) : undefined
    }).immediate,

    /** @returns undefined for `invalid_grant` */
    refresh: db.transaction((refreshToken: string): IssuedTokens | undefined => {
      const found = spend(refreshToken, 'refresh')
      return found && pair(found.grantId)
    }).immediate,

    /** Takes a token back: a refresh token with all that came of it, an access token alone. */
    revoke: db.transaction((token: string): void => {
      const found = sql.find.get(keyHash(token), 'refresh')
      if (found !== undefined) sql.endGrant.run(found.grantId)
      sql.end.run(keyHash(token))
    }).immediate,

    userByAccessToken: db.transaction((token: string): User | undefined => {
      const found = sql.find.get(keyHash(token), 'access')
      if (found === undefined || found.revoked !== 0 || found.expiresAt <= clock()) return undefined
      if (rules.accessTokenUses !== null && found.used >= rules.accessTokenUses) return undefined
      sql.use.run(keyHash(token))
      return sql.user.get(found.userId)
    }).immediate,

    /** Ends all tokens of a kind at once. */
    endAll: (kind: 'access' | 'refresh'): void => { sql.endAll.run(kind) }
  }
}
