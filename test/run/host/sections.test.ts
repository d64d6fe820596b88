import { spawnSync } from 'node:child_process';

import test from 'ava';
import fc from 'fast-check';

import { quote } from '../../../src/lib/shell.ts';
import { joinSections } from '../../../src/run/host/sections.ts';

function runInSh(script: string): { stdout: Buffer; stderr: Buffer; status: number | null } {
  return spawnSync('/bin/sh', [], { input: script });
}

test('outputs and statuses of sections come back apart, whatever they print', (t) => {
  const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\0', ''));
  const section = fc.record({ out: text, err: text, status: fc.integer({ min: 0, max: 255 }) });
  fc.assert(
    fc.property(fc.array(section, { minLength: 1, maxLength: 5 }), (sections) => {
      const joined = joinSections(
        sections.map(({ out, err, status }) => ({
          script: `printf %s ${quote(out)}; printf %s ${quote(err)} >&2; exit ${status}`,
          required: false,
        })),
      );
      const ran = runInSh(joined.script);
      const results = joined.split(ran.stdout, ran.stderr);
      sections.forEach(({ out, err, status }, index) => {
        t.is(results[index]?.stdout.toString(), out);
        t.is(results[index]?.stderr.toString(), err);
        t.is(results[index]?.status, status);
      });
    }),
    { numRuns: 40 },
  );
});

test('a required section that fails keeps the later ones from running', (t) => {
  const joined = joinSections([
    { script: 'echo first', required: true },
    { script: 'echo second >&2; exit 3', required: true },
    { script: 'echo third', required: false },
  ]);
  const ran = runInSh(joined.script);
  const [first, second, third] = joined.split(ran.stdout, ran.stderr);
  t.is(first?.stdout.toString(), 'first\n');
  t.is(second?.status, 3);
  t.is(second?.stderr.toString(), 'second\n');
  t.is(third, undefined);
  t.is(ran.status, 3);
});

test('a section can neither leave the script nor leak its variables', (t) => {
  const joined = joinSections([
    { script: 'leaked=yes; cd /; exit 0', required: false },
    { script: 'printf %s "${leaked:-no}"', required: false },
  ]);
  const ran = runInSh(joined.script);
  t.is(joined.split(ran.stdout, ran.stderr)[1]?.stdout.toString(), 'no');
});
