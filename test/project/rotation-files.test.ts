import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

import {
  exchange,
  exchangeBack,
  fade,
  forgetOthers,
  makeNext,
  passwordsIn,
  stageOf,
} from '../../src/project/rotation-files.ts';

function inDirectory(work: (file: string, directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'rotation-'));
  try {
    const file = join(directory, 'mysql_app_password');
    writeFileSync(file, 'first\n', { mode: 0o600 });
    work(file, directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const read = (file: string): string => readFileSync(file, 'utf8').trimEnd();

test('a password goes from settled to settled, and the one before is kept until it is forgotten', (t) => {
  inDirectory((file, directory) => {
    t.is(stageOf(file), 'settled');
    makeNext(file);
    t.is(stageOf(file), 'coming');
    const made = read(`${file}.new`);
    t.regex(made, /^[A-Za-z0-9]{32}$/);
    t.is(statSync(`${file}.new`).mode & 0o777, 0o600);
    t.deepEqual(passwordsIn(file), { present: 'first', second: made });
    exchange(file);
    t.is(stageOf(file), 'going');
    t.deepEqual(passwordsIn(file), { present: made, second: 'first' });
    t.is(statSync(file).mode & 0o777, 0o600);
    forgetOthers(file);
    t.is(stageOf(file), 'settled');
    t.deepEqual(passwordsIn(file), { present: made, second: undefined });
    t.deepEqual(readdirSync(directory), ['mysql_app_password']);
  });
});

test('a key that fades is kept with its time, whether it was replaced or taken back', (t) => {
  inDirectory((file) => {
    const until = new Date('2030-01-01T00:00:00.2Z');
    fade(file, until);
    t.throws(() => read(`${file}.before`), undefined, 'there is nothing beside it');
    makeNext(file);
    const made = read(`${file}.new`);
    exchange(file);
    fade(file, until);
    t.is(read(`${file}.before`), 'first 1893456001');
    t.is(statSync(`${file}.before`).mode & 0o777, 0o600);
    t.is(stageOf(file), 'going', 'until everybody knows the time');
    exchangeBack(file);
    fade(file, until);
    t.is(read(`${file}.before`), `${made} 1893456001`);
    forgetOthers(file);
    t.is(stageOf(file), 'settled');
    t.is(read(`${file}.before`), `${made} 1893456001`);
  });
});

test('a password that was made is not made again', (t) => {
  inDirectory((file) => {
    makeNext(file);
    const made = read(`${file}.new`);
    makeNext(file);
    t.is(read(`${file}.new`), made);
  });
});

test('an exchange that was cut off is completed, forward and back', (t) => {
  inDirectory((file) => {
    writeFileSync(`${file}.new`, 'second\n');
    writeFileSync(`${file}.old`, 'first\n');
    t.is(stageOf(file), 'coming');
    exchange(file);
    t.deepEqual([read(file), read(`${file}.old`), stageOf(file)], ['second', 'first', 'going']);
    writeFileSync(`${file}.new`, 'second\n');
    t.is(stageOf(file), 'going');
    exchangeBack(file);
    t.deepEqual([read(file), read(`${file}.new`), stageOf(file)], ['first', 'second', 'coming']);
  });
});

test('what is no rotation of this program is refused, and nothing is guessed', (t) => {
  inDirectory((file) => {
    writeFileSync(`${file}.new`, 'second\n');
    writeFileSync(`${file}.old`, 'third\n');
    t.throws(() => stageOf(file), { message: /third one in \.old/ });
    rmSync(file);
    t.throws(() => stageOf(file), { message: /there is no password in/ });
  });
});
