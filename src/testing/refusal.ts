/** What a fake CRM answers when it does not do as asked. */
export class Refusal extends Error {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>

  constructor (statusCode: number, message: string, headers: Refusal['headers'] = {}) {
    super(message)
    this.statusCode = statusCode
    this.headers = headers
  }
}
