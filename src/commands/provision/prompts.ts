import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';

import { UserError } from '../../lib/errors.ts';
import type { Dict, Value } from '../../lib/value.ts';
import type { Playbook, Prompt } from '../../playbook/ast.ts';
import { str } from '../../template/python/text.ts';

/** Asks somebody at a terminal; what is typed to a hidden question is not shown. */
export type Ask = (question: string, isHidden: boolean) => Promise<string>;

/** Somebody at this program's terminal, or nobody. */
export function terminalAsk(): Ask | undefined {
  if (!process.stdin.isTTY) return undefined;
  return async (question, isHidden) => {
    const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
    // From here on the terminal itself echoes nothing, and only then is it asked.
    const terminal = createInterface({
      input: process.stdin,
      output: isHidden ? silence : process.stderr,
      terminal: true,
    });
    try {
      if (!isHidden) return await terminal.question(question);
      process.stderr.write(question);
      return await terminal.question('');
    } finally {
      terminal.close();
      if (isHidden) process.stderr.write('\n');
    }
  };
}

/** A playbook whose plays have what they asked for as variables, and which of the answers nobody may see. */
export interface Answered {
  readonly playbook: Playbook;
  readonly secrets: readonly string[];
}

/**
 * Asks for the variables that plays want from the user and that the command line does not give, each once. Where nobody
 * can be asked, the default stands; without one that is an error.
 */
export async function answerPrompts(
  playbook: Playbook,
  given: Dict,
  ask: Ask | undefined,
): Promise<Answered> {
  const answers = new Map<string, Value>();
  const secrets: string[] = [];
  for (const prompt of playbook.plays.flatMap((play) => play.prompts)) {
    if (given.has(prompt.name) || answers.has(prompt.name)) continue;
    const answer = await answerOf(prompt, ask);
    if (prompt.isPrivate && typeof answer === 'string' && answer !== '') secrets.push(answer);
    answers.set(prompt.name, prompt.isUnsafe ? asWritten(answer) : answer);
  }
  if (answers.size === 0) return { playbook, secrets };
  const plays = playbook.plays.map((play) => {
    const own = play.prompts.flatMap(({ name }): [Value, Value][] => {
      const answer = answers.get(name);
      return answer === undefined ? [] : [[name, answer]];
    });
    return { ...play, vars: { ...play.vars, values: new Map([...play.vars.values, ...own]) } };
  });
  return { playbook: { ...playbook, plays }, secrets };
}

async function answerOf(prompt: Prompt, ask: Ask | undefined): Promise<Value> {
  if (!ask) {
    if (prompt.default !== undefined) return prompt.default;
    throw new UserError({
      message: `the play asks for "${prompt.name}", and without a terminal nobody can be asked`,
      location: prompt.at,
      hint: `give it with -e ${prompt.name}=…`,
    });
  }
  const shown = prompt.default === undefined ? '' : ` [${str(prompt.default)}]`;
  for (;;) {
    const answer = await ask(`${prompt.question}${shown}: `, prompt.isPrivate);
    if (!prompt.isConfirmed || answer === (await ask(`confirm ${prompt.question}: `, prompt.isPrivate))) {
      return answer === '' ? (prompt.default ?? '') : answer;
    }
    process.stderr.write('the two are not the same; once more\n');
  }
}

/** Text that is no template, whatever stands in it. */
function asWritten(value: Value): Value {
  return typeof value === 'string' && /\{[{%#]/.test(value)
    ? `{{ ${JSON.stringify(value).replaceAll('{', '\\x7b')} }}`
    : value;
}
