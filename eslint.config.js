import { readdirSync } from 'node:fs'
import importX from 'eslint-plugin-import-x'
import neostandard, { resolveIgnoresFromGitignore } from 'neostandard'

/** A zone of the house: files below `target` may import from src only what `may` lists. */
const zone = (target, ...may) => ({
  target: `./src/${target}`,
  from: './src',
  except: [target, ...may].map(path => `./${path}`),
  message: `src/${target} may import only ${[target, ...may].join(', ')} (CONTRIBUTING.md, "Who may import whom").`
})

const connectors = readdirSync(new URL('./src/connectors', import.meta.url), { withFileTypes: true })
  .map(entry => zone(`connectors/${entry.name}`, 'contract', 'testing'))

const typeboxOnlyInContract = { name: '@sinclair/typebox', message: 'Import Type from contract/type.ts.' }
const passTheDoor = { message: 'Every outgoing request passes the door, src/crm.' }
/** What opens connections, a server's side of it left out. */
const clients = {
  undici: undefined,
  http: ['default', 'request', 'get', 'Agent', 'globalAgent', 'ClientRequest'],
  https: ['default', 'request', 'get', 'Agent', 'globalAgent'],
  http2: ['default', 'connect'],
  net: ['default', 'connect', 'createConnection', 'Socket', 'Stream'],
  tls: ['default', 'connect', 'TLSSocket'],
  dgram: undefined,
  dns: undefined,
  module: ['default', 'createRequire'],
  'dns/promises': undefined
}
const opensConnections = Object.entries(clients).flatMap(([name, importNames]) =>
  (name === 'undici' ? [name] : [name, `node:${name}`]).map(module => ({ name: module, importNames, allowTypeImports: true, ...passTheDoor })))
const testingInFakesOnly = { regex: '/testing/', message: 'A connector does not import src/testing; its fake does.' }
const repositoriesAsTypes = { regex: '/db/', allowTypeImports: true, message: 'calls takes repositories as arguments.' }

export default [
  ...neostandard({ ts: true, ignores: [...resolveIgnoresFromGitignore(), 'src/db/migrations/**', 'test/generated/**'] }),
  {
    files: ['src/**/*.ts'],
    plugins: { 'import-x': importX },
    rules: {
      'import-x/no-restricted-paths': ['error', {
        zones: [
          zone('contract'),
          zone('accounts', 'contract', 'db'),
          zone('calls', 'contract', 'db'),
          zone('contacts', 'contract', 'calls', 'db'),
          zone('crm', 'contract', 'version.ts'),
          zone('db', 'contract'),
          zone('tokens', 'contract', 'db', 'config.ts', 'version.ts'),
          zone('routes', 'contract', 'accounts', 'calls', 'contacts', 'db', 'plugins', 'tokens', 'version.ts'),
          zone('plugins', 'contract', 'accounts', 'calls', 'contacts', 'crm', 'db', 'tokens', 'config.ts', 'version.ts', 'secrets.ts', 'patchbay.ts'),
          zone('testing', 'contract'),
          zone('cli', 'contract', 'db', 'config.ts', 'secrets.ts', 'server.ts', 'version.ts'),
          ...connectors
        ]
      }],
      'n/no-process-env': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      'no-restricted-syntax': ['error', ...[
        'ImportExpression', 'MemberExpression[property.name="getBuiltinModule"]'
      ].map(selector => ({ selector, ...passTheDoor }))],
      // A schema and its type share one name.
      '@typescript-eslint/no-redeclare': 'off',
      '@typescript-eslint/no-restricted-imports': ['error', { paths: [typeboxOnlyInContract, ...opensConnections] }],
      'no-restricted-globals': ['error', ...['fetch', 'WebSocket', 'EventSource'].map(name => ({ name, ...passTheDoor }))],
      'no-restricted-properties': ['error', ...['fetch', 'WebSocket', 'EventSource'].map(property => ({ object: 'globalThis', property, ...passTheDoor }))]
    }
  },
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: { '@typescript-eslint/no-floating-promises': 'error' }
  },
  {
    files: ['src/accounts/**/*.ts', 'src/calls/**/*.ts', 'src/contacts/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { paths: [typeboxOnlyInContract, ...opensConnections], patterns: [repositoriesAsTypes] }]
    }
  },
  {
    files: ['src/connectors/*.ts', 'src/connectors/*/*.ts'],
    ignores: ['src/connectors/*/fake.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { paths: [typeboxOnlyInContract, ...opensConnections], patterns: [testingInFakesOnly] }]
    }
  },
  { files: ['src/config.ts', 'src/cli/**/*.ts'], rules: { 'n/no-process-env': 'off' } },
  // These load modules by their path.
  { files: ['src/plugins/connectors.ts', 'src/cli/**/*.ts'], rules: { 'no-restricted-syntax': 'off' } },
  { files: ['src/contract/type.ts'], rules: { '@typescript-eslint/no-restricted-imports': ['error', { paths: opensConnections }] } },
  { files: ['src/crm/**/*.ts'], rules: { '@typescript-eslint/no-restricted-imports': ['error', { paths: [typeboxOnlyInContract] }] } }
]
