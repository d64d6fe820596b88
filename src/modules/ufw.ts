import { content, type ContentFact } from '../facts/content.ts';
import { query, type FactReader } from '../facts/fact.ts';
import { which } from '../facts/which.ts';
import { command } from '../lib/shell.ts';
import type { Plan } from '../steps/plan.ts';
import type { Step } from '../steps/step.ts';
import { args, bool, choice, filled, int } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';
import { outputText } from './kit/outputs.ts';
import { findRule, parseRules, ruleWords } from './parts/ufw-rules.ts';

const ufwArgs = args(
  {
    state: choice('disabled', 'enabled', 'reloaded', 'reset')
      .optional()
      .describe(
        '`enabled` and `disabled` switch the firewall on and off, also for the next boot; `reloaded` reads its rules again; `reset` removes them.',
      ),
    default: choice('allow', 'deny', 'reject')
      .optional()
      .describe('What happens to traffic that no rule is about.'),
    direction: choice('in', 'incoming', 'out', 'outgoing', 'routed')
      .optional()
      .describe('Which traffic a rule or `default` is about; incoming without it.'),
    logging: choice('full', 'high', 'low', 'medium', 'off', 'on').optional().describe('How much is logged.'),
    rule: choice('allow', 'deny', 'limit', 'reject')
      .optional()
      .describe('What happens to traffic of this kind.'),
    delete: bool.default(false).describe('Remove the rule.'),
    insert: int.optional().describe('The number that a new rule gets; without it, it is the last.'),
    insert_relative_to: choice('first-ipv4', 'first-ipv6', 'last-ipv4', 'last-ipv6', 'zero')
      .refine((value) => value === 'zero', { error: 'is not supported: give insert a number alone' })
      .optional()
      .describe('What `insert` counts from; only `zero` is supported.'),
    route: bool.default(false).describe('The rule is about traffic that is passed on.'),
    log: bool.default(false).describe('Log new connections that match.'),
    from_ip: filled
      .transform((value) => value ?? 'any')
      .default('any')
      .describe('Where it comes from: an address or network.'),
    from_port: filled.optional().describe('The port it comes from.'),
    to_ip: filled
      .transform((value) => value ?? 'any')
      .default('any')
      .describe('Where it goes: an address or network.'),
    to_port: filled.optional().describe('The port it goes to, or several as `80,443` or `6000:6007`.'),
    proto: choice('ah', 'any', 'esp', 'gre', 'igmp', 'ipv6', 'tcp', 'udp', 'vrrp')
      .optional()
      .describe('The protocol.'),
    name: filled.optional().describe('A profile of an application, such as `OpenSSH`.'),
    interface: filled.optional().describe('The interface, for `direction`.'),
    interface_in: filled.optional().describe('The interface where it arrives.'),
    interface_out: filled.optional().describe('The interface where it leaves.'),
    comment: filled.optional().describe('A comment on the rule.'),
  },
  { oneOf: [['state', 'default', 'rule', 'logging']], exclusive: [['name', 'proto']] },
).superRefine((given, context) => {
  const problem = (message: string): void => context.addIssue({ code: 'custom', message });
  if (given.interface !== undefined && given.direction === undefined) problem('interface: needs direction');
  if (given.interface !== undefined && (given.interface_in ?? given.interface_out) !== undefined) {
    problem('interface and interface_in or interface_out exclude each other; give one of them');
  }
  if (given.direction === 'routed' && given.rule !== undefined)
    problem('direction: routed belongs to default; use route');
});

type UfwArgs = (typeof ufwArgs)['_output'];

const FILES = {
  switch: query(content, '/etc/ufw/ufw.conf'),
  defaults: query(content, '/etc/default/ufw'),
  rules: query(content, '/etc/ufw/user.rules'),
  rules6: query(content, '/etc/ufw/user6.rules'),
} as const;

const PROGRAM = query(which, 'ufw');

interface Wish {
  readonly subject: string;
  readonly before: string;
  readonly after: string;
  readonly words: readonly string[];
  /** Whether ufw's own words tell if it changed something. */
  readonly certain: boolean;
}

