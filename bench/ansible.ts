import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { enterHost } from '../src/lab/host.ts';
import { exec } from '../src/lab/faults.ts';
import type { Lab } from '../src/lab/lab.ts';
import { measure, type Measured } from './measure.ts';

const HOST = 'mon1';

/**
 * The rival: Debian 13's ansible-core, installed in a lab host and run there at the operator's place in the network,
 * with pipelining, and with Mitogen where it is asked for.
 */
export interface Ansible {
  run(playbook: string, options?: { mitogen?: boolean }): Promise<Measured>;
}

export async function prepareAnsible(lab: Lab, root: string, targets: readonly string[]): Promise<Ansible> {
  const shell = async (host: string, line: string): Promise<void> => {
    const result = await exec(host, ['sh', '-c', line], { name: lab.lab });
    if (result.status !== 0) throw new Error(`${host}: ${line}: ${result.stderr}`);
  };
  const install = async (host: string, packages: string): Promise<void> =>
    await shell(
      host,
      `export DEBIAN_FRONTEND=noninteractive; apt-get -q update && apt-get -q -y install ${packages}`,
    );
  await Promise.all([
    install(HOST, 'ansible-core ansible-mitogen openssh-client openssl nodejs'),
    ...targets.map((target) => install(target, 'python3 python3-apt')),
  ]);
  // Of Debian's package `ansible`, which has every collection there is, the one that a play here needs.
  const collections = '/usr/share/ansible/collections';
  await shell(
    HOST,
    `cd /tmp && apt-get -q download ansible && mkdir -p ${collections} && dpkg-deb --fsys-tarfile ansible_*.deb | ` +
      `tar -x -C ${collections} --strip-components=5 --wildcards './usr/lib/python3/dist-packages/ansible_collections/community/general/*' && rm ansible_*.deb`,
  );
  const mitogen = (
    await exec(HOST, ['sh', '-c', 'dirname "$(dpkg -L ansible-mitogen | grep strategy/mitogen_linear.py)"'], {
      name: lab.lab,
    })
  ).stdout.trim();

  // The same files at the same path, so that the inventory's own paths hold there.
  const inside = await enterHost(lab, HOST, ['true']);
  const pid =
    inside[inside.indexOf('--target') + 1] ??
    inside.find((word) => /^--target=\d+$/.test(word))?.split('=')[1];
  if (pid === undefined)
    throw new Error(`cannot tell the first process of ${HOST} from: ${inside.join(' ')}`);
  const copy = join(`/proc/${pid}/root`, root);
  for (const directory of ['playbooks', 'files', 'inventory', 'bench']) {
    rmSync(join(copy, directory), { recursive: true, force: true });
    mkdirSync(copy, { recursive: true });
    cpSync(join(root, directory), join(copy, directory), {
      recursive: true,
      verbatimSymlinks: true,
      preserveTimestamps: true,
    });
  }

  return {
    async run(playbook, options = {}) {
      const environment = [
        'env',
        'ANSIBLE_PIPELINING=1',
        'ANSIBLE_FORKS=10',
        'ANSIBLE_HOST_KEY_CHECKING=1',
        'ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3',
        'ANSIBLE_DEPRECATION_WARNINGS=0',
        ...(options.mitogen
          ? [`ANSIBLE_STRATEGY_PLUGINS=${mitogen}`, 'ANSIBLE_STRATEGY=mitogen_linear']
          : []),
      ];
      const argv = await enterHost(lab, HOST, [
        ...environment,
        'sh',
        '-c',
        `cd ${root} && exec ansible-playbook -i inventory/${lab.lab}/hosts.yml ${playbook}`,
      ]);
      // Without the host's own network it is where the operator is.
      return await measure(
        argv.filter((word) => word !== '--net'),
        { cwd: '/' },
      );
    },
  };
}
