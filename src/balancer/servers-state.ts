/** One server of a backend, as HAProxy counts it. */
export interface ServerState {
  readonly name: string;
  /** It gets sessions. */
  readonly usable: boolean;
  /** An operator has taken it out. */
  readonly maintenance: boolean;
}

/** Forced, inherited or resolved maintenance, and forced or inherited drain: bits of `srv_admin_state`. */
const OUT = 0x01 | 0x02 | 0x20 | 0x08 | 0x10;
const STARTING = 1;
const RUNNING = 2;

/** Reads the answer to `show servers state BACKEND`; undefined when it is something else. */
export function parseServersState(answer: string): readonly ServerState[] | undefined {
  const [version, header = '', ...rows] = answer.split('\n');
  if (version !== '1' || !header.startsWith('# ')) return undefined;
  const columns = header.slice(2).split(' ');
  const at = (name: string): number => columns.indexOf(name);
  const [name, operation, administration, weight] = [
    at('srv_name'),
    at('srv_op_state'),
    at('srv_admin_state'),
    at('srv_uweight'),
  ];
  const states: ServerState[] = [];
  for (const row of rows) {
    const cells = row.split(' ');
    const number = (index: number): number => Number(cells[index] ?? Number.NaN);
    const serverName = cells[name];
    if (
      !serverName ||
      [operation, administration, weight].some((index) => !Number.isInteger(number(index)))
    ) {
      return undefined;
    }
    const maintenance = (number(administration) & OUT) !== 0;
    const runs = number(operation) === STARTING || number(operation) === RUNNING;
    states.push({ name: serverName, usable: runs && !maintenance && number(weight) > 0, maintenance });
  }
  return states;
}