/** Rules, defaults and the switch of the uncomplicated firewall. */
export const ufw = defineModule({
  name: 'community.general.ufw',
  summary: 'Manages rules, default policies and logging of the firewall ufw.',
  example: `
- name: Let web traffic in
  community.general.ufw:
    rule: allow
    proto: tcp
    to_port: 80,443
`,
  args: ufwArgs,
  aliases: {
    default: ['policy'],
    from_ip: ['from', 'src'],
    to_ip: ['dest', 'to'],
    to_port: ['port'],
    proto: ['protocol'],
    name: ['app'],
    interface: ['if'],
    interface_in: ['if_in'],
    interface_out: ['if_out'],
  },
  facts: () => [PROGRAM, ...Object.values(FILES)],
  plan(given, facts): Plan {
    if (facts.get(PROGRAM) === undefined)
      return { kind: 'failed', message: 'ufw is not installed on the target' };
    const wishes = [
      ...switchWish(given, facts),
      ...defaultWish(given, facts),
      ...loggingWish(given, facts),
      ...ruleWish(given, facts),
    ];
    if (wishes.length === 0) return { kind: 'unchanged', result: { commands: [] } };
    const commands = wishes.map((wish) => command(['ufw', ...wish.words]));
    return {
      kind: 'change',
      diffs: wishes.map(({ subject, before, after }) => ({ subject, before, after })),
      steps: wishes.map((wish): Step => ({
        kind: 'script',
        description: ['ufw', ...wish.words].join(' '),
        script: `export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"\n${command(['ufw', ...wish.words])}`,
      })),
      result: { commands },
      finish(outputs) {
        const texts = outputs.map(outputText);
        const changed = wishes.some(
          (wish, index) =>
            wish.certain || !/^(Skipping|Could not delete non-existent)/m.test(texts[index] ?? ''),
        );
        return { status: 'ok', changed, result: { commands, msg: texts.join('') } };
      },
    };
  },
});

function text(facts: FactReader, name: keyof typeof FILES): string {
  const found: ContentFact = facts.get(FILES[name]);
  return found.kind === 'file' ? found.bytes.toString('utf8') : '';
}

function setting(source: string, name: string): string | undefined {
  return new RegExp(`^${name}=["']?([^"'\\n]*)`, 'm').exec(source)?.[1];
}

function switchWish(given: UfwArgs, facts: FactReader): Wish[] {
  const isOn = setting(text(facts, 'switch'), 'ENABLED') === 'yes';
  const wish = (verb: string, before: string, after: string): Wish[] => [
    {
      subject: 'ufw',
      before: `state: ${before}\n`,
      after: `state: ${after}\n`,
      words: ['--force', verb],
      certain: true,
    },
  ];
  const now = isOn ? 'enabled' : 'disabled';
  switch (given.state) {
    case 'enabled':
      return isOn ? [] : wish('enable', now, 'enabled');
    case 'disabled':
      return isOn ? wish('disable', now, 'disabled') : [];
    case 'reloaded':
      return wish('reload', now, 'reloaded');
    case 'reset':
      return wish('reset', now, 'reset');
    case undefined:
      return [];
  }
}

function defaultWish(given: UfwArgs, facts: FactReader): Wish[] {
  if (given.default === undefined) return [];
  const direction = given.direction ?? 'incoming';
  const names: Readonly<Record<string, readonly [string, string]>> = {
    in: ['DEFAULT_INPUT_POLICY', 'incoming'],
    incoming: ['DEFAULT_INPUT_POLICY', 'incoming'],
    out: ['DEFAULT_OUTPUT_POLICY', 'outgoing'],
    outgoing: ['DEFAULT_OUTPUT_POLICY', 'outgoing'],
    routed: ['DEFAULT_FORWARD_POLICY', 'routed'],
  };
  const [variable = '', word = ''] = names[direction] ?? [];
  const policies: Readonly<Record<string, string>> = { ACCEPT: 'allow', DROP: 'deny', REJECT: 'reject' };
  const now = policies[setting(text(facts, 'defaults'), variable) ?? ''] ?? 'unknown';
  if (now === given.default) return [];
  return [
    {
      subject: `ufw default ${word}`,
      before: `${now}\n`,
      after: `${given.default}\n`,
      words: ['default', given.default, word],
      certain: true,
    },
  ];
}

function loggingWish(given: UfwArgs, facts: FactReader): Wish[] {
  if (given.logging === undefined) return [];
  const now = setting(text(facts, 'switch'), 'LOGLEVEL') ?? 'unknown';
  const isSame = given.logging === 'on' ? now !== 'off' && now !== 'unknown' : now === given.logging;
  if (isSame) return [];
  return [
    {
      subject: 'ufw logging',
      before: `${now}\n`,
      after: `${given.logging}\n`,
      words: ['logging', given.logging],
      certain: true,
    },
  ];
}

function ruleWish(given: UfwArgs, facts: FactReader): Wish[] {
  if (given.rule === undefined) return [];
  const usesSix = [given.from_ip, given.to_ip].some((address) => address.includes(':'));
  const rules = parseRules(text(facts, usesSix ? 'rules6' : 'rules'));
  const found = findRule(given, rules);
  const words = ruleWords(given, given.rule);
  const line = `ufw ${words.filter((word) => word !== 'delete').join(' ')}\n`;
  if (given.delete) {
    if (found === 'none') return [];
    return [
      {
        subject: 'ufw rule',
        before: line,
        after: '',
        words: ['--force', ...words],
        certain: found === 'same',
      },
    ];
  }
  if (found === 'same') return [];
  return [{ subject: 'ufw rule', before: '', after: line, words, certain: found !== 'unknown' }];
}
