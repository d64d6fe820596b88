import { readFileSync } from 'node:fs';
import test from 'ava';
import { Secret } from '../../src/lib/secret.ts';
import type { TransportFailure } from '../../src/transport/failure.ts';
import { sudoRefusal } from '../../src/transport/sudo-refusal.ts';

interface Case {
  readonly what: string;
  readonly status: number;
  readonly password?: boolean;
  readonly said: string;
  readonly failure: TransportFailure;
}

const cases = JSON.parse(
  readFileSync(new URL('cases/sudo.json', import.meta.url), 'utf8'),
) as readonly Case[];

for (const { what, status, password, said, failure } of cases) {
  test(`sudo is understood: ${what}`, (t) => {
    const become = { user: 'root', password: password ? new Secret('password') : undefined };
    t.deepEqual(sudoRefusal(become, status, said), failure);
  });
}
