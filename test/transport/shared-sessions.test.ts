import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import test from 'ava';

import { sshTransport } from '../../src/transport/ssh.ts';
import { startSshd } from './sshd.ts';

test('two hosts with one address are two, when different commands lead there', async (t) => {
  const [one, other] = await Promise.all([startSshd(), startSshd()]);
  t.teardown(one.stop);
  t.teardown(other.stop);
  const ssh = sshTransport();
  t.teardown(ssh.close);
  const program = (port: number) =>
    `${process.execPath} -e 'process.stdin.pipe(require("net").connect(${port}, "127.0.0.1")).pipe(process.stdout)'`;
  const through = async (server: typeof one, name: string) => {
    const known = join(server.directory, 'known');
    await writeFile(known, (await readFile(server.knownHosts, 'utf8')).replace(/^\S+/, 'same.invalid'));
    return server.address({
      name,
      address: 'same.invalid',
      port: 22,
      knownHostsFile: known,
      sshOptions: { proxycommand: [program(server.port)] },
    });
  };
  await ssh.connect(await through(one, 'a'));
  await ssh.connect(await through(other, 'b'));
  t.regex(one.log(), /Accepted publickey/);
  t.regex(other.log(), /Accepted publickey/);
});
