import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import test from 'ava';

import { onAnyBalancer, onBalancers } from '../../../src/commands/provision/on-hosts.ts';
import { EXIT, UserError } from '../../../src/lib/errors.ts';

// Nobody listens at lb1; lb2 is this machine.
const HOSTS = `all:
  children:
    balancers:
      hosts:
        lb1: { ansible_host: 127.0.0.1, ansible_port: 1 }
        lb2: { ansible_connection: local }
        lb3: { ansible_connection: local }
`;

function reach(t: { teardown(work: () => void): void }, text = HOSTS) {
  const inventory = mkdtempSync(join(tmpdir(), 'understudy-hosts-'));
  t.teardown(() => rmSync(inventory, { recursive: true }));
  writeFileSync(join(inventory, 'hosts.yml'), text);
  return { inventory, extraVariables: new Map() };
}

test('each balancer has its own outcome', async (t) => {
  const outcomes = await onBalancers(reach(t), async (name, open) => {
    const { stdout } = await (await open()).connection.run(`echo ${name}`);
    return stdout.toString().trim();
  });
  t.deepEqual(
    outcomes.map((one) => (one.status === 'done' ? one.value : one.error.exitCode)),
    [EXIT.unreachable, 'lb2', 'lb3'],
  );
});

test('where any balancer will do, one that cannot be reached is passed over', async (t) => {
  t.is(await onAnyBalancer(reach(t), async ({ connection }) => connection.host), 'lb2');
});

test('what a balancer refuses is not asked of the next one', async (t) => {
  const asked: string[] = [];
  await t.throwsAsync(
    onAnyBalancer(reach(t), async ({ connection: { host } }) => {
      asked.push(host);
      throw new UserError(`${host} refuses`, { exitCode: EXIT.failed });
    }),
    { message: 'lb2 refuses' },
  );
  t.deepEqual(asked, ['lb2']);
});

test('when none can be reached, the last one says why', async (t) => {
  const text =
    'all: { children: { balancers: { hosts: { lb1: { ansible_host: 127.0.0.1, ansible_port: 1 } } } } }\n';
  const error = await t.throwsAsync<UserError>(onAnyBalancer(reach(t, text), async () => {}));
  t.is(error?.exitCode, EXIT.unreachable);
});

test('a balancer that there is not, and an inventory without any, are refused', async (t) => {
  const nothing = async (): Promise<void> => {};
  await t.throwsAsync(onBalancers(reach(t), nothing, 'lb4'), { message: /no balancer "lb4"/ });
  await t.throwsAsync(onBalancers(reach(t, 'all: { hosts: { web1: {} } }\n'), nothing), {
    message: /has no balancers/,
  });
});
