import { posix } from 'node:path';

import { account, type Account } from '../facts/account.ts';
import { query, type FactReader } from '../facts/fact.ts';
import { file as fileFact } from '../facts/file.ts';
import { group as groupFact } from '../facts/group.ts';
import { command, quote } from '../lib/shell.ts';
import type { Plan, Result } from '../steps/plan.ts';
import type { Step } from '../steps/step.ts';
import { diffText } from './parts/attributes.ts';
import { defineModule } from './kit/define.ts';
import { userArgs, type UserArgs } from './parts/user-arguments.ts';

/** Accounts of the target. */
export const user = defineModule({
  name: 'ansible.builtin.user',
  summary: 'Creates, changes and removes accounts.',
  example: `
- name: Have the user
  ansible.builtin.user:
    name: app
    system: true
    shell: /usr/sbin/nologin
    create_home: false
`,
  args: userArgs,
  aliases: { name: ['user'], create_home: ['createhome'] },
  afterwards: (result) => {
    const read = query(account, String(result['name']));
    return {
      read,
      result(facts) {
        const found = facts.get(read);
        if (!found) return {};
        return {
          uid: found.uid,
          group: found.gid,
          home: found.home,
          shell: found.shell,
          comment: found.comment,
        };
      },
    };
  },
  facts: (given) => [
    query(account, given.name),
    ...[given.group, ...(given.groups ?? [])].flatMap((name) =>
      name === undefined || name === '' ? [] : [query(groupFact, name)],
    ),
  ],
  plan(given, facts): Plan {
    const found = facts.get(query(account, given.name));
    if (given.state === 'absent') return planAbsent(given, found);
    const plan = found ? planChange(given, found, facts) : planCreate(given);
    return given.generate_ssh_key ? withKey(given, found, plan, facts) : plan;
  },
});

function planAbsent(given: UserArgs, found: Account | undefined): Plan {
  const result = { name: given.name, state: 'absent', force: given.force, remove: given.remove };
  if (!found) return { kind: 'unchanged', result };
  const words = ['userdel', ...(given.force ? ['-f'] : []), ...(given.remove ? ['-r'] : []), given.name];
  return {
    kind: 'change',
    diffs: [{ subject: `user ${given.name}`, before: `uid: ${found.uid}\nhome: ${found.home}\n`, after: '' }],
    steps: [{ kind: 'script', description: `remove user ${given.name}`, script: command(words) }],
    result,
  };
}

function planCreate(given: UserArgs): Plan {
  const words = [
    'useradd',
    ...option('-u', given.uid),
    ...(given.non_unique ? ['-o'] : []),
    ...option('-g', given.group),
    ...(given.groups && given.groups.some(Boolean) ? ['-G', given.groups.filter(Boolean).join(',')] : []),
    ...option('-c', given.comment),
    ...option('-d', given.home),
    ...option('-s', given.shell),
    ...option('-e', expiry(given.expires)),
    ...(given.create_home ? ['-m', ...option('-k', given.skeleton)] : ['-M']),
    ...(given.umask === undefined ? [] : ['-K', `UMASK=${given.umask}`]),
    ...(given.uid_min === undefined ? [] : ['-K', `UID_MIN=${given.uid_min}`]),
    ...(given.uid_max === undefined ? [] : ['-K', `UID_MAX=${given.uid_max}`]),
    ...(given.system ? ['-r'] : []),
    // Without -N a group of the same name is made; when there is one already, useradd would refuse.
    given.name,
  ];
  const name = quote(given.name);
  const script = [
    'set -e',
    ...(given.group === undefined
      ? [`if getent group -- ${name} >/dev/null; then set -- -g ${name}; else set --; fi`]
      : ['set --']),
    `${command(words.slice(0, -1))} "$@" -- ${name}`,
    ...passwordLines(given),
    ...agingLines(given),
  ].join('\n');
  const after = describeWish(given);
  return {
    kind: 'change',
    diffs: [{ subject: `user ${given.name}`, before: '', after: diffText({ name: given.name, ...after }) }],
    steps: [{ kind: 'script', description: `create user ${given.name}`, script }],
    result: {
      ...baseResult(given),
      home: given.home ?? `/home/${given.name}`,
      ...(given.uid === undefined ? {} : { uid: given.uid }),
    },
  };
}

function option(name: string, value: string | number | undefined): string[] {
  return value === undefined ? [] : [name, String(value)];
}

