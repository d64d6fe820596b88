import { dnsSchema, dnsUpdateSchema } from '../src/commands/provision/dns-json.ts';
import { drainSchema, drainStatusSchema, undrainSchema } from '../src/commands/provision/drain-json.ts';
import { certificatesSchema } from '../src/commands/provision/certificates-json.ts';
import { logLineSchema } from '../src/commands/provision/logs-json.ts';
import { openSchema } from '../src/commands/provision/open-json.ts';
import { releaseLineSchema, releasesSchema } from '../src/commands/provision/release-json.ts';
import { SSH_OPTIONS } from '../src/transport/ssh-options.ts';
import { z } from 'zod';

import { allModules } from '../src/modules/find-module.ts';
import type { AnyModule } from '../src/modules/kit/module.ts';
import { playbookSchema, tasksSchema } from './playbook-schema.ts';
import { portsPage } from './ports-page.ts';
import { alertsPage } from '../src/monitoring/rules.ts';
import { clusterSchema } from '../src/failover/cluster/cluster-schema.ts';
import {
  analysisSchema,
  changeLineSchema,
  historySchema,
  planSchema,
  refusalSchema,
  resultSchema as changeResultSchema,
  statusSchema,
  stepSchema,
} from '../src/failover/output/json-schema.ts';
import type { Recovery } from '../src/failover/cluster/problem.ts';
import { REFUSALS, type RefusalCode } from '../src/failover/plan/refusal-codes.ts';
import { isRisk, riskName, RISKS } from '../src/failover/plan/risks.ts';
import { PROBLEMS } from '../src/failover/problems/problems.ts';
import { NUMBER_SETTINGS, OTHER_SETTINGS } from '../src/failover/cluster/settings.ts';
import {
  handoverSchema,
  handoverStaySchema,
  handoverStatusSchema,
} from '../src/commands/provision/handover-json.ts';
import { limitsClearSchema, limitsSchema } from '../src/commands/provision/limits-json.ts';
import { rollHistorySchema, rollLineSchema } from '../src/report/roll/schema.ts';
import { lineSchema } from '../src/report/schema.ts';

const NOTICE = '<!-- Made from the source by scripts/generate-docs.ts. Do not edit. -->';

const registry = await allModules();

/** What every command of `provision` prints with --json. */
const provisionLines = z.discriminatedUnion('type', [
  ...lineSchema.options,
  ...rollLineSchema.options,
  rollHistorySchema,
  releaseLineSchema,
  drainSchema,
  undrainSchema,
  drainStatusSchema,
  handoverSchema,
  handoverStaySchema,
  handoverStatusSchema,
  limitsSchema,
  limitsClearSchema,
  dnsSchema,
  dnsUpdateSchema,
  releasesSchema,
  certificatesSchema,
  logLineSchema,
  openSchema,
]);

/** The part of JSON Schema that zod emits for our schemas. */
interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly description?: string;
  readonly pattern?: string;
  readonly not?: unknown;
}

/** The generated files of docs/ by name. */
export function generatedDocs(): Readonly<Record<string, string>> {
  return {
    'failover-json.md': failoverJsonPage(),
    'ports.md': portsPage(NOTICE),
    'alerts.md': alertsPage(NOTICE),
    'failover-json.schema.json': `${JSON.stringify(failoverJsonSchema(), null, 2)}\n`,
    'failover-problems.md': failoverProblemsPage(),
    'failover-settings.md': failoverSettingsPage(),
    'json.md': jsonPage(),
    'json.schema.json': `${JSON.stringify(z.toJSONSchema(provisionLines), null, 2)}\n`,
    'modules.md': modulesPage(),
    'ssh-options.md': sshOptionsPage(),
    'schemas/playbook.json': `${JSON.stringify(playbookSchema(), null, 1)}\n`,
    'schemas/tasks.json': `${JSON.stringify(tasksSchema(), null, 1)}\n`,
  };
}

