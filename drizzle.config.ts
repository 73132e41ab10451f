/** `npm run db:generate` runs drizzle-kit once for each dialect. */
import { defineConfig } from 'drizzle-kit'

const dialect = process.env.DIALECT === 'postgresql' ? 'postgresql' : 'sqlite'
const name = dialect === 'postgresql' ? 'postgres' : 'sqlite'

export default defineConfig({
  dialect,
  schema: `./src/db/tables.${name}.ts`,
  out: `./src/db/migrations/${name}`,
  casing: 'snake_case'
})
