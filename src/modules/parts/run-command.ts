import { query, type FactQuery, type FactReader } from '../../facts/fact.ts';
import { glob } from '../../facts/glob.ts';
import { command as commandLine } from '../../lib/shell.ts';
import type { Outcome, Plan, PlanContext, Result } from '../../steps/plan.ts';
import { NO_PROGRAM, type Step, type StepOutput } from '../../steps/step.ts';

/** What command, shell, script and raw have in common. */
export interface CommandWish {
  readonly run: Extract<Step, { kind: 'command' }>['run'];
  /** As it is reported. */
  readonly cmd: string | readonly string[];
  readonly chdir?: string | undefined;
  readonly creates?: string | undefined;
  readonly removes?: string | undefined;
  readonly stdin?: string | undefined;
  readonly stripEmptyEnds: boolean;
  /** Steps before and after, such as bringing a script and removing it. */
  readonly before?: readonly Step[];
  readonly after?: readonly Step[];
}

/** Whether `creates` and `removes` let a command run depends on these. */
export function conditionFacts(
  wish: Pick<CommandWish, 'creates' | 'removes' | 'chdir'>,
): FactQuery<readonly string[]>[] {
  return [wish.creates, wish.removes].flatMap((pattern) =>
    pattern === undefined ? [] : [query(glob, within(wish.chdir, pattern))],
  );
}

/** `creates` and `removes` are looked for from where the command would run. */
function within(chdir: string | undefined, path: string): string {
  return chdir === undefined || path.startsWith('/') ? path : `${chdir}/${path}`;
}

/** Runs a command unless its conditions say that there is nothing to do. */
export function planCommand(wish: CommandWish, facts: FactReader, context: PlanContext): Plan {
  const nothing = (path: string, state: string): Plan => {
    const text = `skipped, since ${path} ${state}`;
    return {
      kind: 'unchanged',
      result: {
        cmd: wish.cmd,
        msg: `Did not run command since '${path}' ${state}`,
        ...output(0, text, ''),
        start: null,
        end: null,
        delta: null,
      },
    };
  };
  const { creates, removes } = wish;
  if (creates !== undefined && facts.get(query(glob, within(wish.chdir, creates))).length > 0) {
    return nothing(creates, 'exists');
  }
  if (removes !== undefined && facts.get(query(glob, within(wish.chdir, removes))).length === 0) {
    return nothing(removes, 'does not exist');
  }
  // With a condition, check mode can tell that the command would run.
  if (context.checkMode && (creates !== undefined || removes !== undefined)) {
    const shown = typeof wish.cmd === 'string' ? wish.cmd : commandLine(wish.cmd);
    return {
      kind: 'change',
      diffs: [{ subject: 'command', before: '', after: `${shown}\n` }],
      steps: [],
      result: { cmd: wish.cmd, msg: 'Command would have run if not in check mode', ...output(0, '', '') },
    };
  }
  const { before = [], after = [] } = wish;
  return {
    kind: 'action',
    inCheckMode: 'skip',
    effect: 'anything',
    steps: [...before, { kind: 'command', run: wish.run, chdir: wish.chdir, stdin: wish.stdin }, ...after],
    finish: (outputs) => commandOutcome(outputs[before.length], wish),
  };
}

/** Ansible's return values of a command. */
export function commandOutcome(
  out: StepOutput | undefined,
  wish: Pick<CommandWish, 'cmd' | 'stripEmptyEnds'>,
): Outcome {
  if (out?.kind !== 'exit') {
    const message = out?.kind === 'no-answer' ? out.message : 'the command gave no result';
    return { status: 'failed', message, result: { cmd: wish.cmd, rc: -1 } };
  }
  const [program] = typeof wish.cmd === 'string' ? [] : wish.cmd;
  if (program !== undefined && out.status === 127 && out.stderr.toString('utf8').trimEnd() === NO_PROGRAM) {
    const message = `[Errno 2] No such file or directory: b'${program}'`;
    return {
      status: 'failed',
      message,
      result: { cmd: commandLine(wish.cmd as readonly string[]), ...output(2, '', ''), msg: message },
    };
  }
  const text = (bytes: Buffer): string =>
    wish.stripEmptyEnds ? bytes.toString('utf8').replace(/[\r\n]+$/, '') : bytes.toString('utf8');
  const result: Result = {
    cmd: wish.cmd,
    ...output(out.status, text(out.stdout), text(out.stderr)),
    start: pythonTime(out.startedAt),
    end: pythonTime(new Date(out.startedAt.getTime() + out.ms)),
    delta: pythonDelta(out.ms),
    msg: '',
  };
  if (out.timedOut) {
    return { status: 'failed', message: `the command did not end in time (${out.ms} ms)`, result };
  }
  if (out.status !== 0) {
    return {
      status: 'failed',
      message: 'non-zero return code',
      // A command that failed may have done something first.
      result: { ...result, changed: true, msg: 'non-zero return code' },
    };
  }
  return { status: 'ok', changed: true, result };
}

function output(rc: number, stdout: string, stderr: string): Result {
  return { rc, stdout, stderr, stdout_lines: lines(stdout), stderr_lines: lines(stderr) };
}

/** Python's `splitlines`. */
export function lines(text: string): string[] {
  if (text === '') return [];
  const parts = text.split(/\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]/);
  if (parts.at(-1) === '') parts.pop();
  return parts;
}

function pythonTime(date: Date): string {
  return `${date.toISOString().replace('T', ' ').replace('Z', '')}000`;
}

/** `0:00:00.012000`, as Python prints a timedelta. */
export function pythonDelta(ms: number): string {
  const whole = Math.floor(ms / 1000);
  const two = (value: number): string => String(value).padStart(2, '0');
  const days = Math.floor(whole / 86_400);
  const prefix = days === 0 ? '' : `${days} day${days === 1 ? '' : 's'}, `;
  const micros = String(Math.round((ms - whole * 1000) * 1000)).padStart(6, '0');
  return `${prefix}${Math.floor(whole / 3600) % 24}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}.${micros}`;
}