/** What becomes of every option of ssh_config(5). */
function sshOptionsPage(): string {
  const rows = Object.entries(SSH_OPTIONS).map(([name, use]) => {
    switch (use.use) {
      case 'honoured':
        return `| \`${name}\` | honoured | ${use.note ?? ''} |`;
      case 'harmless':
        return `| \`${name}\` | without effect | ${use.why} |`;
      case 'refused':
        return `| \`${name}\` | refused | ${use.remedy}${harmlessValues(use.unless)} |`;
    }
  });
  return [
    '# Options of ssh',
    '',
    'What becomes of each option of ssh_config(5), in `~/.ssh/config` and in `ansible_ssh_common_args`. An option on',
    'which you could count, and which is not honoured, is refused by its name before anything is connected; options',
    'without effect are let pass. `IgnoreUnknown` lets pass what it names.',
    '',
    '| option | here | |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function harmlessValues(values: readonly string[]): string {
  const given = values.filter((value) => value !== '');
  return given.length === 0 ? '' : ` (let pass: ${given.map((value) => `\`${value}\``).join(', ')})`;
}

function jsonPage(): string {
  const lines = [
    NOTICE,
    '',
    '# `provision … --json`',
    '',
    '`provision up`, `check` and `run` with `--json` write one JSON object a line to stdout, and text for people to',
    'stderr. `type` says what a line is. Nothing else is ever written to stdout, and the last line is the recap, also',
    'when hosts failed or the run was interrupted. It is missing only when the run could not start (exit code 1) or a',
    'second Ctrl-C ended it at once (130). The shape of a line as a JSON Schema is in',
    '[json.schema.json](json.schema.json). `upgrade` and `reboot` write lines of their own before and after the roll, `deploy`',
    'and `rollback` one after it; the last line of a roll itself is its `report`. `drain`, `undrain`, `handover`, `limits`, `dns` and `releases`',
    'write one object, `history` one a line.',
    '',
    'New keys and new types of lines may be added; what is here keeps its meaning.',
    '',
    '```sh',
    `provision up --json | jq -r 'select(.type == "result" and .status == "failed") | "\\(.host): \\(.message)"'`,
    '```',
    '',
  ];
  for (const schema of provisionLines.options) {
    const json = z.toJSONSchema(schema) as JsonSchema;
    const type = String(json.properties?.['type']?.const);
    lines.push(`## \`${type}\``, '', json.description ?? '', '', '| key | type | |', '| --- | --- | --- |');
    for (const row of jsonRows(json, '')) lines.push(row);
    lines.push('');
  }
  return lines.join('\n');
}

/** What each command prints; the lines of a change have a `type`. */
function failoverJsonSchema(): object {
  return {
    status: z.toJSONSchema(statusSchema),
    analyse: z.toJSONSchema(analysisSchema),
    change: z.toJSONSchema(changeLineSchema),
    history: z.toJSONSchema(historySchema),
  };
}

function failoverJsonPage(): string {
  const lines = [
    NOTICE,
    '',
    '# `failover … --json`',
    '',
    '`status` and `analyse` write one JSON object. `promote`, `rejoin` and `relocate` write one a line, each with a',
    '`type`, and text for people to stderr; the last line is a `result` or `refused`. `history` writes one object a line.',
    'The shapes as JSON Schemas are in [failover-json.schema.json](failover-json.schema.json).',
    'With several clusters and none chosen, `status --json` writes an array of such objects, and one object a line for each of',
    'them with `--watch`; `--cluster NAME` gives the one object.',
    '',
    'New keys and new types of lines may be added; what is here keeps its meaning.',
    '',
    '```sh',
    'failover status --json | jq -r .primary',
    `failover promote db2 --yes --json | jq 'select(.type == "result") | {outcome, unwritableMs, lostGtids}'`,
    '```',
    '',
  ];
  for (const [title, schema] of [
    ['`failover status`', statusSchema],
    ['`failover analyse`', analysisSchema],
    ['`plan`', planSchema],
    ['`step`', stepSchema],
    ['`refused`', refusalSchema],
    ['`result`', changeResultSchema],
    ['`failover history`', historySchema],
  ] as const) {
    const json = z.toJSONSchema(schema) as JsonSchema;
    lines.push(`## ${title}`, '', json.description ?? '', '', '| key | type | |', '| --- | --- | --- |');
    lines.push(...jsonRows(json, ''), '');
  }
  return lines.join('\n');
}

/** What the watch does about a problem, in the words of a reader. */
const RECOVERIES: Readonly<Record<Recovery, string>> = {
  failover: 'promotes a replica',
  'reopen-primary': 'lets it take writes again',
  fence: 'makes the wrong one read-only, or stops it',
  rejoin: 'lets it follow again',
  'repair-replica': 'starts it, or points it at the primary',
  'repair-semi-sync': 'sets semi-sync',
  'repoint-balancer': 'points the balancer at the primary',
};

/** A change that was cut off is ended in whichever direction can be proved to be safe. */
function actionOn(code: string, recovery: Recovery | undefined): string {
  if (code === 'UnfinishedChange') return 'finishes the change, or takes it back';
  return recovery ? RECOVERIES[recovery] : 'tells';
}

