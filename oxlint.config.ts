// The rules of the linter. Who may import what comes from the table of rooms.
import { posix } from 'node:path';

import { defineConfig, type OxlintOverride } from 'oxlint';

import { FOLDERS, mayImport, ROOMS } from './scripts/rooms.ts';

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'node', 'promise'],
  categories: {
    correctness: 'error',
    suspicious: 'error',
  },
  env: {
    node: true,
    es2024: true,
  },
  ignorePatterns: ['dist/**', 'coverage/**', 'test/**/cases/**'],
  rules: {
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/switch-exhaustiveness-check': [
      'error',
      {
        considerDefaultExhaustiveForUnions: true,
      },
    ],
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'off',
    'typescript/require-array-sort-compare': 'off',
    'typescript/consistent-type-imports': [
      'error',
      {
        disallowTypeAnnotations: false,
      },
    ],
    'typescript/only-throw-error': 'error',
    'typescript/prefer-readonly': 'error',
    'typescript/return-await': ['error', 'error-handling-correctness-only'],
    'import/no-default-export': 'error',
    'import/no-cycle': [
      'error',
      {
        ignoreTypes: false,
      },
    ],
    'import/no-self-import': 'error',
    'unicorn/prefer-node-protocol': 'error',
    eqeqeq: 'error',
    'no-var': 'error',
    'prefer-const': 'error',
    'no-console': 'error',
    'no-eval': 'error',
    'no-new-func': 'error',
    'no-param-reassign': 'error',
    'no-duplicate-imports': [
      'error',
      {
        allowSeparateTypeImports: true,
      },
    ],
    'no-await-in-loop': 'off',
    'no-shadow': 'off',
    'no-control-regex': 'off',
    'typescript/consistent-return': 'off',
    'typescript/no-base-to-string': 'off',
    'typescript/no-misused-spread': 'off',
    'promise/always-return': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/no-array-reverse': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'import/no-named-as-default': 'off',
    'import/no-named-as-default-member': 'off',
  },
  overrides: [
    ...FOLDERS.map(imports),

    {
      files: ['files/app/**', 'bench/**'],
      rules: {
        'no-console': 'off',
      },
    },
    {
      files: ['test/**'],
      rules: {
        'typescript/unbound-method': 'off',
      },
    },
    { files: ['oxlint.config.ts'], rules: { 'import/no-default-export': 'off' } },
  ],
});

/** What the files of one folder may not import, written as the paths that such an import would have. */
function imports(folder: string): OxlintOverride {
  const forbidden = FOLDERS.filter((other) => other !== folder && !mayImport(folder, other));
  const allowed = ROOMS.find(({ folders }) => folders.includes(folder))?.imports ?? [];
  return {
    files: [`src/${folder}/*.{ts,tsx}`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: forbidden.map((other) => ({
            regex: `^${posix.relative(folder, other).replaceAll('.', String.raw`\.`)}/[^/]+$`,
            message: `src/${folder} may import ${allowed.join(', ') || 'nothing else of ours'} (scripts/rooms.ts).`,
          })),
        },
      ],
    },
  };
}
