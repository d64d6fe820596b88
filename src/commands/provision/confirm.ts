import { createInterface } from 'node:readline/promises';

import { UserError } from '../../lib/errors.ts';

/** Asks a question that only "yes" answers; everything else, or that nobody can be asked, is an error. */
export async function confirm(question: string, signal?: AbortSignal): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new UserError({ message: 'without a terminal nobody can be asked', hint: 'add --yes' });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${question} [y/N] `, signal ? { signal } : {});
    if (!/^y(es)?$/i.test(answer.trim())) throw new UserError('nothing was done');
  } finally {
    terminal.close();
  }
}
