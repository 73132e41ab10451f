/** The answers of token endpoints, made what RFC 6749 says before the strict parser reads them. */

export interface TokenAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/**
 * @param normalise what the connector knows about its CRM
 * @returns with `error`, always status 400
 */
export function tokenAnswer (text: string, status: number, normalise: (answer: unknown, status: number) => unknown): TokenAnswer {
  const answer = unwrapped(normalise(parse(text), status))
  const { error, access_token: accessToken } = answer
  if (isText(error)) return { status: 400, body: { error } }
  if (status < 200 || status > 299 || !isText(accessToken)) return { status: status < 400 ? 502 : status, body: {} }
  const { refresh_token: refreshToken, expires_in: expiresIn, scope, id_token: _, ...more } = answer
  const lifetime = typeof expiresIn === 'string' && expiresIn.trim() !== '' ? Number(expiresIn) : expiresIn
  return {
    status: 200,
    body: {
      ...more,
      // Who signed in is asked of the CRM's API, and how a token is used is declared by the connector: id_token and type have nothing to say.
      token_type: 'Bearer',
      ...(isText(refreshToken) && { refresh_token: refreshToken }),
      ...(typeof lifetime === 'number' && Number.isFinite(lifetime) && lifetime > 0 && { expires_in: lifetime }),
      ...(isText(scope) && { scope })
    }
  }
}

/** JSON, or a form as a few old endpoints answer it. */
function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    const form = Object.fromEntries(new URLSearchParams(text.trim()))
    return 'access_token' in form || 'error' in form ? form : undefined
  }
}

/** The object that holds the tokens or the error: the answer itself, or a member of it. */
function unwrapped (answer: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(answer)) return {}
  const speaks = (part: Readonly<Record<string, unknown>>): boolean => isText(part['access_token']) || isText(part['error'])
  if (speaks(answer)) return answer
  return Object.values(answer).filter(isObject).find(speaks) ?? answer
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
