/** A folder of `src`, what lives there, and which other folders its files may import from. */
export interface Room {
  /** Folders below `src`; each holds files of its own. */
  readonly folders: readonly string[];
  readonly what: string;
  /** Folders below `src`, or the name of a folder whose sub-folders are meant as well. */
  readonly imports: readonly string[];
}

const EVERYTHING_BUT_BIN = [
  'balancer',
  'commands',
  'config',
  'database',
  'facts',
  'failover',
  'inventory',
  'lab',
  'lib',
  'modules',
  'monitoring',
  'page',
  'playbook',
  'project',
  'release',
  'report',
  'run',
  'session-store',
  'site',
  'steps',
  'template',
  'transport',
  'upgrade',
  'validate',
  'variables',
];

/**
 * Who may import what: from here come the rules of the linter (`oxlint.config.ts`) and the table in ARCHITECTURE.md.
 * The order is the reader's: from the command line down to what everybody uses.
 */
export const ROOMS: readonly Room[] = [
  { folders: ['bin'], what: 'the two programs: arguments, exit code', imports: ['commands', 'lib'] },
  {
    folders: ['commands', 'commands/provision', 'commands/failover'],
    what: 'one file per verb: ask, show, exit code; the rules live below',
    imports: EVERYTHING_BUT_BIN,
  },
  {
    folders: ['page'],
    what: 'the live page: what it looks at, and the server that shows it',
    imports: ['page/model', 'failover', 'site', 'balancer', 'lib'],
  },
  {
    folders: ['page/model'],
    what: 'what is sent to browsers, and what is shown of it. Pure',
    imports: ['failover/output', 'lib'],
  },
  {
    folders: ['page/client'],
    what: 'what runs in the browser',
    imports: ['page/model'],
  },
  {
    folders: ['report', 'report/roll'],
    what: 'live view, plain lines, recap, diffs, NDJSON; in `roll/`: those of a roll, and its page',
    imports: ['run', 'steps', 'site', 'lib'],
  },
  {
    folders: ['run', 'run/host'],
    what: 'schedule plays and tasks; in `host/`: gather facts, apply steps. Emits events',
    imports: [
      'validate',
      'modules',
      'facts',
      'steps',
      'variables',
      'inventory',
      'playbook',
      'template',
      'transport',
      'config',
      'lib',
    ],
  },
  {
    folders: ['project'],
    what: 'a project of the user: what is laid out by `provision init`',
    imports: ['variables', 'inventory', 'lib'],
  },
  {
    folders: ['release'],
    what: "the app's releases: made of a folder or a git ref, kept, and which one the servers serve",
    imports: ['lib'],
  },
  {
    folders: ['validate'],
    what: 'what can be known before a run',
    imports: ['modules', 'variables', 'playbook', 'template', 'lib'],
  },
  {
    folders: ['modules'],
    what: 'only files named as in YAML, and the registry: arguments, facts, plan. No I/O',
    imports: ['modules/kit', 'modules/parts', 'steps', 'facts', 'lib'],
  },
  {
    folders: ['modules/parts'],
    what: 'what several modules share',
    imports: ['modules/kit', 'steps', 'facts', 'lib'],
  },
  {
    folders: ['modules/kit'],
    what: 'what a module is made of: its definition, its arguments, its outputs',
    imports: ['steps', 'facts', 'lib'],
  },
  { folders: ['steps'], what: 'what a module may answer: plan and step, as data', imports: ['facts', 'lib'] },
  { folders: ['facts'], what: 'one file per kind: script and parser', imports: ['lib'] },
  {
    folders: ['variables'],
    what: 'scopes and their precedence, what a host’s variables are, how it is reached',
    imports: ['inventory', 'playbook', 'template', 'transport', 'lib'],
  },
  { folders: ['inventory', 'playbook'], what: 'load and select', imports: ['lib'] },
  {
    folders: ['template', 'template/filters', 'template/python', 'template/tests'],
    what: 'Jinja2 with the semantics of Python',
    imports: ['lib'],
  },
  {
    folders: ['failover/drill'],
    what: 'faults on real hosts, and what must hold after them',
    imports: ['failover/reach', 'failover/cluster', 'transport', 'lib'],
  },
  {
    folders: ['failover/output'],
    what: 'the shapes of `--json`',
    imports: ['failover', 'session-store', 'balancer', 'database', 'lib'],
  },
  {
    folders: ['failover/watch'],
    what: 'the daemon: judge, be patient, recover, tell',
    imports: [
      'failover/execute',
      'failover/reach',
      'failover/coordination',
      'failover/plan',
      'failover/problems',
      'failover/cluster',
      'balancer',
      'site/dns',
      'site/logs',
      'database',
      'lib',
    ],
  },
  {
    folders: ['failover/execute'],
    what: 'carry a plan out under the lease: step by step, journal, undo',
    imports: [
      'failover/reach',
      'failover/coordination',
      'failover/plan',
      'failover/cluster',
      'balancer',
      'database',
      'lib',
    ],
  },
  {
    folders: ['failover/reach'],
    what: 'what a plan acts on, as narrow interfaces and for real: instances, balancers, machines, hooks',
    imports: [
      'failover/coordination',
      'failover/plan',
      'failover/cluster',
      'balancer',
      'database',
      'transport',
      'lib',
    ],
  },
  {
    folders: ['failover/coordination'],
    what: 'lease, epoch, memory and journal: in files, or in etcd for several daemons',
    imports: ['failover/cluster', 'lib'],
  },
  {
    folders: ['failover/problems'],
    what: 'what is wrong and its remedy: one table. Pure',
    imports: ['failover/plan', 'failover/cluster', 'database', 'lib'],
  },
  {
    folders: ['failover/plan'],
    what: 'who could be next, and the steps of every change, as data with their undo. Pure',
    imports: ['failover/cluster', 'database', 'lib'],
  },
  {
    folders: ['failover/cluster'],
    what: 'what every instance says, seen as one cluster. Pure',
    imports: ['balancer', 'database', 'lib'],
  },
  {
    folders: ['database', 'database/mysql', 'database/mariadb'],
    what: 'GTID algebra, versions, one handle for each instance whatever its flavour',
    imports: ['lib'],
  },
  {
    folders: ['upgrade'],
    what: 'what an upgrade of packages would do on each host, and whether it may be done',
    imports: ['modules/parts', 'facts', 'database', 'transport', 'lib'],
  },
  {
    folders: ['site', 'site/roll', 'site/dns', 'site/logs'],
    what: 'taking servers out of what the balancers serve, and putting them back; handing addresses over; limits; in `roll/`: all of them in turn; in `dns/`: its names; in `logs/`: what its hosts have logged, in order',
    imports: ['balancer', 'transport', 'lib'],
  },
  {
    folders: ['monitoring'],
    what: 'what is judged by the figures of a site, and its remedy: one table. Pure',
    imports: ['lib'],
  },
  {
    folders: ['session-store'],
    what: 'what the servers of the store of sessions say, and what is wrong with it. Pure',
    imports: ['lib'],
  },
  {
    folders: ['balancer'],
    what: 'how writers find the primary: HAProxy, ProxySQL, an address, DNS',
    imports: ['transport', 'lib'],
  },
  { folders: ['transport'], what: 'SSH, jump hosts, host keys, the remote shell, tunnels', imports: ['lib'] },
  { folders: ['lab'], what: 'the test hosts', imports: ['lib'] },
  { folders: ['config'], what: 'settings and their defaults, one schema', imports: ['lib'] },
  { folders: ['lib'], what: 'errors, values, secrets, quoting, processes, waiting', imports: [] },
];

/** Every folder of `src` that holds files, in the order of the table. */
export const FOLDERS: readonly string[] = ROOMS.flatMap((room) => room.folders);

/** May a file of `from` import one of `to`? */
export function mayImport(from: string, to: string): boolean {
  const room = ROOMS.find(({ folders }) => folders.includes(from));
  if (room === undefined) return false;
  return [...room.folders, ...room.imports].some((name) =>
    room.folders.includes(name) ? to === name : to === name || to.startsWith(`${name}/`),
  );
}
