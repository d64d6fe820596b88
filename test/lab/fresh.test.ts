import test from 'ava';

import { freshMachine, type MachineSpec } from './support/machine.ts';

/*
 * What the README promises first: on a machine that has nothing but Node, `npm ci && npm start` makes hosts and a site
 * that answers. The machines are minimal trees in namespaces of their own, with a lab inside.
 */

const MACHINES: readonly MachineSpec[] = [
  { suite: 'trixie', node: "Debian's" },
  { suite: 'bookworm', node: 'the newest of npm' },
];

const root = process.getuid?.() === 0;
const serial = root ? test.serial : test.serial.skip;

for (const spec of MACHINES) {
  serial(`npm ci && npm start, on a ${spec.suite} with nothing but Node (${spec.node})`, async (t) => {
    t.timeout(1_200_000);
    const machine = await freshMachine(spec, (line) => t.log(line));
    try {
      const bare = await machine.sh(
        'for one in systemd-nspawn mmdebstrap ip nft ssh-keygen ps; do command -v "$one"; done; true',
      );
      t.is(bare.output, '', 'a tool of the lab is there already');
      const installed = await machine.sh('npm ci');
      t.is(installed.status, 0, installed.output);
      // Warnings that a newcomer takes for a failure have the last word, or there are none.
      if (installed.output.includes('EBADENGINE'))
        t.regex(installed.output, /^The EBADENGINE warnings above .* nothing is wrong\.$/m);
      const started = await machine.sh('npm start');
      t.is(started.status, 0, started.output);
      t.regex(started.output, /^The site is up: http:\/\/10\.83\.0\.100\/$/m);
    } finally {
      await machine.remove();
    }
  });
}
