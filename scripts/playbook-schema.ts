import { z } from 'zod';

import type { AnyModule } from '../src/modules/kit/module.ts';
import { allModules } from '../src/modules/find-module.ts';
import { ENGINE_ACTIONS } from '../src/validate/validate.ts';
import { keywordsOf } from '../src/playbook/keyword-places.ts';
import type { Keyword, Kind, Level } from '../src/playbook/keyword.ts';
import { KEYWORDS } from '../src/playbook/keywords.ts';

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

/** What a keyword of a kind takes. */
const OF_KIND: Readonly<Record<Kind, Json>> = {
  flag: SWITCH,
  whole: NUMBER,
  number: NUMBER,
  text: TEXT,
  title: TEXT,
  variable: { type: 'string' },
  texts: LIST,
  conditions: { type: ['string', 'boolean', 'array'] },
  tags: LIST,
  vars: DICT,
  environment: { type: ['object', 'array', 'string', 'null'] },
  tasks: { anyOf: [{ $ref: '#/$defs/tasks' }, { type: 'null' }] },
  handlers: { anyOf: [{ type: 'array', items: { $ref: '#/$defs/handler' } }, { type: 'null' }] },
  roles: { type: ['array', 'null'], items: { $ref: '#/$defs/role' } },
  action: { type: ['string', 'object'] },
  arguments: { anyOf: [DICT, TEMPLATE] },
  hosts: { type: ['string', 'array'] },
  loop: { type: ['array', 'string'] },
  loop_control: DICT,
  prompts: {
    type: 'array',
    items: {
      type: 'object',
      properties: {
        name: { type: 'string' },
        prompt: { type: 'string' },
        default: {},
        private: { type: ['boolean', 'string'] },
        confirm: { type: ['boolean', 'string'] },
        unsafe: { type: ['boolean', 'string'] },
      },
      required: ['name'],
      additionalProperties: false,
    },
  },
  names: LIST,
  sizes: { type: ['integer', 'string', 'array'] },
  vars_files: { type: ['array', 'string', 'null'] },
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
      const { kind, does, values }: Keyword = KEYWORDS[name];
      const schema = values === undefined ? OF_KIND[kind] : { anyOf: [{ enum: values }, TEMPLATE] };
      return [name, { ...schema, description: does }];
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