function failoverProblemsPage(): string {
  const lines = [
    NOTICE,
    '',
    '# What can be wrong with a cluster',
    '',
    '`failover status` and `failover analyse` name what they find by these codes, the most urgent first, each with its',
    'remedy for the instances at hand. The watch notifies about them, and acts on some of them when they stand for longer',
    'than they need to go away by themselves ([watch.md](watch.md)).',
    '',
    '| code | severity | what it means | what the watch does |',
    '| --- | --- | --- | --- |',
  ];
  for (const { code, severity, description, recovery } of PROBLEMS)
    lines.push(`| \`${code}\` | ${severity} | ${description} | ${actionOn(code, recovery)} |`);
  lines.push(
    '',
    '## Why a change is refused',
    '',
    '`failover promote`, `rejoin` and `relocate` name every reason at once, each with its remedy; some of them may be',
    'accepted with `--force NAME`, which the refusal then says: `failover promote db2 --force too-few-ackers`. Several have',
    'commas between them. Only what is named is accepted; a bare `--force` asks about each risk on a terminal.',
    '',
    '| code | what it means | `--force` accepts it as |',
    '| --- | --- | --- |',
    ...Object.entries(REFUSALS).map(
      ([code, meaning]) => `| \`${code}\` | ${meaning} | ${riskText(code as RefusalCode)} |`,
    ),
  );
  return `${lines.join('\n')}\n`;
}

function riskText(code: RefusalCode): string {
  return isRisk(code) ? `\`${riskName(code)}\`: ${RISKS[code]}` : '';
}

function failoverSettingsPage(): string {
  const {
    allowOtherDataCentre,
    asyncWhenAlone,
    endpoints,
    hooks,
    promotionSql,
    demotionSql,
    webhook,
    email,
    command,
  } = OTHER_SETTINGS;
  const lines = [
    NOTICE,
    '',
    '# Settings of failover',
    '',
    'Variables of the inventory, for the group of the database or for all. Times in milliseconds where the name ends in',
    '`_ms`. What an instance is (`mysql_instance`, `mysql_address`, `mysql_port`, `mysql_flavour`) is said in the role',
    '`mysql`; beside that an instance may have `mysql_promotion_rule` (`prefer`, `neutral`, `prefer_not`, `must_not`) and',
    '`mysql_data_centre`, and the whole inventory `understudy_production: true`, which keeps `failover drill` away.',
    '',
    '| variable | default | |',
    '| --- | --- | --- |',
    ...Object.values(NUMBER_SETTINGS).map(
      ({ variable, default: value, sets, least, most }) =>
        `| \`${variable}\` | ${value} | ${cell(sets)}; from ${least} to ${most} |`,
    ),
    ...[allowOtherDataCentre, asyncWhenAlone].map(
      ({ variable, default: value, sets }) => `| \`${variable}\` | ${defaultText(value)} | ${cell(sets)} |`,
    ),
    ...[endpoints, hooks, promotionSql, demotionSql, webhook, email, command].map(
      ({ variable, sets }) => `| \`${variable}\` | | ${cell(sets)} |`,
    ),
    '',
    '## The file of a daemon',
    '',
    '`failover … --cluster FILE` reads the cluster from a file instead of an inventory, `--cluster DIRECTORY` all that its files',
    '`*.json` describe. The role `failover_watch` writes `/etc/understudy/clusters/NAME.json` on the balancers, for root only,',
    'since it holds the passwords of the accounts.',
    '',
    '| key | type | |',
    '| --- | --- | --- |',
    ...jsonRows(toJson(clusterSchema, 'input'), ''),
    '',
  ];
  return lines.join('\n');
}

/** A row for each key, nested ones as `a.b`; keys of a host by name as `hosts.NAME`. */
function jsonRows(schema: JsonSchema, prefix: string): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = `${prefix}${name}`;
    const optional = schema.required?.includes(name) ? '' : 'optional';
    const notes = [optional, property.description ?? ''].filter((note) => note !== '').join('; ');
    const row = `| \`${key}\` | ${jsonType(property)} | ${cell(notes)} |`;
    const inner =
      typeof property.additionalProperties === 'object' ? property.additionalProperties : undefined;
    return [
      row,
      ...jsonRows(property, `${key}.`),
      ...(inner === undefined ? [] : jsonRows(inner, `${key}.NAME.`)),
      ...(property.items === undefined ? [] : jsonRows(property.items, `${key}[].`)),
    ];
  });
}

function jsonType(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  const either = schema.anyOf ?? schema.oneOf;
  if (either !== undefined) return [...new Set(either.map(jsonType))].join(' or ');
  if (schema.type === 'array')
    return `list of ${schema.items === undefined ? 'anything' : `${jsonType(schema.items)}s`}`;
  return schema.type === undefined ? 'anything' : [schema.type].flat().join(' or ');
}

