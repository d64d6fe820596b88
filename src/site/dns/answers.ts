import { command } from '../../lib/shell.ts';

// What name servers say of the site's names, asked by dig on a balancer: each server itself, so that no cache is between.

export interface Answer {
  readonly name: string;
  /** By its address, or by its name. */
  readonly server: string;
  /** As DNS has it: NOERROR, NXDOMAIN, REFUSED …; undefined when the server did not answer. */
  readonly status: string | undefined;
  readonly addresses: readonly { readonly address: string; readonly ttl: number }[];
  /** The CAA records of the name, or of the nearest name above it that has any. */
  readonly caa: readonly { readonly tag: string; readonly value: string }[];
}

/** A name server to ask. */
export interface Asked {
  readonly server: string;
  readonly port: number;
}

const SECONDS = 5;
const OPTIONS = ['+norecurse', '+tcp', `+time=${SECONDS}`, '+tries=1', '+noall', '+comments', '+answer'];

/** A script that prints the name servers that are responsible for a name, one a line, by their names. */
export function serversScript(name: string): string {
  const host = bare(name);
  return `zone=$(dig +noall +answer +authority SOA ${host}. | awk '$4 == "SOA" { print $1; exit }')
[ -z "$zone" ] || dig +short NS "$zone"
`;
}

/** The servers in what that script prints. */
export function parseServers(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim().replace(/\.$/, ''))
    .filter((line) => /^[\w.-]+$/.test(line));
}

/** A script that asks every server for every name. */
export function askScript(names: readonly string[], servers: readonly Asked[]): string {
  return servers
    .flatMap(({ server, port }) =>
      names.flatMap((name) => {
        const questions = [
          [`${name}.`, 'A'],
          [`${name}.`, 'AAAA'],
          ...upwards(name).map((above) => [`${above}.`, 'CAA']),
        ];
        const argv = ['dig', ...OPTIONS, `@${server}`, '-p', String(port), ...questions.flat()];
        return [`echo ${command(['==', server, name])}`, `${command(argv)} 2> /dev/null || echo silent`];
      }),
    )
    .join('\n');
}

/** Reads what that script prints. */
export function parseAnswers(text: string): readonly Answer[] {
  return text
    .split(/^== /m)
    .slice(1)
    .map((part) => {
      const [head = '', ...lines] = part.split('\n');
      const [server = '', name = ''] = head.split(' ');
      return answerOf(server, name, lines);
    });
}

function answerOf(server: string, name: string, lines: readonly string[]): Answer {
  const [status] = lines.flatMap((line) => /->>HEADER<<-.* status: (\w+)/.exec(line)?.[1] ?? []);
  const isSilent = status === undefined || lines.includes('silent');
  const rows = lines.flatMap((line) => {
    const match = /^(\S+)\s+(\d+)\s+IN\s+(A|AAAA|CAA)\s+(.+)$/.exec(line);
    return match === null
      ? []
      : [{ owner: owner(match[1]), ttl: Number(match[2]), type: match[3], data: match[4] ?? '' }];
  });
  const nearest = upwards(name).find((above) =>
    rows.some((row) => row.type === 'CAA' && row.owner === above),
  );
  return {
    name,
    server,
    status: isSilent ? undefined : status,
    addresses: rows
      .filter(({ type }) => type !== 'CAA')
      .map(({ data, ttl }) => ({ address: data.trim(), ttl })),
    caa: rows
      .filter((row) => row.type === 'CAA' && row.owner === nearest)
      .flatMap(({ data }) => {
        const match = /^\d+ (\w+) "(.*)"$/.exec(data.trim());
        return match === null ? [] : [{ tag: (match[1] ?? '').toLowerCase(), value: match[2] ?? '' }];
      }),
  };
}

/** The name without a star, and the names above it but for the last label: where CAA records may be. */
function upwards(name: string): readonly string[] {
  const labels = bare(name).split('.');
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'));
}

function bare(name: string): string {
  return name.replace(/^\*\./, '');
}

function owner(text = ''): string {
  return text.replace(/\.$/, '').toLowerCase();
}
