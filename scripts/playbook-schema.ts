import { z } from 'zod';

import type { AnyModule } from '../src/modules/kit/module.ts';
import { allModules } from '../src/modules/find-module.ts';
import { ENGINE_ACTIONS } from '../src/validate/validate.ts';
import { keywordsOf, type Level } from '../src/playbook/keywords.ts';

const registry = await allModules();

type Json = Readonly<Record<string, unknown>>;

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';
/** Any value may be text that is rendered first. */
const TEMPLATE = { type: 'string', pattern: '\\{[{%]' };
const TEXT = { type: ['string', 'number', 'boolean', 'null'] };
const LIST = { type: ['array', 'string', 'null'] };
const DICT = { type: ['object', 'null'] };
const SWITCH = {
  anyOf: [{ type: ['boolean', 'integer'] }, { enum: ['yes', 'no', 'on', 'off', 'true', 'false'] }, TEMPLATE],
};
const NUMBER = { anyOf: [{ type: 'number' }, { type: 'string', pattern: '^\\s*\\d' }, TEMPLATE] };
const CONDITION = { type: ['string', 'boolean', 'array'] };
const TASKS = { anyOf: [{ $ref: '#/$defs/tasks' }, { type: 'null' }] };

/** What each keyword takes, and one sentence about it. */
const KEYWORDS: Readonly<Record<string, readonly [schema: Json, description: string]>> = {
  name: [TEXT, 'What is shown while it runs.'],
  become: [SWITCH, 'Work as another user, by sudo.'],
  become_user: [TEXT, 'That user; root without it.'],
  become_method: [TEXT, 'How to become that user, which is sudo.'],
  remote_user: [TEXT, 'Who logs in.'],
  connection: [TEXT, 'ssh, or local for this machine.'],
  check_mode: [SWITCH, 'Only say what would change (yes), or change it even with --check (no).'],
  diff: [SWITCH, 'Show how files change.'],
  no_log: [SWITCH, 'Show nothing of arguments and results.'],
  ignore_errors: [SWITCH, 'Go on when it fails.'],
  ignore_unreachable: [SWITCH, 'Go on when the host cannot be reached.'],
  any_errors_fatal: [SWITCH, 'A failure on one host ends the play on all.'],
  run_once: [SWITCH, 'Run on the first host only; its result counts for all.'],
  throttle: [NUMBER, 'On how many hosts at the same time.'],
  timeout: [NUMBER, 'Seconds after which it fails.'],
  environment: [{ type: ['object', 'array', 'string', 'null'] }, 'Environment variables.'],
  vars: [DICT, 'Variables.'],
  tags: [LIST, 'Names for --tags and --skip-tags.'],
  collections: [LIST, 'Accepted; modules are found by their names.'],
  when: [CONDITION, 'Do it only if all these conditions hold.'],
  notify: [LIST, 'Handlers that are due when something changed.'],
  listen: [LIST, 'Other names by which the handler is notified.'],
  delegate_to: [TEXT, 'The host to do it on instead.'],
  delegate_facts: [SWITCH, 'The facts that are found are those of that host.'],
  action: [{ type: ['string', 'object'] }, 'The module and its arguments.'],
  local_action: [{ type: ['string', 'object'] }, 'The same, done on this machine.'],
  args: [DICT, 'Further arguments of the module.'],
  register: [{ type: 'string' }, 'The variable for the result.'],
  loop: [{ type: ['array', 'string'] }, 'Do it for each of these, as `item`.'],
  loop_control: [DICT, 'The name of the item and of its index, its label, and pauses.'],
  until: [CONDITION, 'Try again until these conditions hold.'],
  retries: [NUMBER, 'How often to try again.'],
  delay: [NUMBER, 'Seconds between two tries.'],
  changed_when: [CONDITION, 'When the result counts as changed.'],
  failed_when: [CONDITION, 'When the result counts as failed.'],
  hosts: [{ type: ['string', 'array'] }, 'The hosts, as a pattern of names and groups.'],
  user: [TEXT, 'Who logs in (the old name of remote_user).'],
  gather_facts: [SWITCH, 'Read the facts of the hosts first.'],
  gather_subset: [LIST, 'Accepted; all facts are read.'],
  vars_files: [{ type: ['array', 'string', 'null'] }, 'Files with variables.'],
  roles: [{ type: ['array', 'null'], items: { $ref: '#/$defs/role' } }, 'Roles, before the tasks.'],
  handlers: [
    { anyOf: [{ type: 'array', items: { $ref: '#/$defs/handler' } }, { type: 'null' }] },
    'Tasks that run once at the end, when something notified them.',
  ],
  pre_tasks: [TASKS, 'Tasks before the roles.'],
  tasks: [TASKS, 'Tasks.'],
  post_tasks: [TASKS, 'Tasks after all others and their handlers.'],
  force_handlers: [SWITCH, 'Run the handlers that are due even on hosts that failed.'],
  max_fail_percentage: [NUMBER, 'End the play when more of the hosts have failed.'],
  serial: [{ type: ['integer', 'string', 'array'] }, 'How many hosts at a time, from start to end.'],
  strategy: [
    { enum: ['linear', 'ansible.builtin.linear'] },
    'Each task on all hosts before the next begins.',
  ],
  order: [
    { enum: ['inventory', 'sorted', 'reverse_inventory', 'reverse_sorted', 'shuffle'] },
    'The order of the hosts.',
  ],
  block: [TASKS, 'Tasks that share what is said here.'],
  rescue: [TASKS, 'Tasks for when one of the block failed.'],
  always: [TASKS, 'Tasks that run in any case.'],
  role: [{ type: 'string' }, 'The name of the role, or its path.'],
};