/** Days or a date as useradd takes them: a negative time means never. */
function expiry(seconds: number | undefined): string | undefined {
  if (seconds === undefined) return undefined;
  return seconds < 0 ? '' : new Date(seconds * 1000).toISOString().slice(0, 10);
}

/** The hash goes through a pipe: as an argument everybody on the target could read it. */
function passwordLines(given: UserArgs): string[] {
  const lines: string[] = [];
  if (given.password !== undefined) {
    const locked = given.password_lock === true && !given.password.startsWith('!') ? '!' : '';
    lines.push(`printf '%s\\n' ${quote(`${given.name}:${locked}${given.password}`)} | chpasswd -e`);
  } else if (given.password_lock !== undefined) {
    lines.push(command(['usermod', given.password_lock ? '-L' : '-U', given.name]));
  }
  return lines;
}

function agingLines(given: UserArgs): string[] {
  const words = [
    ...option('-M', given.password_expire_max),
    ...option('-m', given.password_expire_min),
    ...option('-W', given.password_expire_warn),
    ...option('-I', given.password_expire_account_disable),
  ];
  return words.length === 0 ? [] : [command(['chage', ...words, given.name])];
}

function describeWish(given: UserArgs): Readonly<Record<string, string>> {
  const wish = {
    uid: given.uid,
    group: given.group,
    groups: given.groups?.filter(Boolean).join(', ') || undefined,
    comment: given.comment,
    home: given.home,
    shell: given.shell,
    password: given.password === undefined ? undefined : '(set)',
  };
  return Object.fromEntries(
    Object.entries(wish).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

function baseResult(given: UserArgs): Result {
  return {
    name: given.name,
    state: 'present',
    ...(given.password === undefined ? {} : { password: 'NOT_LOGGING_PASSWORD' }),
  };
}

function planChange(given: UserArgs, found: Account, facts: FactReader): Plan {
  const before: Record<string, string> = {};
  const after: Record<string, string> = {};
  const words: string[] = [];
  const differs = (name: string, was: string, wish: string | undefined, ...options: string[]): void => {
    if (wish === undefined || was === wish) return;
    before[name] = was;
    after[name] = wish;
    words.push(...options);
  };
  differs(
    'uid',
    String(found.uid),
    given.uid?.toString(),
    '-u',
    String(given.uid),
    ...(given.non_unique ? ['-o'] : []),
  );
  if (given.group !== undefined) {
    const wish = facts.get(query(groupFact, given.group));
    if (!wish || wish.gid !== found.gid) differs('group', found.group, given.group, '-g', given.group);
  }
  if (given.groups !== undefined) {
    const wished = given.groups
      .filter(Boolean)
      .map((name) => facts.get(query(groupFact, name))?.name ?? name)
      .filter((name) => name !== (given.group ?? found.group));
    const target = given.append ? [...new Set([...found.groups, ...wished])] : wished;
    const sorted = (names: readonly string[]): string => [...names].sort().join(', ');
    // With -a, usermod only adds: memberships that come from elsewhere (LDAP) are not written into /etc/group.
    const words = given.append ? ['-a', '-G', wished.join(',')] : ['-G', target.join(',')];
    differs('groups', sorted(found.groups), sorted(target), ...words);
  }
  differs('comment', found.comment, given.comment, '-c', given.comment ?? '');
  differs('home', found.home, given.home, '-d', given.home ?? '', ...(given.move_home ? ['-m'] : []));
  differs('shell', found.shell, given.shell, '-s', given.shell ?? '');
  if (given.expires !== undefined && found.shadow) {
    const day = given.expires < 0 ? undefined : Math.floor(given.expires / 86_400);
    const show = (value: number | undefined): string => (value === undefined ? 'never' : `day ${value}`);
    differs('expires', show(found.shadow.expireDay), show(day), '-e', expiry(given.expires) ?? '');
  }
  const lines = words.length === 0 ? [] : [command(['usermod', ...words, given.name])];
  if (passwordDiffers(given, found)) {
    const isLock = given.password === undefined;
    before['password'] = isLock ? yesLocked(given.password_lock !== true) : '(another)';
    after['password'] = isLock ? yesLocked(given.password_lock === true) : '(set)';
    lines.push(...passwordLines(given));
  }
  if (agingDiffers(given, found)) {
    for (const [name, was, wish] of agingOf(given, found)) {
      if (wish === undefined || wish === was) continue;
      before[`password ${name}`] = String(was ?? '?');
      after[`password ${name}`] = String(wish);
    }
    lines.push(...agingLines(given));
  }
  const result: Result = {
    ...baseResult(given),
    uid: given.uid ?? found.uid,
    group: found.gid,
    ...(given.groups === undefined ? {} : { groups: given.groups.join(',') }),
    comment: given.comment ?? found.comment,
    home: given.home ?? found.home,
    shell: given.shell ?? found.shell,
    append: given.append,
    move_home: given.move_home,
  };
  if (lines.length === 0) return { kind: 'unchanged', result };
  return {
    kind: 'change',
    diffs: [{ subject: `user ${given.name}`, before: diffText(before), after: diffText(after) }],
    steps: [
      { kind: 'script', description: `change user ${given.name}`, script: ['set -e', ...lines].join('\n') },
    ],
    result,
  };
}

function yesLocked(locked: boolean): string {
  return locked ? '(locked)' : '(not locked)';
}

function passwordDiffers(given: UserArgs, found: Account): boolean {
  const now = found.shadow?.password;
  if (now === undefined) return given.password !== undefined && given.update_password === 'always';
  const isLocked = now.startsWith('!');
  if (given.password !== undefined && given.update_password === 'always') {
    const wish = given.password.replace(/^!+/, '');
    if (now.replace(/^!+/, '') !== wish && !(given.password === now)) return true;
  }
  return given.password_lock !== undefined && given.password_lock !== isLocked;
}

function agingDiffers(given: UserArgs, found: Account): boolean {
  return agingOf(given, found).some(([, was, wish]) => wish !== undefined && wish !== was);
}

/** What the shadow file says of a password's age, and what it shall say. Nothing there is -1, as chage writes it. */
function agingOf(
  given: UserArgs,
  found: Account,
): readonly (readonly [name: string, was: number | undefined, wish: number | undefined])[] {
  const { shadow } = found;
  const inactive = given.password_expire_account_disable;
  return [
    ['maximum days', shadow?.maximumDays, given.password_expire_max],
    ['minimum days', shadow?.minimumDays, given.password_expire_min],
    ['days of warning', shadow?.warningDays, given.password_expire_warn],
    [
      'days until disabled',
      shadow?.inactiveDays ?? -1,
      inactive === undefined ? inactive : Math.max(-1, inactive),
    ],
  ];
}

/** An account whose SSH key is missing gets one. */
function withKey(given: UserArgs, found: Account | undefined, plan: Plan, facts: FactReader): Plan {
  if (plan.kind !== 'change' && plan.kind !== 'unchanged') return plan;
  const home = given.home ?? found?.home ?? `/home/${given.name}`;
  const name = given.ssh_key_file === '.ssh/id_rsa' ? `.ssh/id_${given.ssh_key_type}` : given.ssh_key_file;
  const path = posix.isAbsolute(name) ? name : posix.join(home, name);
  const needed = query(fileFact, { path });
  if (!facts.has(needed)) return { kind: 'need', facts: [needed] };
  if (facts.get(needed).exists) return { ...plan, result: { ...plan.result, ssh_key_file: path } };
  const directory = quote(posix.dirname(path));
  const bits = given.ssh_key_bits === undefined ? [] : ['-b', String(given.ssh_key_bits)];
  const comment = given.ssh_key_comment === undefined ? [] : ['-C', given.ssh_key_comment];
  const keygen = command([
    'ssh-keygen',
    '-q',
    '-t',
    given.ssh_key_type,
    ...bits,
    ...comment,
    '-N',
    '',
    '-f',
    path,
  ]);
  const step: Step = {
    kind: 'script',
    description: `make an SSH key for ${given.name}`,
    script: [
      'set -e',
      `u=$(id -u -- ${quote(given.name)}); g=$(id -g -- ${quote(given.name)})`,
      `[ -d ${directory} ] || { mkdir -m 0700 -- ${directory}; chown "$u:$g" -- ${directory}; }`,
      `[ -e ${quote(path)} ] || ${keygen}`,
      `chown "$u:$g" -- ${quote(path)} ${quote(`${path}.pub`)}`,
    ].join('\n'),
  };
  return {
    kind: 'change',
    diffs: [
      ...(plan.kind === 'change' ? plan.diffs : []),
      { subject: path, before: '', after: `type: ${given.ssh_key_type}\n` },
    ],
    steps: [...(plan.kind === 'change' ? plan.steps : []), step],
    result: { ...plan.result, ssh_key_file: path },
  };
}