function modulesPage(): string {
  const modules = Object.entries(registry).sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = [
    NOTICE,
    '',
    '# Modules',
    '',
    "The modules that playbooks can use, under Ansible's names, with Ansible's arguments and defaults. A short name",
    '(`copy`) means the same as the full one. An argument that is not here, or that is marked as not supported, is an',
    'error when the playbook is loaded, with the place in the file. Editors that know JSON Schema complete and check',
    'tasks with [schemas/playbook.json](schemas/playbook.json) and, for files of tasks,',
    '[schemas/tasks.json](schemas/tasks.json).',
    '',
    ...modules.map(([name, module]) => `- [${name}](#${anchor(name)}): ${module.summary}`),
    '',
  ];
  for (const [name, module] of modules) {
    lines.push(`## ${name}`, '', module.summary, '');
    if (module.example !== undefined) lines.push('```yaml', module.example.trim(), '```', '');
    const freeForm = textArgument(module);
    if (freeForm !== undefined) lines.push(`Free text after the name is \`${freeForm}\`.`, '');
    lines.push(...argumentTable(module.args, module.aliases ?? {}), '');
  }
  return lines.join('\n');
}

/** The argument that free text after the module's name is for. */
export function textArgument(module: Pick<AnyModule, 'aliases'>): string | undefined {
  return Object.entries(module.aliases ?? {}).find(([, spellings]) => spellings.includes('_raw_params'))?.[0];
}

/** GitHub's anchor of a heading. */
function anchor(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}

function argumentTable(
  schema: z.ZodType,
  aliases: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  const input = toJson(schema, 'input');
  // What is converted has its default on the far side.
  const output = toJson(schema, 'output');
  const rows: string[] = [];
  const refused: string[] = [];
  for (const [name, property] of Object.entries(input.properties ?? {})) {
    if (property.not !== undefined) {
      refused.push(`- \`${name}\` ${property.description ?? 'is not supported'}`);
      continue;
    }
    const fallback = property.default ?? output.properties?.[name]?.default;
    const isRequired = input.required?.includes(name) === true;
    const names = [name, ...(aliases[name] ?? [])].map((each) => `\`${each}\``).join(', ');
    const value = isRequired ? 'required' : fallback === undefined ? '' : `\`${defaultText(fallback)}\``;
    const notes = [
      property.description ?? '',
      ...refusals(schema, name, property).map((refusal) => `${refusal}.`),
    ].filter((note) => note !== '');
    rows.push(`| ${names} | ${argumentType(property)} | ${value} | ${cell(notes.join(' '))} |`);
  }
  return [
    ...(rows.length === 0
      ? ['It takes no arguments.']
      : ['| argument | type | default | |', '| --- | --- | --- | --- |', ...rows]),
    ...(refused.length === 0 ? [] : ['', 'Not supported:', '', ...refused]),
  ];
}

/** Which of an argument's few values are refused, and why. The schema alone knows, so it is asked. */
function refusals(schema: z.ZodType, name: string, property: JsonSchema): readonly string[] {
  const values = property.enum ?? (argumentType(property) === 'yes or no' ? [true, false] : []);
  return values.flatMap((value) =>
    (schema.safeParse({ [name]: value }).error?.issues ?? [])
      .filter((issue) => issue.path[0] === name && issue.message.startsWith('is not supported'))
      .map((issue) => `\`${defaultText(value)}\` ${issue.message}`),
  );
}

function toJson(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  return z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      // Arguments of Ansible's that we refuse take nothing but `undefined`, and their error says why.
      if (!(zodSchema instanceof z.ZodUndefined)) return;
      jsonSchema.not = {};
      jsonSchema.description = zodSchema.safeParse('given').error?.issues[0]?.message ?? '';
    },
  }) as JsonSchema;
}

function defaultText(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return typeof value === 'string' && /^[\w./-]+$/.test(value) ? value : JSON.stringify(value);
}

/** The name of an argument's type for people: schemas also accept the other ways to write a value in YAML. */
function argumentType(schema: JsonSchema): string {
  if (schema.enum !== undefined) {
    return schema.enum
      .map((value) => `\`${typeof value === 'string' && /\S/.test(value) ? value : JSON.stringify(value)}\``)
      .join(', ');
  }
  const types = typesOf(schema);
  const patterns = (schema.anyOf ?? []).map((part) => part.pattern ?? '').join(' ');
  if (patterns.includes('yes')) return 'yes or no';
  if (types.has('array')) return 'list';
  if (types.has('object')) return 'dictionary';
  if (patterns.includes('\\d')) return types.has('integer') ? 'whole number' : 'number';
  if (types.has('integer') && types.has('string')) return 'mode';
  if (types.has('string')) return 'text';
  if (types.has('boolean')) return 'yes or no';
  if (types.has('integer') || types.has('number')) return 'number';
  return 'anything';
}

function typesOf(schema: JsonSchema): ReadonlySet<string> {
  const own = schema.type === undefined ? [] : [schema.type].flat();
  return new Set([...own, ...(schema.anyOf ?? []).flatMap((part) => [...typesOf(part)])]);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
