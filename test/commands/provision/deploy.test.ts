import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';

import { output, run } from '../../../src/lib/process.ts';
import { needsProgram, testWith } from '../../needs.ts';

const withGit = testWith(needsProgram('git', 'git'), test);
const project = fileURLToPath(new URL('../../../', import.meta.url));

/** A repository with a folder, a built release and an inventory whose machines nobody asks: every case ends before. */
async function workplace(t: ExecutionContext): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'deploy-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  cpSync(join(project, 'inventory/production.example'), join(root, 'inventory'), { recursive: true });
  for (const [path, content] of [
    ['built/app.mjs', ''],
    ['empty/readme', ''],
    ['both/app.mjs', ''],
  ] as const) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  for (const argv of [
    ['init', '--quiet', '--initial-branch=main'],
    ['add', '.'],
    ['-c', 'user.name=ann', '-c', 'user.email=ann@example.org', 'commit', '--quiet', '-m', 'first'],
    ['tag', 'v1.4'],
    ['branch', 'both'],
  ])
    await output(['git', '-C', root, ...argv]);
  return root;
}

const CASES: readonly (readonly [what: string, argv: readonly string[], expected: RegExp])[] = [
  ['nothing', [], /deploy what\?/],
  ['a mistyped tag', ['v1.5'], /"v1\.5" is neither a folder.*\n.*did you mean "v1\.4"/],
  ['a folder that is no release', ['empty'], /empty has no file app\.mjs/],
  ['a working copy', ['.'], /working copy of git.*\n.*provision deploy HEAD/],
  [
    'a folder and a branch of one name',
    ['both'],
    /"both" is a folder and a ref of git\n.*\.\/both is the folder/,
  ],
  ['a name that is none', ['built', '--release', '../x'], /"\.\.\/x" is no name of a release/],
  ['a resume without a deploy', ['--resume'], /there is no deploy to resume/],
  [
    'a site that names its release itself',
    ['built', '-e', 'app_release=1'],
    /app_release is set on the command line\n.*remove it/,
  ],
  [
    'a build that fails',
    ['v1.4', '-e', '{"app_build_command": "echo no compiler; exit 3"}'],
    /the build of [0-9a-f]{10} ended with status 3: .*\nno compiler\n.*app_build_command/,
  ],
  [
    'a build that leaves nothing',
    ['v1.4', '-e', '{"app_build_command": "true"}'],
    /left no folder files\/app\/dist.*\n.*app_build_result/,
  ],
];

withGit('what cannot be deployed is said before anything is asked of a machine', async (t) => {
  const root = await workplace(t);
  for (const [what, argv, expected] of CASES) {
    const { status, stderr } = await run(
      [
        process.execPath,
        join(project, 'src/bin/provision.ts'),
        'deploy',
        ...argv,
        '--yes',
        '-i',
        join(root, 'inventory'),
      ],
      { cwd: root, env: { ...process.env, UNDERSTUDY_PLAYBOOK: join(project, 'playbooks/site.yml') } },
    );
    t.true(status === 1 || status === 2, what);
    t.regex(stderr, expected, what);
  }
});