/** A JSON Schema of playbooks, for editors. */
export function playbookSchema(): Json {
  return {
    $schema: DRAFT,
    title: 'A playbook',
    type: ['array', 'null'],
    items: { anyOf: [{ $ref: '#/$defs/play' }, { $ref: '#/$defs/import_playbook' }] },
    $defs: {
      play: object(keywords('play'), { required: ['hosts'] }),
      import_playbook: object(
        {
          ...keywords('import_playbook'),
          ...builtin('import_playbook', { type: 'string', description: 'The playbook to run here.' }),
        },
        {},
      ),
      tasks: {
        type: 'array',
        items: { anyOf: [{ $ref: '#/$defs/task' }, { $ref: '#/$defs/block' }] },
      },
      task: object({ ...keywords('task'), ...actions() }, withLoops),
      handler: object({ ...keywords('handler'), ...actions() }, withLoops),
      block: object(keywords('block'), { required: ['block'] }),
      role: {
        anyOf: [
          { type: 'string' },
          // Whatever else stands there is a variable of the role.
          { type: 'object', properties: { ...keywords('role'), name: { type: 'string' } } },
        ],
      },
      ...Object.fromEntries(Object.entries(registry).map(([name, module]) => [name, moduleSchema(module)])),
    },
  };
}

/** The same for a file of tasks, as in a role. */
export function tasksSchema(): Json {
  return {
    $schema: DRAFT,
    title: 'Tasks',
    anyOf: [{ $ref: 'playbook.json#/$defs/tasks' }, { type: 'null' }],
  };
}

const withLoops = { patternProperties: { '^with_': { description: 'A lookup to loop over.' } } };

function object(properties: Json, rest: Json): Json {
  return { type: 'object', properties, ...rest, additionalProperties: false };
}

function keywords(level: Level): Json {
  return Object.fromEntries(
    keywordsOf(level).map((name) => {
      const entry = KEYWORDS[name];
      if (!entry) throw new Error(`scripts/playbook-schema.ts does not know the keyword ${name}`);
      return [name, { ...entry[0], description: entry[1] }];
    }),
  );
}

/** Every module under its full name and, where that is unambiguous, its last part. */
function actions(): Json {
  const engine = ['import_tasks', 'import_role', ...ENGINE_ACTIONS].map((name) =>
    builtin(name, { description: `See the documentation of ansible.builtin.${name}.` }),
  );
  const modules = Object.entries(registry).flatMap(([name, module]) => {
    const reference = { description: module.summary, $ref: `#/$defs/${name}` };
    const short = name.slice(name.lastIndexOf('.') + 1);
    return [{ [name]: reference }, { [short]: reference }];
  });
  return Object.assign({}, ...engine, ...modules) as Json;
}

function builtin(name: string, schema: Json): Json {
  return { [name]: schema, [`ansible.builtin.${name}`]: schema };
}

function moduleSchema(module: AnyModule): Json {
  const json = z.toJSONSchema(module.args, {
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      // What is refused takes nothing but `undefined`.
      if (zodSchema instanceof z.ZodUndefined) jsonSchema.not = {};
    },
  }) as {
    readonly properties?: Readonly<Record<string, Json>>;
  };
  const properties: Record<string, Json> = {};
  for (const [name, property] of Object.entries(json.properties ?? {})) {
    if (property['not'] !== undefined) continue;
    const { description, default: fallback, ...value } = property;
    const schema = {
      ...(description === undefined ? {} : { description }),
      ...(fallback === undefined ? {} : { default: fallback }),
      ...(Object.keys(value).length === 0 ? {} : { anyOf: [value, TEMPLATE, { type: 'null' }] }),
    };
    for (const spelling of [name, ...(module.aliases?.[name] ?? [])]) properties[spelling] = schema;
  }
  return {
    // Besides a dictionary: free text or `key=value` pairs, or nothing at all.
    anyOf: [{ type: ['string', 'null'] }, object(properties, {})],
  };
}
