/**
 * Text that no database and no CRM can hold: U+0000, and halves of surrogate pairs, as an emoji leaves them that was cut in two.
 * One such sign is no reason to lose all that came with it, so it is mended, not refused.
 */

/** Whether everybody can hold a text as it is. */
export const isText = (value: string): boolean => value.isWellFormed() && !value.includes('\0')

/** A value with all its texts mended, in place; names of members stay as they are. It must not be nested deeply. */
export function mended<Value> (value: Value): Value
export function mended (value: unknown): unknown {
  if (typeof value === 'string') return isText(value) ? value : value.toWellFormed().replaceAll('\0', '')
  if (typeof value === 'object' && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      const whole = mended(member)
      if (whole !== member) (value as Record<string, unknown>)[name] = whole
    }
  }
  return value
}
