import { type Command, CommanderError } from 'commander';
import { inspect } from 'node:util';

import type { CommandContext } from '../commands/context.ts';
import { EXIT, UserError } from '../lib/errors.ts';
import { VERSION } from './package.ts';

/** Makes the command line for these arguments. */
export type ProgramFactory = (argv: readonly string[], context: CommandContext) => Promise<Command>;

/**
 * Runs a program from its arguments to its exit code. Commands set `process.exitCode` themselves when all went
 * well but the answer is not 0; what they throw is printed here, and nowhere else.
 */
export async function runProgram(
  create: ProgramFactory,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const interruption = new Interruption();
  surviveClosedPipes(interruption);
  process.on('uncaughtException', (error) => end(report(error)));
  process.on('unhandledRejection', (error) => end(report(error)));
  try {
    const program = await create(argv, interruption);
    forEachCommand(program, prepare);
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (interruption.happened && isAbort(error)) {
      process.stderr.write('Interrupted.\n');
      end(EXIT.interrupted);
    }
    // Something may still hold the event loop (a connection, a child): after an error nobody waits for it.
    end(report(error));
  } finally {
    interruption.settle();
  }
  if (interruption.happened) process.exitCode = EXIT.interrupted;
}

/** Writes an error for the reader and gives the exit code for it. */
export function report(error: unknown, stream: { write(text: string): unknown } = process.stderr): number {
  if (error instanceof CommanderError) return error.exitCode;
  if (error instanceof UserError) {
    stream.write(`error: ${error.message}\n`);
    return error.exitCode;
  }
  const details = error instanceof Error ? withCauses(error) : `thrown: ${inspect(error)}`;
  stream.write(
    `${details}\n\nThis is a bug in understudy ${VERSION} (Node.js ${process.versions.node}, ${process.platform}).` +
      ' Please report it with the lines above.\n',
  );
  return EXIT.usage;
}

function withCauses(error: Error): string {
  const lines = [error.stack ?? String(error)];
  for (let cause = error.cause; cause !== undefined;) {
    lines.push(`caused by: ${cause instanceof Error ? (cause.stack ?? String(cause)) : inspect(cause)}`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  if (error instanceof AggregateError) {
    for (const inner of error.errors) lines.push(inner instanceof Error ? withCauses(inner) : inspect(inner));
  }
  return lines.join('\n');
}

function prepare(command: Command): void {
  command.exitOverride();
  command.showHelpAfterError('(add --help for all options)');
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const child of command.commands) forEachCommand(child, visit);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function end(status: number): never {
  process.exit(status);
}

/** The signal of a command, and what Ctrl-C does to it. */
class Interruption implements CommandContext {
  #controller: AbortController | undefined;

  get happened(): boolean {
    return this.#controller?.signal.aborted === true;
  }

  /** Whether the command asked for the signal, and so stops in good order by itself. */
  get isHeeded(): boolean {
    return this.#controller !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      for (const name of SIGNALS) process.on(name, this.#onSignal);
    }
    return this.#controller.signal;
  }

  abort(): void {
    this.#controller?.abort();
  }

  settle(): void {
    for (const name of SIGNALS) process.off(name, this.#onSignal);
  }

  readonly #onSignal = (): void => {
    if (this.happened) end(EXIT.interrupted);
    process.stderr.write('\nStopping after the step that is running; press Ctrl-C again to end at once.\n');
    this.abort();
  };
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `provision … | head` is no error: nobody reads on, so a command that can stop does, and the others end. */
function surviveClosedPipes(interruption: Interruption): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (interruption.isHeeded) interruption.abort();
      else end(Number(process.exitCode ?? EXIT.ok));
    });
  }
}
