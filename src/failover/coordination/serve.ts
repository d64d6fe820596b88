import type { Readable, Writable } from 'node:stream';

import { unreachable } from '../../lib/errors.ts';
import type { Coordination, Lease } from './coordination.ts';
import { memoryText, problemsOf, readObjects, SILENCE_MS, type Question, type Reply } from './wire.ts';

/**
 * Lets one operator elsewhere use this machine's coordination, over the standard input and output of a command that
 * was started through SSH. The lock belongs to this process: it is given back when the other side is gone or silent.
 */
export async function serveCoordination(
  coordination: Coordination,
  input: Readable,
  output: Writable,
  silenceMs: number = SILENCE_MS,
): Promise<void> {
  let lease: Lease | undefined;
  let acquiring: Promise<unknown> = Promise.resolve();

  const carryOut = async (question: Question): Promise<unknown> => {
    switch (question.call) {
      case 'ping':
        return undefined;
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
        return coordination.memory();
      case 'swap': {
        let swapped = false;
        await coordination.remember((memory) => {
          swapped = memoryText(memory) === question.was;
          return swapped ? question.next : memory;
        });
        return swapped;
      }
      case 'write':
        return coordination.write(question.entry);
      case 'history':
        return coordination.history(question.limit);
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
    const reply = (answer: Reply): void => void output.write(`${JSON.stringify(answer)}\n`);
    output.on('error', () => resolve());
    readObjects(
      input,
      (value) => {
        heard();
        const question = value as Question;
        const work = carryOut(question);
        if (question.call === 'acquire') acquiring = work.catch(() => {});
        work.then(
          (answer) => reply({ id: question.id, value: answer }),
          (error: unknown) => reply({ id: question.id, problems: problemsOf(error) }),
        );
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
  await coordination.close();
}
