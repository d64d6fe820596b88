import type { Duplex } from 'node:stream';
import { EXIT, UserError } from '../lib/errors.ts';
import type { Balancer } from './balancer.ts';
import { runtimeApi } from './runtime-api.ts';
import { parseServersState, type ServerState } from './servers-state.ts';

export interface HaproxyOptions {
  /** As the inventory names the balancer. */
  readonly name: string;
  /**
   * Opens a connection to the runtime API: for an operator through SSH (`connection.forward('127.0.0.1', 9999)`), on
   * the balancer itself by TCP or by its socket.
   */
  readonly open: () => Promise<Duplex>;
  /** How long one request may take; 2 s without. */
  readonly timeoutMs?: number | undefined;
  /** The backend whose one server that is up is the primary; the role haproxy makes one for each cluster. */
  readonly backend?: string | undefined;
}

/** That of a cluster without a listener of its own: the only one, in most cases. */
const BACKEND = 'mysql_primary';
const TIMEOUT_MS = 2000;

/** What a command must answer. */
interface Command {
  readonly text: string;
  readonly answer: 'nothing' | 'hold' | 'states';
}

/** An HAProxy with the configuration of our role. Each method is one request, and may be repeated. */
export function haproxyBalancer({
  name,
  open,
  timeoutMs = TIMEOUT_MS,
  backend = BACKEND,
}: HaproxyOptions): Required<Balancer> {
  const { show, alive, release, hold, out, ready } = commandsOf(backend);
  const api = runtimeApi({ name, open, timeoutMs });
  let servers: readonly string[] | undefined;

  /** Carries the commands out and says how the servers are afterwards. */
  const act = async (commands: readonly Command[]): Promise<readonly ServerState[]> => {
    const all = [...commands, alive, show];
    const answers = await api.ask(
      all.map((command) => command.text),
      (index, answer) => isExpected(all[index] ?? show, answer),
    );
    const states = parseServersState(answers.at(-1) ?? '') ?? [];
    servers = states.map((state) => state.name);
    return states;
  };

  const known = async (server: string): Promise<readonly string[]> => {
    servers ??= (await act([])).map((state) => state.name);
    if (servers.includes(server)) return servers;
    throw new UserError(
      {
        message: `${name}: HAProxy has no server '${server}' in backend ${backend}`,
        hint: `it has ${servers.join(', ')}; provision the balancers again when the inventory has changed`,
      },
      { exitCode: EXIT.failed },
    );
  };

  return {
    name,
    kind: 'haproxy',
    checks: true,
    staleSeconds: 0,
    async writers() {
      return usable(await act([]));
    },
    async expect(server) {
      await known(server);
    },
    async hold(ms) {
      await act([hold(ms)]);
    },
    async release() {
      await act([release]);
    },
    async endWriters(server) {
      await known(server);
      await act(out(server));
    },
    async pointWriters(server) {
      const others = (await known(server)).filter((each) => each !== server);
      const states = await act([...others.flatMap(out), ...ready(server), release]);
      const writers = usable(states);
      if (writers.length === 1 && writers[0] === server) return;
      throw new UserError(
        `${name}: HAProxy counts ${writers.length === 0 ? 'no server' : writers.join(' and ')} as the writer instead of ${server}`,
        { exitCode: EXIT.failed },
      );
    },
    // oxlint-disable-next-line require-await -- the interface is asynchronous
    async close() {
      api.close();
    },
  };
}

/** The commands for one backend. */
interface Commands {
  readonly show: Command;
  /** A process that ends after a reload answers this with an error: what is told to it counts for nothing. */
  readonly alive: Command;
  readonly release: Command;
  readonly hold: (ms: number) => Command;
  /** A server that is down already keeps what sessions it has, so they are ended in any case. */
  readonly out: (server: string) => readonly Command[];
  readonly ready: (server: string) => readonly Command[];
}

function commandsOf(backend: string): Commands {
  // A balancer of an older release knows one backend, and no names of them.
  const named = backend === BACKEND ? '' : ` ${backend}`;
  return {
    show: { text: `show servers state ${backend}`, answer: 'states' },
    alive: { text: `writers show${named}`, answer: 'hold' },
    release: { text: `writers release${named}`, answer: 'hold' },
    hold: (ms) => ({ text: `writers hold ${Math.ceil(ms)}${named}`, answer: 'hold' }),
    out: (server) => [
      { text: `set server ${backend}/${server} health down`, answer: 'nothing' },
      { text: `shutdown sessions server ${backend}/${server}`, answer: 'nothing' },
    ],
    ready: (server) => [
      { text: `set server ${backend}/${server} state ready`, answer: 'nothing' },
      { text: `set server ${backend}/${server} health up`, answer: 'nothing' },
    ],
  };
}

function usable(states: readonly ServerState[]): readonly string[] {
  return states.filter((state) => state.usable).map((state) => state.name);
}

function isExpected({ answer }: Command, said: string): boolean {
  switch (answer) {
    case 'nothing':
      return said === '';
    case 'hold':
      return /^held \d+ until \d+$/.test(said);
    case 'states':
      return parseServersState(said) !== undefined;
  }
}
