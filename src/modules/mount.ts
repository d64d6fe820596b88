import { query, type FactQuery } from '../facts/fact.ts';
import { file } from '../facts/file.ts';
import { mount as mountFact, type MountFact } from '../facts/mount.ts';
import { quote } from '../lib/shell.ts';
import type { Diff, Plan, Result } from '../steps/plan.ts';
import type { Step } from '../steps/step.ts';
import { args, bool, choice, path, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { editFacts, planEdit, readLines } from './parts/edit.ts';
import { editFstab, type FstabEntry, isSameMount, parseFstabLine } from './parts/fstab.ts';
import { toBytesText } from '../lib/python-regex.ts';

const HIDDEN = '[REDACTED]';

const count = str.refine((value) => /^\d+$/.test(value), { error: 'expected a whole number' });

const mountArgs = args({
  path: path
    .refine((value) => value.startsWith('/') || value === 'none' || value === 'swap', {
      error: 'expected an absolute path (or none, for swap)',
    })
    .describe('Where it is mounted.'),
  state: choice(
    'absent',
    'absent_from_fstab',
    'absent_mount',
    'ephemeral',
    'mounted',
    'present',
    'remounted',
    'unmounted',
  ).describe(
    '`mounted`: in fstab, and mounted; `present`: in fstab; `ephemeral`: mounted, whatever fstab says; `unmounted`: not mounted, whatever fstab says; `absent`: out of fstab, not mounted, and the directory removed; `absent_mount`: the same, but the directory stays; `absent_from_fstab`: out of fstab; `remounted`: mounted once more.',
  ),
  src: str
    .refine((value) => value !== '', { error: 'expected a source; found an empty one' })
    .optional()
    .describe('What is mounted: a device, `UUID=…`, `LABEL=…`, a directory, a network path.'),
  fstype: str
    .refine((value) => value !== '', { error: 'expected a type; found an empty one' })
    .optional()
    .describe('The type of the file system; `none` for bind mounts.'),
  opts: str
    .refine((value) => value !== '', { error: 'expected options; found none' })
    .optional()
    .describe('Options, with commas between; `defaults` when none are given.'),
  opts_no_log: bool.default(false).describe('Hide the options in diffs and results.'),
  dump: count.default('0').describe('The fifth field of fstab.'),
  passno: count.default('0').describe('The sixth field of fstab: the order of checks at boot, 0 for none.'),
  fstab: path.default('/etc/fstab').describe('The file to edit.'),
  boot: bool.default(true).describe('Whether it is mounted at boot; `no` adds the option `noauto`.'),
  backup: bool.default(false).describe('Keep a copy of fstab as it was, with the time in its name.'),
}).superRefine((given, context) => {
  const isMounting = given.state === 'mounted' || given.state === 'present' || given.state === 'ephemeral';
  for (const name of ['src', 'fstype'] as const) {
    if (isMounting && given[name] === undefined)
      context.addIssue({ code: 'custom', message: `${name}: is required with state: ${given.state}` });
  }
  if (!given.path.startsWith('/') && given.state !== 'present' && given.state !== 'absent_from_fstab')
    context.addIssue({
      code: 'custom',
      message: `path: state: ${given.state} needs a directory; found '${given.path}'`,
    });
});

type MountArgs = (typeof mountArgs)['_output'];

/** File systems: in fstab, and mounted. */
export const mount = defineModule({
  name: 'ansible.posix.mount',
  summary: 'Mounts file systems, now and at boot.',
  example: `
- name: The database has a disk of its own
  ansible.posix.mount:
    path: /var/lib/mysql
    src: LABEL=mysql
    fstype: ext4
    opts: noatime
    state: mounted
`,
  args: mountArgs,
  aliases: { path: ['name'] },
  facts: factsOf,
  plan(given, facts): Plan {
    const result = resultOf(given);
    const now = looksAtMounts(given) ? facts.get(mountQuery(given)) : undefined;
    const isThere = looksAtMounts(given) && facts.get(directoryQuery(given)).exists;
    switch (given.state) {
      case 'unmounted':
        if (now?.mounted !== true) return { kind: 'unchanged', result };
        return changed([diffOf(given, now, undefined)], [unmount(given)], result);
      case 'remounted':
        return changed([], [remountAgain(given)], result);
      case 'ephemeral':
        return planEphemeral(given, now, isThere, result);
      default:
        break;
    }
    const options = optionsOf(given);
    const wanted: FstabEntry = {
      src: toBytesText(given.src ?? ''),
      path: toBytesText(given.path),
      fstype: toBytesText(given.fstype ?? ''),
      opts: toBytesText(options),
      dump: given.dump,
      passno: given.passno,
    };
    const isWanted = given.state === 'mounted' || given.state === 'present';
    const at = { path: wanted.path, ...(given.src === undefined ? {} : { src: wanted.src }) };
    const inFile = planEdit({ path: given.fstab, attributes: {}, backup: given.backup }, facts, (text) => {
      if (text === undefined && !isWanted) return { unchanged: true, result };
      return { text: editFstab(text ?? '', at, isWanted ? wanted : undefined), result };
    });
    if (inFile.kind === 'need' || inFile.kind === 'failed') return inFile;
    const inFstab = inFile.kind === 'change' ? inFile : undefined;
    const shown = (inFstab?.diffs ?? []).map((diff) => (given.opts_no_log ? hideOptions(diff, given) : diff));
    // fstab is written last: where mounting fails it stays as it was, and an interrupted run begins again.
    const work = workFor(given, now, isThere, inFstab !== undefined);
    const steps = [...work.steps, ...(inFstab?.steps ?? [])];
    if (steps.length === 0) return { kind: 'unchanged', result };
    return changed([...shown, ...work.diffs], steps, result);
  },
});

function factsOf(given: MountArgs): FactQuery[] {
  return [
    ...(given.state === 'ephemeral' || given.state === 'remounted' || given.state === 'unmounted'
      ? []
      : editFacts(given.fstab)),
    ...(looksAtMounts(given) ? [mountQuery(given), directoryQuery(given)] : []),
  ];
}

function looksAtMounts({ state }: MountArgs): boolean {
  return state !== 'present' && state !== 'absent_from_fstab' && state !== 'remounted';
}

function mountQuery({ path: target, src }: MountArgs): FactQuery<MountFact> {
  return query(mountFact, { path: target, source: src });
}

function directoryQuery({ path: target }: MountArgs) {
  return query(file, { path: target, follow: true });
}

interface Work {
  readonly diffs: readonly Diff[];
  readonly steps: readonly Step[];
}

/** What is done besides fstab, which differs or not. */
function workFor(given: MountArgs, now: MountFact | undefined, isThere: boolean, differs: boolean): Work {
  switch (given.state) {
    case 'mounted': {
      if (now?.mounted !== true) return mounting(given, now, isThere);
      if (!differs) return { diffs: [], steps: [] };
      return now.isSource
        ? { diffs: [], steps: [remount(given)] }
        : {
            diffs: [diffOf(given, now, given)],
            steps: [unmount(given), ...mounting(given, now, isThere).steps],
          };
    }
    case 'absent':
    case 'absent_mount': {
      // As in Ansible, a path that is not in fstab is none of their business.
      if (!differs) return { diffs: [], steps: [] };
      const isMounted = now?.mounted === true;
      const removes = given.state === 'absent' && isThere;
      return {
        diffs: isMounted ? [diffOf(given, now, undefined)] : [],
        steps: [...(isMounted ? [unmount(given)] : []), ...(removes ? [removeDirectory(given)] : [])],
      };
    }
    default:
      return { diffs: [], steps: [] };
  }
}

function planEphemeral(given: MountArgs, now: MountFact | undefined, isThere: boolean, result: Result): Plan {
  if (now?.mounted !== true) {
    const { diffs, steps } = mounting(given, now, isThere);
    return changed(diffs, steps, result);
  }
  if (now.isSource) return changed([], [remount(given)], result);
  return {
    kind: 'failed',
    message: `${given.path} is mounted already, from ${now.source} and not from ${given.src ?? ''}; unmount it first (state: unmounted), or use another path`,
    result,
  };
}

function mounting(given: MountArgs, now: MountFact | undefined, isThere: boolean): Work {
  const make: Step = {
    kind: 'script',
    description: `create directory ${given.path}`,
    script: `mkdir -p -- ${quote(given.path)}`,
  };
  return { diffs: [diffOf(given, now, given)], steps: [...(isThere ? [] : [make]), mountNow(given)] };
}

function mountNow(given: MountArgs): Step {
  return { kind: 'script', description: `mount ${given.path}`, script: mountCommand(given) };
}

function unmount({ path: target }: MountArgs): Step {
  return {
    kind: 'script',
    description: `unmount ${target}`,
    script: `umount -- ${quote(target)}`,
  };
}

/** The new options take the place of the old ones. A file system that cannot do that is mounted afresh. */
function remount(given: MountArgs): Step {
  const options = optionsOf(given);
  const again = mountCommand(given, options === 'defaults' ? 'remount' : `remount,${options}`);
  return {
    kind: 'script',
    description: `remount ${given.path}`,
    script: `${again} 2>/dev/null || { umount -- ${quote(given.path)} && ${mountCommand(given)}; }`,
  };
}

/** `remounted`, which goes by fstab. Options that were given must be taken over, so there nothing is mounted afresh. */
function remountAgain(given: MountArgs): Step {
  const table = given.fstab === '/etc/fstab' ? '' : ` -T ${quote(given.fstab)}`;
  const target = quote(given.path);
  const script =
    given.opts === undefined
      ? `mount${table} -o remount -- ${target} 2>/dev/null || { umount -- ${target} && mount${table} -- ${target}; }`
      : `mount${table} -o ${quote(`remount,${optionsOf(given)}`)} -- ${target}`;
  return { kind: 'script', description: `remount ${given.path}`, script };
}

/** All is on the command line, so that it works before fstab says the same. */
function mountCommand(given: MountArgs, options = optionsOf(given)): string {
  const flags = options === 'defaults' ? '' : ` -o ${quote(options)}`;
  return `mount -t ${quote(given.fstype ?? 'auto')}${flags} -- ${quote(given.src ?? '')} ${quote(given.path)}`;
}

function removeDirectory({ path: target }: MountArgs): Step {
  const advice = `${target} cannot be removed; with state: absent_mount it stays`;
  return {
    kind: 'script',
    description: `remove directory ${target}`,
    script: `[ ! -e ${quote(target)} ] || rmdir -- ${quote(target)} || { printf '%s\\n' ${quote(advice)} >&2; exit 1; }`,
  };
}

function optionsOf({ opts = 'defaults', boot, state }: MountArgs): string {
  if (boot || state === 'ephemeral' || opts.split(',').includes('noauto')) return opts;
  return `${opts},noauto`;
}

function resultOf(given: MountArgs): Result {
  return {
    name: given.path,
    ...(given.src === undefined ? {} : { src: given.src }),
    ...(given.fstype === undefined ? {} : { fstype: given.fstype }),
    opts: given.opts_no_log ? HIDDEN : optionsOf(given),
    dump: given.dump,
    passno: given.passno,
    fstab: given.fstab,
    boot: given.boot ? 'yes' : 'no',
  };
}

function diffOf(given: MountArgs, before: MountFact | undefined, after: MountArgs | undefined): Diff {
  return {
    subject: `mount ${given.path}`,
    before: before?.mounted === true ? `${before.source} (${before.fstype})\n` : '(not mounted)\n',
    after: after ? `${after.src ?? ''} (${after.fstype ?? ''})\n` : '(not mounted)\n',
  };
}

/** The options of the path's lines, in both texts, may be passwords. */
function hideOptions(diff: Diff, given: MountArgs): Diff {
  const hide = (text: string): string =>
    readLines(text)
      .map((line) => {
        const found = parseFstabLine(line);
        if (!found || !isSameMount(found, given.path, given.src)) return line;
        return line.replace(/^(\s*\S+\s+\S+\s+\S+\s+)\S+/, (_, start: string) => `${start}${HIDDEN}`);
      })
      .join('');
  return { ...diff, before: hide(diff.before), after: hide(diff.after) };
}

function changed(diffs: readonly Diff[], steps: readonly Step[], result: Result): Plan {
  return { kind: 'change', diffs, steps, result };
}
