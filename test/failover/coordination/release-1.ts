import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

// How the release before versions read its records and answered operators: kept as it was, so that whatever is written
// today is still read by it while a site is upgraded host by host.

type Fields = Readonly<Record<string, unknown>>;

export function memoryOfFormat1(text: string): Fields {
  const fields = check(JSON.parse(text), {
    epoch: 'number',
    primary: 'string?',
    lastSeen: 'string?',
    began: 'string?',
    downtimes: 'array',
    unacknowledged: 'object?',
    paused: 'object?',
    rules: 'object',
    unfinished: 'object?',
    below: 'object?',
  });
  for (const downtime of fields['downtimes'] as readonly unknown[])
    check(downtime, { instance: 'string', until: 'number', reason: 'string', by: 'string' });
  return fields;
}

export function entryOfFormat1(text: string): Fields {
  const fields = check(JSON.parse(text), {
    id: 'string',
    epoch: 'number',
    at: 'number',
    who: 'string',
    kind: 'string',
    reason: 'string',
    from: 'string?',
    to: 'string',
    steps: 'array',
    outcome: 'string',
    lostGtids: 'string',
    gtids: 'object',
    ms: 'number',
    message: 'string?',
  });
  for (const step of fields['steps'] as readonly unknown[])
    check(step, { name: 'string', status: 'string', ms: 'number' });
  return fields;
}

/** The keeper of that release, without its lock. */
export function serveAsFormat1(end: Duplex, directory: string): void {
  const memory = (): Fields => memoryOfFormat1(readFileSync(join(directory, 'memory.json'), 'utf8'));
  const answer = (question: Fields): unknown => {
    switch (question['call']) {
      case 'memory':
        return memory();
      case 'swap':
        if (sortedText(memory()) !== question['was']) return false;
        writeFileSync(join(directory, 'memory.json'), JSON.stringify(question['next']));
        return true;
      case 'write':
        appendFileSync(join(directory, 'journal.ndjson'), `${JSON.stringify(question['entry'])}\n`);
        return undefined;
      case 'history':
        return readFileSync(join(directory, 'journal.ndjson'), 'utf8')
          .trim()
          .split('\n')
          .map(entryOfFormat1)
          .reverse()
          .slice(0, question['limit'] as number);
      default:
        return undefined;
    }
  };
  let rest = '';
  end.setEncoding('utf8');
  end.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const question = JSON.parse(line) as Fields;
      end.write(`${JSON.stringify({ id: question['id'], value: answer(question) })}\n`);
    }
  });
}

function sortedText(memory: Fields): string {
  return JSON.stringify(memory, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
      : value,
  );
}

function check(value: unknown, shape: Readonly<Record<string, string>>): Fields {
  if (kindOf(value) !== 'object') throw new Error('an object was expected');
  const fields = value as Fields;
  for (const [name, wanted] of Object.entries(shape)) {
    const field = fields[name];
    if (wanted.endsWith('?') && (field === undefined || field === null)) continue;
    if (kindOf(field) !== wanted.replace('?', ''))
      throw new Error(`"${name}" should be of kind ${wanted.replace('?', '')}`);
  }
  return fields;
}

function kindOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'object' && value !== null) return 'object';
  return typeof value === 'string' || typeof value === 'number' ? typeof value : undefined;
}
