import type { ExecutionContext } from 'ava';

import { jsonLines, startProvision, waitFor } from './cli.ts';
import { mustBeWhole, startLoad } from './load.ts';
import { must, type TestLab } from './site.ts';

const PACKAGES = 'haproxy,nginx';
const SUFFIX = '+understudy1';
const HOSTS = ['lb1', 'lb2', 'web1', 'web2', 'web3'];
/** The one for which something asks for a reboot. */
const REBOOTED = 'web3';

/**
 * HAProxy and Nginx become newer on every host in turn, under load: by a tool that is killed in the middle of apt's work,
 * and by another one that goes on. Only the host that asks for it is booted again.
 */
export async function upgradesInTurn(t: ExecutionContext, lab: TestLab, vip: string): Promise<void> {
  await Promise.all(HOSTS.map(async (host) => await offerNewer(lab, host)));
  await lab.sh(REBOOTED, 'touch /run/reboot-required');
  const boots = await bootsOf(lab);
  const command = ['upgrade', '--packages', PACKAGES, '--reboot-if-needed', '--yes', '--json'];

  const load = await startLoad(t, lab, vip);
  const first = startProvision([...command, '-i', lab.inventory]);
  await waitFor(
    'the first host is worked on',
    async () => /"phase":"work","status":"running"/.test(first.stdout()),
    300_000,
  );
  process.kill(first.pid, 'SIGKILL');
  await first.ended;
  const resumed = must(await lab.provision(...command, '--resume'), 'upgrade --resume');
  await mustBeWhole(t, load);

  const after = await bootsOf(lab);
  t.deepEqual(
    HOSTS.filter((_, index) => after[index] !== boots[index]),
    [REBOOTED],
  );
  const done = jsonLines(resumed.stdout).flatMap((line) =>
    line.type === 'phase' && line.status === 'done' && 'phase' in line && line.phase === 'settle'
      ? [line.host]
      : [],
  );
  t.deepEqual(done.sort(), HOSTS);
  for (const host of HOSTS) {
    const name = host.startsWith('lb') ? 'haproxy' : 'nginx';
    const found = await lab.sh(
      host,
      `dpkg-query -W -f '\${Version}\\n' ${name}; dpkg --audit; for pid in $(pidof ${name}); do readlink /proc/$pid/exe; done | sort -u`,
    );
    const [version, ...programs] = found.split('\n');
    t.true(version?.endsWith(SUFFIX), host);
    t.deepEqual(programs, [`/usr/sbin/${name}`], `${host}: whole, and nobody runs what was replaced`);
  }
  t.regex(must(await lab.provision('drain', '--status'), 'status').stdout, /all servers are in service/);
  await Promise.all(HOSTS.map(async (host) => await lab.sh(host, WITHDRAW)));
}

/** Makes a newer version of what is installed, and a source of packages of it on the host itself. */
async function offerNewer(lab: TestLab, host: string): Promise<void> {
  await lab.sh(
    host,
    `set -e
    mkdir -p /opt/newer && cd /opt/newer
    for name in $(dpkg-query -W -f '\${db:Status-Status} \${Package}\\n' 'haproxy*' 'nginx*' | sed -n 's/^installed //p'); do
      version=$(dpkg-query -W -f '\${Version}' "$name")
      apt-get -q download "$name=$version"
      dpkg-deb -R "$name"_*.deb "root-$name"
      sed -i "s/$version/$version${SUFFIX}/" "root-$name/DEBIAN/control"
      rm "$name"_*.deb
      dpkg-deb -Znone -b "root-$name" "$name.deb"
      { dpkg-deb -f "$name.deb"
        echo "Filename: ./$name.deb"
        echo "Size: $(stat -c %s "$name.deb")"
        echo "SHA256: $(sha256sum "$name.deb" | cut -d ' ' -f 1)"
        echo; } >> Packages
    done
    echo 'deb [trusted=yes] file:/opt/newer ./' > /etc/apt/sources.list.d/newer.list`,
  );
}

const WITHDRAW = 'rm -r /etc/apt/sources.list.d/newer.list /opt/newer && apt-get -q update';

async function bootsOf(lab: TestLab): Promise<readonly string[]> {
  return await Promise.all(
    HOSTS.map(async (host) => await lab.sh(host, 'cat /proc/sys/kernel/random/boot_id')),
  );
}
