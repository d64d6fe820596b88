import { hostname } from 'node:os';
import type { Readable, Writable } from 'node:stream';

import { unreachable, UserError } from '../../lib/errors.ts';
import type { Coordination, Lease } from './coordination.ts';
import { type Question, questionSchema } from './question.ts';
import { refuseNewer, stamped } from './record-version.ts';
import { checked, entryFrom, memoryFrom } from './records.ts';
import { memoryText, problemsOf, readObjects, SILENCE_MS, type Reply } from './wire.ts';

/** What is served: the coordination of one cluster, and the name that this machine knows it by. */
export interface Served {
  readonly cluster: string;
  readonly coordination: Coordination;
}

/**
 * Serves this machine's coordination to one operator elsewhere, over the standard input and output of a command that
 * SSH started. This process holds the lock, and releases it when the operator's side is gone or silent. `open` gets the
 * cluster that the first question names; one operator asks for one cluster.
 */
export async function serveCoordination(
  open: (cluster: string | undefined) => Promise<Served>,
  input: Readable,
  output: Writable,
  silenceMs: number = SILENCE_MS,
): Promise<void> {
  const asked = `what an operator asks of ${hostname()}`;
  let lease: Lease | undefined;
  let acquiring: Promise<unknown> = Promise.resolve();

  let opening: Promise<Served> | undefined;
  let named: string | undefined;

  const carryOut = async (question: Question): Promise<unknown> => {
    if (opening === undefined) named = question.cluster;
    else if (question.cluster !== named)
      throw new UserError(`${asked}: it has begun with ${named ?? 'no cluster'}, and names another one`);
    opening ??= open(named);
    const { coordination, cluster } = await opening;
    switch (question.call) {
      case 'ping':
        return { cluster };
      case 'acquire':
        lease = await coordination.acquire(question.owner);
        return { epoch: lease.epoch };
      case 'confirm':
        return lease ? lease.confirm() : Promise.reject(new Error('the lock is not held'));
      case 'release':
        await lease?.release();
        lease = undefined;
        return undefined;
      case 'holder':
        return coordination.holder();
      case 'memory':
        return stamped(await coordination.memory());
      case 'swap': {
        const next = memoryFrom(question.next, `${asked}: the memory`);
        let swapped = false;
        await coordination.remember((memory) => {
          swapped = memoryText(stamped(memory)) === question.was;
          return swapped ? next : memory;
        });
        return swapped;
      }
      case 'write':
        return coordination.write(entryFrom(question.entry, `${asked}: the entry`));
      case 'history':
        return (await coordination.history(question.limit)).map(stamped);
      default:
        return unreachable(question);
    }
  };

  await new Promise<void>((resolve) => {
    let timer: NodeJS.Timeout | undefined;
    const heard = (): void => {
      clearTimeout(timer);
      timer = setTimeout(resolve, silenceMs);
    };
    const reply = (answer: Reply): void => void output.write(`${JSON.stringify(stamped(answer))}\n`);
    output.on('error', () => resolve());
    readObjects(
      input,
      (value) => {
        heard();
        const { id = 0 } = (value ?? {}) as Partial<Question>;
        const answer = (work: Promise<unknown>): void =>
          void work.then(
            (found) => reply({ id, value: found }),
            (error: unknown) => reply({ id, problems: problemsOf(error) }),
          );
        let question: Question;
        try {
          refuseNewer(value, asked);
          question = checked(questionSchema, value, asked);
        } catch (error) {
          answer(Promise.reject(error));
          return;
        }
        const work = carryOut(question);
        if (question.call === 'acquire') acquiring = work.catch(() => {});
        answer(work);
      },
      () => {
        clearTimeout(timer);
        resolve();
      },
    );
    heard();
  });
  await acquiring;
  await lease?.release();
  const served = await opening?.catch(() => undefined);
  await served?.coordination.close();
}
