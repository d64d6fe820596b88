import { didYouMean } from '../lib/similar.ts';

/** Where a keyword can stand. */
export type Level = 'play' | 'block' | 'task' | 'handler' | 'role' | 'import_playbook' | 'apply';

const COMMON = [
  'name',
  'become',
  'become_user',
  'become_method',
  'remote_user',
  'connection',
  'check_mode',
  'diff',
  'no_log',
  'ignore_errors',
  'ignore_unreachable',
  'any_errors_fatal',
  'run_once',
  'throttle',
  'timeout',
  'environment',
  'vars',
  'tags',
  'collections',
] as const;

const TASK = [
  ...COMMON,
  'when',
  'notify',
  'delegate_to',
  'delegate_facts',
  'action',
  'local_action',
  'args',
  'register',
  'loop',
  'loop_control',
  'until',
  'retries',
  'delay',
  'changed_when',
  'failed_when',
] as const;

const KEYWORDS: Readonly<Record<Level, readonly string[]>> = {
  play: [
    ...COMMON,
    'hosts',
    'user',
    'gather_facts',
    'gather_subset',
    'vars_files',
    'roles',
    'handlers',
    'pre_tasks',
    'tasks',
    'post_tasks',
    'force_handlers',
    'max_fail_percentage',
    'serial',
    'strategy',
    'order',
  ],
  block: [...COMMON, 'when', 'notify', 'delegate_to', 'delegate_facts', 'block', 'rescue', 'always'],
  task: TASK,
  handler: [...TASK, 'listen'],
  role: [...COMMON, 'role', 'when', 'delegate_to', 'delegate_facts'],
  import_playbook: ['name', 'when', 'tags', 'vars'],
  apply: [...COMMON, 'when', 'notify', 'delegate_to', 'delegate_facts'],
};

/** Dynamic includes take these only; what is for the included tasks stands below `apply`. */
export const INCLUDE_KEYWORDS: readonly string[] = [
  'action',
  'local_action',
  'args',
  'collections',
  'ignore_errors',
  'listen',
  'loop',
  'loop_control',
  'name',
  'no_log',
  'register',
  'run_once',
  'tags',
  'timeout',
  'vars',
  'when',
];

const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ['async', 'start the work as a systemd unit, or give the task a timeout'],
  ['poll', 'it belongs to async'],
  ['module_defaults', 'give the arguments to each task, or set them with a variable'],
  ['debugger', 'run with --check or --start-at-task instead'],
  ['become_flags', 'set the flags in the sudoers file of the hosts'],
  ['become_exe', 'sudo is found on the PATH of the hosts'],
  ['port', 'set the variable ansible_port'],
  ['vars_prompt', 'give the variables with --extra-vars, or look them up'],
  ['fact_path', 'local facts are read from /etc/ansible/facts.d'],
  ['gather_timeout', 'leave it out'],
]);

/** The keywords that are supported somewhere. */
export function keywordsOf(level: Level): readonly string[] {
  return KEYWORDS[level];
}

export function isKeyword(name: string, level: Level): boolean {
  return KEYWORDS[level].includes(name) || UNSUPPORTED.has(name) || name.startsWith('with_');
}

/** What to do instead of a keyword that is Ansible's but not supported. */
export function unsupportedKeyword(name: string): string | undefined {
  return UNSUPPORTED.get(name);
}

/** Whether a word looks like a mistyped keyword. */
export function resemblesKeyword(name: string, level: Level): boolean {
  return !name.includes('.') && didYouMean(name, KEYWORDS[level]) !== undefined;
}

/** Whether a word is a keyword of plays, blocks or handlers; `user` is a module as well. */
export function isKeywordElsewhere(name: string): boolean {
  return (
    name !== 'user' && (['play', 'block', 'handler'] as const).some((level) => KEYWORDS[level].includes(name))
  );
}

/** What to say about a word that is no keyword where it stands. */
export function explainUnknownKeyword(name: string, level: Level): { message: string; hint?: string } {
  const where =
    level === 'apply' ? '"apply"' : level === 'import_playbook' ? 'an import_playbook' : `a ${level}`;
  const message = `"${name}" is not a keyword of ${where}`;
  if (name === 'when' && level === 'play') {
    return {
      message,
      hint: 'a condition stands on tasks, blocks and roles; put the tasks in a block to share one',
    };
  }
  const near = didYouMean(name, KEYWORDS[level]);
  const elsewhere = (['play', 'block', 'task', 'handler'] as const).filter((other) =>
    KEYWORDS[other].includes(name),
  );
  if (elsewhere.length > 0) {
    const [first, ...rest] = elsewhere.map((other) => `${other}s`);
    const places =
      rest.length === 0 ? first : `${[first, ...rest.slice(0, -1)].join(', ')} and ${rest.at(-1)}`;
    return { message, hint: `it is a keyword of ${places}; check the indentation` };
  }
  return near === undefined
    ? { message, hint: `there are ${[...KEYWORDS[level]].sort().join(', ')}` }
    : { message, hint: near };
}
