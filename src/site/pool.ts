import { parseServersState } from '../balancer/servers-state.ts';
import { EXIT, UserError } from '../lib/errors.ts';
import { type Drained, parseDrained } from './drained.ts';

/** Where a server takes part: in answering requests, or in answering reading sessions of the database. */
export type Part = 'requests' | 'reads';

/** One server in one backend of one balancer. */
export interface PoolServer {
  readonly name: string;
  readonly part: Part;
  /** Somebody has taken it out: it gets nothing new. */
  readonly isOut: boolean;
  /** The balancer's own check says that it works, whether it is out or not. */
  readonly passes: boolean;
  /** What the last check said, as HAProxy names it: `L7OK`, `L4CON`, `L7STS 503`. */
  readonly check: string;
  /** Requests or sessions that it works on, waiting ones included. */
  readonly current: number;
}

/** What one balancer says: its servers, and who was taken out by whom. */
export interface Pool {
  readonly balancer: string;
  readonly servers: readonly PoolServer[];
  /** By the server's name. */
  readonly drained: ReadonlyMap<string, Drained>;
}

/**
 * The backends of the role haproxy that servers are drained from: `web`, and those of each cluster's listener for reads;
 * `mysql_readable` and the like are for reads without a replica.
 */
export function partOf(backend: string): Part | undefined {
  if (backend === 'web') return 'requests';
  return /_(replicas|readable)$/.test(backend) ? 'reads' : undefined;
}

/** Reads what `haproxy-drain list` prints; see playbooks/roles/haproxy/templates/haproxy-drain.j2. */
export function parsePool(balancer: string, text: string): Pool {
  const lines = text.split('\n');
  const drained = new Map<string, Drained>();
  for (const line of lines) {
    const match = /^out (\S+) ?(.*)$/.exec(line);
    if (match?.[1] !== undefined) drained.set(match[1], parseDrained(match[2] ?? ''));
  }
  const { counts, old } = countsOf(lines);
  const servers: PoolServer[] = [];
  for (const { backend, answer } of statesOf(lines)) {
    const part = partOf(backend);
    const states = parseServersState(answer);
    if (part === undefined || states === undefined) throw unreadable(balancer, answer);
    for (const { name, maintenance } of states) {
      const count = counts.get(`${backend} ${name}`);
      if (count === undefined) throw unreadable(balancer, `no statistics of ${backend}/${name}`);
      servers.push({
        name,
        part,
        isOut: maintenance,
        ...count,
        current: count.current + (old.get(`${backend} ${name}`) ?? 0),
      });
    }
  }
  if (!servers.some(({ part }) => part === 'requests'))
    throw unreadable(balancer, lines.slice(0, 3).join(' '));
  return { balancer, servers, drained };
}

/** The answers to `show servers state BACKEND`, one after the other. */
function statesOf(
  lines: readonly string[],
): readonly { readonly backend: string; readonly answer: string }[] {
  const answers: { backend: string; answer: string }[] = [];
  for (const [index, line] of lines.entries()) {
    if (line !== '1' || !lines[index + 1]?.startsWith('# be_id ')) continue;
    const end = lines.indexOf('', index);
    const answer = lines.slice(index, end < 0 ? lines.length : end);
    // A backend without servers has no row that names it, and nothing to say.
    const backend = answer[2]?.split(' ')[1];
    if (backend !== undefined) answers.push({ backend, answer: answer.join('\n') });
  }
  return answers;
}

type Count = Pick<PoolServer, 'passes' | 'check' | 'current'>;

interface Counts {
  /** Of the process that serves, by `BACKEND SERVER`. */
  readonly counts: ReadonlyMap<string, Count>;
  /** What processes that a reload has replaced still work on, by `BACKEND SERVER`. */
  readonly old: ReadonlyMap<string, number>;
}

/** Reads `show stat`: of the process that serves, and behind `old,` of those that only finish what they have. */
function countsOf(lines: readonly string[]): Counts {
  const start = lines.findIndex((line) => line.startsWith('# pxname,'));
  const columns = (lines[start] ?? '').slice(2).split(',');
  const counts = new Map<string, Count>();
  const old = new Map<string, number>();
  for (const line of start < 0 ? [] : lines.slice(start + 1)) {
    const isOld = line.startsWith('old,');
    // Texts of checks come after what is read here, so quotes in them do no harm.
    const cells = (isOld ? line.slice('old,'.length) : line).split(',');
    if (cells.length < 2) continue;
    const cell = (name: string): string => cells[columns.indexOf(name)] ?? '';
    const key = `${cell('pxname')} ${cell('svname')}`;
    const current = Number(cell('scur')) + Number(cell('qcur'));
    if (isOld) {
      old.set(key, (old.get(key) ?? 0) + current);
      continue;
    }
    // A star: the next check is under way; the answer is the one before.
    const check = cell('check_status').replace(/^\* /, '');
    const code = /^L7(?!OK)/.test(check) ? ` ${cell('check_code')}` : '';
    counts.set(key, {
      passes: /^L\dOKC?$/.test(check) && !cell('status').startsWith('DOWN'),
      check: `${check}${code}`,
      current,
    });
  }
  return { counts, old };
}

function unreadable(balancer: string, found: string): UserError {
  return new UserError(
    {
      message: `${balancer}: expected what HAProxy says of its servers; found '${found.slice(0, 200)}'`,
      hint: '`provision up` brings the balancers up to date',
    },
    { exitCode: EXIT.failed },
  );
}
