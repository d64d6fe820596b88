import type { Keyword } from './keyword.ts';

const TASKS = ['task', 'handler'] as const;
const BELOW_PLAYS = ['role', 'block', ...TASKS] as const;
const EVERYWHERE = ['play', ...BELOW_PLAYS] as const;
const WITH_IMPORTS = [...EVERYWHERE, 'import_playbook'] as const;

/**
 * Every keyword there is. From here come the types of plays and tasks (ast.ts), what is inherited (inheritance.ts), what
 * may stand on includes and imports (task.ts), the fact gathering of plays, and the schema for editors.
 */
export const KEYWORDS = {
  name: {
    on: WITH_IMPORTS,
    kind: 'title',
    inherit: 'none',
    onInclude: true,
    does: 'What is shown while it runs.',
  },
  become: { on: EVERYWHERE, kind: 'flag', inherit: 'nearest', does: 'Work as another user, by sudo.' },
  become_user: { on: EVERYWHERE, kind: 'text', inherit: 'nearest', does: 'That user; root without it.' },
  become_method: {
    on: EVERYWHERE,
    kind: 'text',
    inherit: 'nearest',
    does: 'How to become that user, which is sudo.',
  },
  remote_user: { on: EVERYWHERE, kind: 'text', inherit: 'nearest', does: 'Who logs in.' },
  connection: { on: EVERYWHERE, kind: 'text', inherit: 'nearest', does: 'ssh, or local for this machine.' },
  check_mode: {
    on: EVERYWHERE,
    kind: 'flag',
    inherit: 'nearest',
    does: 'Only say what would change (yes), or change it even with --check (no).',
  },
  diff: { on: EVERYWHERE, kind: 'flag', inherit: 'nearest', does: 'Show how files change.' },
  no_log: {
    on: EVERYWHERE,
    kind: 'flag',
    inherit: 'nearest',
    onInclude: true,
    does: 'Show nothing of arguments and results.',
  },
  ignore_errors: {
    on: EVERYWHERE,
    kind: 'flag',
    inherit: 'nearest',
    onInclude: true,
    does: 'Go on when it fails.',
  },
  ignore_unreachable: {
    on: EVERYWHERE,
    kind: 'flag',
    inherit: 'nearest',
    does: 'Go on when the host cannot be reached.',
  },
  any_errors_fatal: {
    on: EVERYWHERE,
    kind: 'flag',
    inherit: 'nearest',
    does: 'A failure on one host ends the play on all.',
  },
  run_once: {
    on: EVERYWHERE,
    kind: 'flag',
    inherit: 'nearest',
    onInclude: true,
    does: 'Run on the first host only; its result counts for all.',
  },
  throttle: {
    on: EVERYWHERE,
    kind: 'whole',
    inherit: 'nearest',
    does: 'On how many hosts at the same time.',
  },
  timeout: {
    on: EVERYWHERE,
    kind: 'whole',
    inherit: 'nearest',
    onInclude: true,
    does: 'Seconds after which it fails.',
  },
  delegate_to: {
    on: BELOW_PLAYS,
    kind: 'text',
    inherit: 'nearest',
    does: 'The host to do it on instead.',
  },
  delegate_facts: {
    on: BELOW_PLAYS,
    kind: 'flag',
    inherit: 'nearest',
    does: 'The facts that are found are those of that host.',
  },
  notify: {
    on: ['block', ...TASKS],
    kind: 'texts',
    inherit: 'nearest',
    does: 'Handlers that are due when something changed.',
  },
  when: {
    on: [...BELOW_PLAYS, 'import_playbook'],
    kind: 'conditions',
    inherit: 'merged',
    onInclude: true,
    does: 'Do it only if all these conditions hold.',
  },
  tags: {
    on: WITH_IMPORTS,
    kind: 'tags',
    inherit: 'merged',
    onInclude: true,
    does: 'Names for --tags and --skip-tags.',
  },
  environment: { on: EVERYWHERE, kind: 'environment', inherit: 'merged', does: 'Environment variables.' },
  vars: { on: WITH_IMPORTS, kind: 'vars', inherit: 'merged', onInclude: true, does: 'Variables.' },
  collections: {
    on: EVERYWHERE,
    kind: 'names',
    inherit: 'none',
    onInclude: true,
    does: 'Accepted; modules are found by their names.',
  },

  hosts: {
    on: ['play'],
    kind: 'hosts',
    inherit: 'none',
    does: 'The hosts, as a pattern of names and groups.',
  },
  user: {
    on: ['play'],
    kind: 'text',
    inherit: 'none',
    does: 'Who logs in (the old name of remote_user).',
  },
  gather_facts: {
    on: ['play'],
    kind: 'flag',
    inherit: 'none',
    does: 'Read the facts of the hosts first.',
  },
  gather_subset: { on: ['play'], kind: 'texts', inherit: 'none', does: 'Accepted; all facts are read.' },
  vars_files: { on: ['play'], kind: 'vars_files', inherit: 'none', does: 'Files with variables.' },
  roles: { on: ['play'], kind: 'roles', inherit: 'none', does: 'Roles, before the tasks.' },
  handlers: {
    on: ['play'],
    kind: 'handlers',
    inherit: 'none',
    does: 'Tasks that run once at the end, when something notified them.',
  },
  pre_tasks: { on: ['play'], kind: 'tasks', inherit: 'none', does: 'Tasks before the roles.' },
  tasks: { on: ['play'], kind: 'tasks', inherit: 'none', does: 'Tasks.' },
  post_tasks: {
    on: ['play'],
    kind: 'tasks',
    inherit: 'none',
    does: 'Tasks after all others and their handlers.',
  },
  force_handlers: {
    on: ['play'],
    kind: 'flag',
    inherit: 'none',
    does: 'Run the handlers that are due even on hosts that failed.',
  },
  max_fail_percentage: {
    on: ['play'],
    kind: 'number',
    inherit: 'none',
    does: 'End the play when more of the hosts have failed.',
  },
  serial: {
    on: ['play'],
    kind: 'sizes',
    inherit: 'none',
    does: 'How many hosts at a time, from start to end.',
  },
  strategy: {
    on: ['play'],
    kind: 'text',
    inherit: 'none',
    values: ['linear', 'ansible.builtin.linear'],
    does: 'Each task on all hosts before the next begins.',
  },
  order: {
    on: ['play'],
    kind: 'text',
    inherit: 'none',
    values: ['inventory', 'reverse_inventory', 'sorted', 'reverse_sorted', 'shuffle'],
    does: 'The order of the hosts.',
  },

  role: {
    on: ['role'],
    kind: 'title',
    inherit: 'none',
    does: 'The name of the role, or its path.',
  },

  block: { on: ['block'], kind: 'tasks', inherit: 'none', does: 'Tasks that share what is said here.' },
  rescue: {
    on: ['block'],
    kind: 'tasks',
    inherit: 'none',
    does: 'Tasks for when one of the block failed.',
  },
  always: { on: ['block'], kind: 'tasks', inherit: 'none', does: 'Tasks that run in any case.' },

  action: {
    on: TASKS,
    kind: 'action',
    inherit: 'none',
    onInclude: true,
    does: 'The module and its arguments.',
  },
  local_action: {
    on: TASKS,
    kind: 'action',
    inherit: 'none',
    onInclude: true,
    does: 'The same, done on this machine.',
  },
  args: {
    on: TASKS,
    kind: 'arguments',
    inherit: 'none',
    onInclude: true,
    does: 'Further arguments of the module.',
  },
  register: {
    on: TASKS,
    kind: 'variable',
    inherit: 'none',
    onInclude: true,
    notOnImport: true,
    does: 'The variable for the result.',
  },
  loop: {
    on: TASKS,
    kind: 'loop',
    inherit: 'none',
    onInclude: true,
    notOnImport: true,
    does: 'Do it for each of these, as `item`.',
  },
  loop_control: {
    on: TASKS,
    kind: 'loop_control',
    inherit: 'none',
    onInclude: true,
    notOnImport: true,
    does: 'The name of the item and of its index, its label, and pauses.',
  },
  until: {
    on: TASKS,
    kind: 'conditions',
    inherit: 'none',
    notOnImport: true,
    does: 'Try again until these conditions hold.',
  },
  retries: { on: TASKS, kind: 'whole', inherit: 'none', notOnImport: true, does: 'How often to try again.' },
  delay: {
    on: TASKS,
    kind: 'number',
    inherit: 'none',
    notOnImport: true,
    does: 'Seconds between two tries.',
  },
  changed_when: {
    on: TASKS,
    kind: 'conditions',
    inherit: 'none',
    notOnImport: true,
    does: 'When the result counts as changed.',
  },
  failed_when: {
    on: TASKS,
    kind: 'conditions',
    inherit: 'none',
    notOnImport: true,
    does: 'When the result counts as failed.',
  },
  listen: {
    on: ['handler'],
    kind: 'texts',
    inherit: 'none',
    onInclude: true,
    does: 'Other names by which the handler is notified.',
  },

  async: {
    on: TASKS,
    kind: 'whole',
    inherit: 'none',
    does: 'How long it may go on behind the play.',
    refused: 'start the work as a systemd unit, or give the task a timeout',
  },
  poll: {
    on: TASKS,
    kind: 'whole',
    inherit: 'none',
    does: 'How often to ask for its end.',
    refused: 'it belongs to async',
  },
  module_defaults: {
    on: EVERYWHERE,
    kind: 'environment',
    inherit: 'merged',
    does: 'Arguments for all tasks of a module, by its name.',
  },
  debugger: {
    on: WITH_IMPORTS,
    kind: 'text',
    inherit: 'nearest',
    does: 'When to start the debugger.',
    refused: 'run with --check or --start-at-task instead',
  },
  become_flags: {
    on: WITH_IMPORTS,
    kind: 'text',
    inherit: 'nearest',
    does: 'Options of sudo.',
    refused: 'set the flags in the sudoers file of the hosts',
  },
  become_exe: {
    on: WITH_IMPORTS,
    kind: 'text',
    inherit: 'nearest',
    does: 'The path of sudo.',
    refused: 'sudo is found on the PATH of the hosts',
  },
  port: {
    on: WITH_IMPORTS,
    kind: 'whole',
    inherit: 'nearest',
    does: 'The port of SSH.',
    refused: 'set the variable ansible_port',
  },
  vars_prompt: {
    on: ['play'],
    kind: 'prompts',
    inherit: 'none',
    does: 'Variables that the user is asked for.',
  },
  fact_path: {
    on: ['play'],
    kind: 'text',
    inherit: 'none',
    does: 'Where local facts are.',
    refused: 'local facts are read from /etc/ansible/facts.d',
  },
  gather_timeout: {
    on: ['play'],
    kind: 'whole',
    inherit: 'none',
    does: 'Seconds for gathering facts.',
    refused: 'leave it out',
  },
} as const satisfies Readonly<Record<string, Keyword>>;

export type KeywordName = keyof typeof KEYWORDS;

/** A keyword's row of the table, if there is such a keyword. */
export function keywordOf(name: string): Keyword | undefined {
  return Object.hasOwn(KEYWORDS, name) ? KEYWORDS[name as KeywordName] : undefined;
}

/** The supported keywords of which `wanted` holds, in the order of the table. */
export function keywordsWhere(wanted: (keyword: Keyword) => boolean): readonly KeywordName[] {
  return (Object.keys(KEYWORDS) as KeywordName[]).filter((name) => {
    const keyword: Keyword = KEYWORDS[name];
    return keyword.refused === undefined && wanted(keyword);
  });
}
