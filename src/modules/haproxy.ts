import type { Outcome, Plan } from '../steps/plan.ts';
import type { StepOutput } from '../steps/step.ts';
import { args, bool, choice, count, path, str } from './kit/arguments.ts';
import { defineModule } from './kit/define.ts';

/** Names go into commands of HAProxy, in which blanks and semicolons have a meaning. */
const name = str.refine((value) => /^[^\s;/]+$/.test(value), {
  error: 'expected a name without blanks, semicolons and slashes',
});

const haproxyArgs = args({
  host: name.describe('The server, as the backend names it.'),
  state: choice('disabled', 'drain', 'enabled').describe(
    '`drain`: nothing new but what is tied to it by a cookie; `disabled`: nothing new, and no checks; `enabled`: in service.',
  ),
  backend: name.optional().describe('The backend; all that have the server without it.'),
  socket: path
    .default('/var/run/haproxy.sock')
    .describe('The admin socket on the target; ours is /run/haproxy/admin.sock.'),
  drain: bool
    .default(false)
    .describe('With `disabled`: drain it first, and with `wait` until nothing is left of its sessions.'),
  wait: bool.default(false).describe('Wait until HAProxy reports the state.'),
  wait_interval: count.default(5).describe('Seconds between two looks.'),
  wait_retries: count.default(25).describe('It fails when the state is not there one look before that many.'),
  shutdown_sessions: bool.default(false).describe('With `disabled`: end the sessions that are open.'),
  fail_on_not_found: bool.default(false).describe('Fail when no backend has the server.'),
  agent: bool.default(false).describe("Switch the agent's checks, too."),
  health: bool.default(false).describe('Switch the health checks, too.'),
  weight: str
    .refine((value) => /^\d+%?$/.test(value), { error: 'expected a number or a percentage' })
    .optional()
    .describe('With `enabled`: the weight; with `%` in relation to the configured one.'),
});

type HaproxyArgs = (typeof haproxyArgs)['_output'];

/** Servers of a running HAProxy, through its socket. */
export const haproxy = defineModule({
  name: 'community.general.haproxy',
  summary: 'Drains, disables and enables servers of a running HAProxy.',
  example: `
- name: Nothing new goes to this server
  community.general.haproxy:
    host: "{{ inventory_hostname }}"
    backend: web
    socket: /run/haproxy/admin.sock
    state: drain
    wait: true
    wait_interval: 1
  delegate_to: "{{ item }}"
  loop: "{{ groups['balancers'] }}"
`,
  args: haproxyArgs,
  paths: ['socket'],
  facts: () => [],
  plan: (given): Plan => ({
    kind: 'action',
    steps: [{ kind: 'command', run: { argv: ['/bin/sh', '-c', SCRIPT, 'haproxy', ...wordsOf(given)] } }],
    finish: ([output]) => finish(given, output),
    inCheckMode: 'skip',
    effect: 'anything',
  }),
});

/** One change and what HAProxy is to report afterwards. */
interface Change {
  readonly commands: readonly string[];
  readonly status: 'UP' | 'MAINT' | 'DRAIN';
}

function changesOf(given: HaproxyArgs): readonly Change[] {
  const checks = (verb: string): readonly string[] => [
    ...(given.agent ? [`${verb} agent`] : []),
    ...(given.health ? [`${verb} health`] : []),
  ];
  const drain: Change = { commands: ['set server state drain'], status: 'DRAIN' };
  const disable: Change = {
    commands: [
      ...checks('disable'),
      'disable server',
      ...(given.shutdown_sessions ? ['shutdown sessions server'] : []),
    ],
    status: 'MAINT',
  };
  switch (given.state) {
    case 'enabled': {
      const weight = given.weight === undefined ? [] : [`set weight ${given.weight}`];
      return [{ commands: ['enable server', ...checks('enable'), ...weight], status: 'UP' }];
    }
    case 'drain':
      return [drain];
    case 'disabled':
      return given.drain ? [drain, disable] : [disable];
  }
}

/** The script's arguments: what is common to all changes, then for each its status and its commands. */
function wordsOf(given: HaproxyArgs): readonly string[] {
  const common = [
    given.socket,
    given.host,
    given.backend ?? '',
    given.wait ? String(given.wait_retries) : '',
    String(given.wait_interval),
    given.drain ? 'idle' : '',
    given.fail_on_not_found ? 'needed' : '',
  ];
  const changes = changesOf(given).map(({ commands, status }) =>
    [status, ...commands.map((command) => withServer(command))].join('\n'),
  );
  return [...common, ...changes];
}

