import test from 'ava';

import { exitCode } from '../../src/report/exit-code.ts';
import { recap } from './events.ts';

const CASES = [
  { name: 'nothing changed', hosts: { a: { ok: 3 } }, up: 0, check: 0 },
  { name: 'changes', hosts: { a: { changed: 1 }, b: {} }, up: 0, check: 3 },
  { name: 'a failed host', hosts: { a: { changed: 1 }, b: { failed: 1 } }, up: 2, check: 2 },
  {
    name: 'an unreachable host beats a failed one',
    hosts: { a: { failed: 1 }, b: { unreachable: 1 } },
    up: 4,
    check: 4,
  },
  { name: 'ignored and rescued failures', hosts: { a: { ignored: 1, rescued: 1 } }, up: 0, check: 0 },
  { name: 'no host at all', hosts: {}, up: 0, check: 0 },
  { name: 'an interrupted run', hosts: { a: { unreachable: 1 } }, interrupted: true, up: 130, check: 130 },
];

for (const { name, hosts, interrupted, up, check } of CASES) {
  test(`the exit code of ${name}`, (t) => {
    t.is<number, number>(exitCode(recap(hosts, interrupted), { check: false }), up);
    t.is<number, number>(exitCode(recap(hosts, interrupted), { check: true }), check);
  });
}
