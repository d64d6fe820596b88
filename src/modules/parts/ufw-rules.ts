import { canonicalIp } from '../../lib/ip-network.ts';

/** What a rule is asked for with: the arguments of the module that are about rules. */
export interface UfwRuleArgs {
  readonly rule?: string | undefined;
  readonly delete: boolean;
  readonly insert?: number | undefined;
  readonly route: boolean;
  readonly log: boolean;
  readonly direction?: string | undefined;
  readonly from_ip: string;
  readonly from_port?: string | undefined;
  readonly to_ip: string;
  readonly to_port?: string | undefined;
  readonly proto?: string | undefined;
  readonly name?: string | undefined;
  readonly interface?: string | undefined;
  readonly interface_in?: string | undefined;
  readonly interface_out?: string | undefined;
  readonly comment?: string | undefined;
}

/** A rule as ufw keeps it: one `### tuple ###` line of user.rules. */
export interface UfwRule {
  /** `allow`, `deny_log`, `route:allow` and so on. */
  readonly action: string;
  readonly protocol: string;
  readonly toPort: string;
  readonly to: string;
  readonly fromPort: string;
  readonly from: string;
  readonly toApplication: string;
  /** `in`, `out_eth0`, `in_eth0!out_eth1`. */
  readonly direction: string;
  readonly comment: string;
}

/** The rules of user.rules or user6.rules. */
export function parseRules(text: string): readonly UfwRule[] {
  return [...text.matchAll(/^### tuple ### (.+)$/gm)].map(([, line = '']) => {
    const words = line.trim().split(/\s+/);
    const comment = words.at(-1)?.startsWith('comment=') ? (words.pop() ?? '').slice('comment='.length) : '';
    const [action = '', protocol = '', toPort = '', to = '', fromPort = '', from = '', ...rest] = words;
    return {
      action,
      protocol,
      toPort,
      to,
      fromPort,
      from,
      toApplication: rest.length > 1 ? (rest[0] ?? '-').replaceAll('%20', ' ') : '-',
      direction: rest.at(-1) ?? 'in',
      comment: Buffer.from(comment, 'hex').toString('utf8'),
    };
  });
}

/** Whether a rule is among those kept. `unknown` where only ufw itself can tell, since it looks names up. */
export function findRule(
  given: UfwRuleArgs,
  rules: readonly UfwRule[],
): 'same' | 'changed' | 'none' | 'unknown' {
  if ([given.to_port, given.from_port].some((port) => port !== undefined && !/^[\d,:]+$/.test(port)))
    return 'unknown';
  const any = given.from_ip.includes(':') || given.to_ip.includes(':') ? '::/0' : '0.0.0.0/0';
  const wanted = {
    protocol: given.proto ?? 'any',
    toPort: ports(given.to_port),
    fromPort: ports(given.from_port),
    to: address(given.to_ip, any),
    from: address(given.from_ip, any),
    direction: directionOf(given),
  };
  const found = rules.find(
    (rule) =>
      rule.toApplication === (given.name ?? '-') &&
      (given.name !== undefined || (rule.protocol === wanted.protocol && rule.toPort === wanted.toPort)) &&
      rule.fromPort === wanted.fromPort &&
      canonicalIp(rule.to) === wanted.to &&
      canonicalIp(rule.from) === wanted.from &&
      rule.direction === wanted.direction &&
      rule.action.startsWith('route:') === given.route,
  );
  if (!found) return 'none';
  const action = `${given.route ? 'route:' : ''}${given.rule ?? ''}${given.log ? '_log' : ''}`;
  const isSame = found.action === action && (given.comment === undefined || found.comment === given.comment);
  if (isSame) return 'same';
  return given.delete ? 'none' : 'changed';
}

function ports(text: string | undefined): string {
  if (text === undefined) return 'any';
  return text
    .split(',')
    .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))
    .join(',');
}

function address(text: string, any: string): string {
  return canonicalIp(text.toLowerCase() === 'any' ? any : text);
}

function directionOf(given: UfwRuleArgs): string {
  const inside = given.interface_in === undefined ? undefined : `in_${given.interface_in}`;
  const outside = given.interface_out === undefined ? undefined : `out_${given.interface_out}`;
  if (inside !== undefined || outside !== undefined) {
    return [inside, outside].filter((part) => part !== undefined).join('!');
  }
  const word = given.direction === 'out' || given.direction === 'outgoing' ? 'out' : 'in';
  return given.interface === undefined ? word : `${word}_${given.interface}`;
}

/** The words of ufw's command line for a rule. */
export function ruleWords(given: UfwRuleArgs, rule: string): string[] {
  const direction = given.direction?.replace(/going$|coming$/, '');
  return [
    ...(given.route ? ['route'] : []),
    ...(given.delete ? ['delete'] : []),
    ...(given.insert === undefined || given.delete ? [] : ['insert', String(given.insert)]),
    rule,
    ...(direction === undefined ? [] : [direction]),
    ...(given.interface === undefined ? [] : ['on', given.interface]),
    ...(given.interface_in === undefined ? [] : ['in', 'on', given.interface_in]),
    ...(given.interface_out === undefined ? [] : ['out', 'on', given.interface_out]),
    ...(given.log ? ['log'] : []),
    'from',
    given.from_ip,
    ...(given.from_port === undefined ? [] : ['port', given.from_port]),
    'to',
    given.to_ip,
    ...(given.to_port === undefined ? [] : ['port', given.to_port]),
    ...(given.proto === undefined ? [] : ['proto', given.proto]),
    ...(given.name === undefined ? [] : ['app', given.name]),
    ...(given.comment === undefined || given.delete ? [] : ['comment', given.comment]),
  ];
}