/** Where in a command the server is named; the script puts `BACKEND/SERVER` there. */
function withServer(command: string): string {
  const [, verb, rest] = /^(set server|set weight)(?: (.*))?$/.exec(command) ?? [];
  return verb === undefined ? `${command} %` : `${verb} % ${rest ?? ''}`.trim();
}

const SCRIPT = `
socket=$1 host=$2 backend=$3 retries=$4 interval=$5 idle=$6 needed=$7
shift 7
fail() { printf '%s\\n' "$*" >&2; exit 1; }
ask() {
  if command -v socat > /dev/null; then printf '%s\\n' "$1" | socat -t 10 - "UNIX-CONNECT:$socket"
  elif command -v nc > /dev/null; then printf '%s\\n' "$1" | nc -U "$socket"
  else fail 'neither socat nor nc is on the target, one of which speaks to the socket'; fi
}
stat=$(ask 'show stat' 2>&1) || fail "$socket does not answer: $stat"
case $stat in '# pxname,'*) ;; *) fail "$socket: expected statistics; found: $stat" ;; esac
rows() {
  ask 'show stat' | awk -F , -v host="$host" -v backend="$1" '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    $2 == host && (backend == "" || $1 == backend) {
      printf "%s\\t%s\\t%s\\t%s\\n", $1, $column["status"], $column["weight"], $column["scur"] }'
}
# A server that is down is out already, and never reports that it drains.
await() {
  look=1
  while [ "$look" -lt "$retries" ]; do
    state=$(rows "$1")
    case $(printf '%s' "$state" | cut -f 2) in
      *"$2"*) [ -n "$idle" ] && [ "$(printf '%s' "$state" | cut -f 4)" != 0 ] || return 0 ;;
      DOWN*) [ "$2" != DRAIN ] || return 0 ;;
    esac
    sleep "$interval"
    look=$((look + 1))
  done
  fail "server $1/$host not status '$2' after $retries retries. Aborting."
}
before=$(rows "$backend")
[ -n "$before" ] || [ -z "$needed" ] || fail "The specified backend '\${backend:-any}/$host' was not found!"
printf '%s' "$before" | awk -F '\\t' '{ print "before\\t" $0 }'
for change in "$@"; do
  status=$(printf '%s\\n' "$change" | head -n 1)
  printf '%s\\n' "$before" | cut -f 1 | while read -r name; do
    [ -n "$name" ] || continue
    printf '%s\\n' "$change" | tail -n +2 | while read -r command; do
      command="\${command%%%*}$name/$host\${command#*%}"
      said=$(ask "$command" | sed '/^$/d')
      printf 'command\\t%s\\n' "$command"
      [ -z "$said" ] || fail "$command: $said"
    done || exit 1
    [ -z "$retries" ] || await "$name" "$status" || exit 1
  done || exit 1
done
rows "$backend" | awk '{ print "after\\t" $0 }'
`;

interface ServerStatus {
  readonly [key: string]: string;
  readonly status: string;
  readonly weight: string;
  readonly scur: string;
}

function finish(given: HaproxyArgs, output: StepOutput | undefined): Outcome {
  if (output?.kind !== 'exit') throw new Error('a command ends');
  const lines = output.stdout
    .toString('utf8')
    .split('\n')
    .map((line) => line.split('\t'));
  const states = (when: string): ServerStatus[] =>
    lines
      .filter(([first]) => first === when)
      .map(([, , status = '', weight = '', scur = '']) => ({ status, weight, scur }));
  const [before, after] = [states('before'), states('after')];
  const result = {
    state_before: before.length === 0 ? null : before,
    state_after: after.length === 0 ? null : after,
    command: lines.flatMap(([first, command]) => (first === 'command' ? [command ?? ''] : [])),
  };
  if (output.status !== 0) {
    const said = output.stderr.toString('utf8').trim();
    return { status: 'failed', message: said === '' ? `sh ended with ${output.status}` : said, result };
  }
  // How many sessions there are is no state of the server, and changes all the time.
  const told = (all: readonly ServerStatus[]): string =>
    all.map(({ status, weight }) => `${status} ${weight}`).join('\n');
  return { status: 'ok', changed: told(before) !== told(after), result };
}
