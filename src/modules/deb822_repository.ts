import { query } from '../facts/fact.ts';
import { file as fileFact } from '../facts/file.ts';
import { quote } from '../lib/shell.ts';
import type { Plan } from '../steps/plan.ts';
import { args, bool, choice, int, list, mode, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { digestQuery, fileWork, workPlan } from './parts/file-plan.ts';

const deb822Args = args({
  name: str
    .refine((value) => value.trim() !== '', { error: 'expected a name' })
    .describe(
      'The name of the file in /etc/apt/sources.list.d, made of this, and the `X-Repolib-Name` in it.',
    ),
  state: choice('absent', 'present').default('present').describe('Whether the source shall be there.'),
  types: list(choice('deb', 'deb-src'))
    .default(['deb'])
    .describe('Whether it has binary packages, sources, or both.'),
  uris: list(str).optional().describe('The addresses of the archive.'),
  suites: list(str).optional().describe('The suites, such as `trixie`; one that ends with `/` is a path.'),
  components: list(str).optional().describe('The components, such as `main`.'),
  architectures: list(str).optional().describe('Only packages of these architectures.'),
  languages: list(str).optional().describe('The translations of descriptions to download.'),
  targets: list(str).optional().describe('The kinds of files to download.'),
  enabled: bool.optional().describe('Whether apt uses the source.'),
  signed_by: str
    .refine((value) => !/^https?:/.test(value), {
      error:
        'expected a path on the target or the armoured key itself; fetch it with ansible.builtin.get_url first',
    })
    .optional()
    .describe(
      'The key that must have signed it: a path on the target, a fingerprint, or the armoured key itself, which is then kept in /etc/apt/keyrings.',
    ),
  trusted: bool
    .optional()
    .describe('Take the source as verified (`yes`) or never so (`no`), whatever its signature says.'),
  by_hash: bool.optional().describe('Whether to ask for files by their digests.'),
  check_date: bool.optional().describe('Whether a source from the future is refused.'),
  check_valid_until: bool.optional().describe('Whether a source is refused after the date that it gives.'),
  date_max_future: int.optional().describe('How many seconds of the future are let pass.'),
  allow_insecure: bool.optional().describe('Let the source be unsigned.'),
  allow_weak: bool.optional().describe('Let the source be signed in a way that counts as weak.'),
  allow_downgrade_to_insecure: bool.optional().describe('Let a source that was signed become unsigned.'),
  inrelease_path: str.optional().describe('Where the InRelease file is, relative to the usual place.'),
  pdiffs: bool.optional().describe('Whether to download only what changed in the lists.'),
  mode: mode.default('0644').describe('The permissions of the file.'),
  install_python_debian: bool.optional().describe('Accepted, and without effect: no Python is needed.'),
}).superRefine((given, context) => {
  if (given.state === 'absent') return;
  for (const name of ['uris', 'suites'] as const) {
    if (given[name] === undefined)
      context.addIssue({ code: 'custom', message: `${name}: is required with state: present` });
  }
  const isFlat = given.suites?.every((suite) => suite.endsWith('/')) === true;
  if (given.suites && !isFlat && given.components === undefined) {
    context.addIssue({
      code: 'custom',
      message: 'components: is required unless the suites end with a slash',
    });
  }
});

type Deb822Args = (typeof deb822Args)['_output'];

/** Sources of packages, as deb822 files. */
export const deb822Repository = defineModule({
  name: 'ansible.builtin.deb822_repository',
  summary: 'Adds and removes sources of packages (deb822 format).',
  example: `
- name: Add the archive
  ansible.builtin.deb822_repository:
    name: example
    uris: https://deb.example.org/debian
    suites: stable
    components: main
    signed_by: /etc/apt/keyrings/example.asc
`,
  args: deb822Args,
  facts: (given) => [
    digestQuery(sourcesPath(given)),
    ...(isArmoured(given.signed_by) ? [digestQuery(keyPath(given))] : []),
    ...(given.state === 'absent'
      ? ['.asc', '.gpg'].map((end) => query(fileFact, { path: keyPath(given, end) }))
      : []),
  ],
  plan(given, facts, context): Plan {
    const path = sourcesPath(given);
    if (given.state === 'absent') {
      const paths = [
        ...(facts.get(digestQuery(path)).exists ? [path] : []),
        ...['.asc', '.gpg']
          .map((end) => keyPath(given, end))
          .filter((name) => facts.get(query(fileFact, { path: name })).exists),
      ];
      const result = { dest: path, repo: null, key_filename: null };
      if (paths.length === 0) return { kind: 'unchanged', result };
      return {
        kind: 'change',
        diffs: paths.map((name) => ({ subject: name, before: 'state: file\n', after: 'state: absent\n' })),
        steps: [
          { kind: 'script', description: `remove ${path}`, script: `rm -f -- ${paths.map(quote).join(' ')}` },
        ],
        result,
      };
    }
    const armoured = isArmoured(given.signed_by);
    const key = armoured
      ? fileWork(
          {
            path: keyPath(given),
            content: Buffer.from(`${given.signed_by?.trim() ?? ''}\n`),
            attributes: { mode: '0644' },
          },
          facts.get(digestQuery(keyPath(given))),
          facts,
          context,
        )
      : { diffs: [], steps: [] };
    const text = sourceText(given);
    const source = fileWork(
      { path, content: Buffer.from(text), attributes: { mode: given.mode } },
      facts.get(digestQuery(path)),
      facts,
      context,
    );
    const result = { dest: path, repo: text, key_filename: armoured ? keyPath(given) : null };
    if ('failed' in key || 'failed' in source) return workPlan('failed' in key ? key : source, result);
    if ('need' in key || 'need' in source) {
      return {
        kind: 'need',
        facts: [...('need' in key ? key.need : []), ...('need' in source ? source.need : [])],
      };
    }
    const makeDirectory = {
      kind: 'script' as const,
      description: 'create /etc/apt/keyrings',
      script: 'mkdir -p -m 0755 /etc/apt/keyrings',
    };
    return workPlan(
      {
        diffs: [...key.diffs, ...source.diffs],
        steps: [...(key.steps.length > 0 ? [makeDirectory] : []), ...key.steps, ...source.steps],
      },
      result,
    );
  },
});

function slug(given: Deb822Args): string {
  return given.name
    .trim()
    .replaceAll(/\s+/g, '-')
    .replaceAll(/[^A-Za-z0-9_.-]/g, '_')
    .toLowerCase();
}

function sourcesPath(given: Deb822Args): string {
  return `/etc/apt/sources.list.d/${slug(given)}.sources`;
}

function keyPath(given: Deb822Args, end = '.asc'): string {
  return `/etc/apt/keyrings/${slug(given)}${end}`;
}

function isArmoured(key: string | undefined): boolean {
  return key !== undefined && key.includes('-----BEGIN PGP');
}

/** The fields in the order that Ansible writes them: by name. */
function sourceText(given: Deb822Args): string {
  const yesNo = (value: boolean | undefined): string | undefined =>
    value === undefined ? undefined : value ? 'yes' : 'no';
  const words = (value: readonly string[] | undefined): string | undefined => value?.join(' ');
  const fields: Readonly<Record<string, string | undefined>> = {
    'Allow-Downgrade-To-Insecure': yesNo(given.allow_downgrade_to_insecure),
    'Allow-Insecure': yesNo(given.allow_insecure),
    'Allow-Weak': yesNo(given.allow_weak),
    Architectures: words(given.architectures),
    'By-Hash': yesNo(given.by_hash),
    'Check-Date': yesNo(given.check_date),
    'Check-Valid-Until': yesNo(given.check_valid_until),
    Components: words(given.components),
    'Date-Max-Future': given.date_max_future?.toString(),
    Enabled: yesNo(given.enabled),
    'InRelease-Path': given.inrelease_path,
    Languages: words(given.languages),
    'X-Repolib-Name': given.name,
    PDiffs: yesNo(given.pdiffs),
    'Signed-By': isArmoured(given.signed_by) ? keyPath(given) : given.signed_by,
    Suites: words(given.suites),
    Targets: words(given.targets),
    Trusted: yesNo(given.trusted),
    Types: words(given.types),
    URIs: words(given.uris),
  };
  return Object.entries(fields)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value.replaceAll('\n', '\n ')}\n`]))
    .join('');
}
