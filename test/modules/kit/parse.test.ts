import test from 'ava';

import { Float, fromPlain, type Dict, type Value } from '../../../src/lib/value.ts';
import { allModules, findModule } from '../../../src/modules/find-module.ts';
import { argumentValues, parseArguments } from '../../../src/modules/kit/parse.ts';

await allModules();

function parsed(module: string, args: Record<string, unknown> | Dict): unknown {
  const found = findModule(module);
  if (!found) throw new Error(`no module ${module}`);
  const dict = args instanceof Map ? (args as Dict) : (fromPlain(args) as Dict);
  return parseArguments(found, argumentValues(dict));
}

test('numbers become the text that Python has for them', (t) => {
  const content = (value: Value): unknown =>
    (
      parsed(
        'copy',
        new Map<Value, Value>([
          ['dest', '/f'],
          ['content', value],
        ]),
      ) as { args: { content: unknown } }
    ).args.content;
  t.is(content(new Float(1)), '1.0');
  t.is(content(new Float(1e-7)), '1e-07');
  t.is(content(123456789012345678901234567890n), '123456789012345678901234567890');
  t.is(content(true), 'True');
  t.is(content(fromPlain({ a: 1, b: [new Float(2), null, 'é'] })), '{"a": 1, "b": [2.0, null, "\\u00e9"]}');
  t.is(
    content(
      new Map<Value, Value>([
        ['10', 1],
        ['9', 2],
      ]),
    ),
    '{"10": 1, "9": 2}',
  );
});

test('empty text is not given where it could mean nothing else', (t) => {
  t.like(parsed('shell', { cmd: 'x', chdir: '', creates: '', removes: '', executable: '' }), {
    args: { chdir: undefined, creates: undefined, removes: undefined, executable: undefined },
  });
  t.like(parsed('lineinfile', { path: '/f', line: '', validate: '' }), {
    args: { line: '', validate: undefined },
  });
  t.deepEqual(parsed('copy', { content: 'x', dest: '', mode: '', force: '' }), {
    problems: [
      'dest: expected a path; found an empty one',
      "force: expected yes or no; found ''",
      "mode: expected a mode such as '0644' or 'u=rw,g=r', or preserve; found ''",
    ],
  });
});

test('an argument without a value is not given', (t) => {
  t.like(parsed('copy', { content: 'x', dest: '/f', owner: null, mode: null, force: null }), {
    args: { owner: undefined, mode: undefined, force: true },
  });
  t.deepEqual(parsed('lineinfile', { path: '/f', line: null }), {
    problems: ['line: is required with state: present'],
  });
  t.deepEqual(parsed('lineinfile', { path: '/f', line: 'a', state: null }), {
    problems: ['state: expected one of absent, present; found null'],
  });
  t.deepEqual(parsed('file', { path: '/f', nosuch: null }), {
    problems: ['nosuch: ansible.builtin.file has no such argument'],
  });
});
