import { randomBytes } from 'node:crypto';

import type { ExecutionContext } from 'ava';
import type { z } from 'zod';

import type { logLineSchema } from '../../../src/commands/provision/logs-json.ts';
import { waitFor } from './cli.ts';
import { must, request, type TestLab, vipOf } from './site.ts';

type Line = z.infer<typeof logLineSchema>;

const REQUEST_ID = /\{([0-9a-f-]{36})\}/;
const COUNTED = 500;

async function logs(lab: TestLab, ...args: readonly string[]): Promise<readonly Line[]> {
  const { stdout } = must(
    await lab.provision('logs', '--json', '--since', '1h', ...args),
    `logs ${args.join(' ')}`,
  );
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);
}

/** One request is found at every station, on the hosts themselves and where all logs are kept. */
export async function requestIsFollowed(t: ExecutionContext, lab: TestLab): Promise<void> {
  const mark = randomBytes(6).toString('hex');
  t.is((await request(lab, `https://${await vipOf(lab)}/?mark=${mark}`)).status, 200);
  const id = await waitFor('the request in the log of a balancer', async () => {
    const [line] = await logs(lab, 'lb1', 'lb2', '-u', 'haproxy', '-g', mark);
    return line && REQUEST_ID.exec(line.message)?.[1];
  });
  for (const where of [[], ['--archive']]) {
    const units = await waitFor(`the request ${where.join('')} at every station`, async () => {
      const found = (await logs(lab, '--request-id', id, ...where)).map(({ unit }) => unit);
      return found.includes('haproxy') && found.includes('nginx') ? found : undefined;
    });
    t.deepEqual([...new Set(units)].sort(), ['haproxy', 'nginx'], where.join(''));
  }
}

/** What a host says while nobody keeps it arrives when there is somebody again. */
export async function nothingIsLost(t: ExecutionContext, lab: TestLab): Promise<void> {
  const mark = randomBytes(6).toString('hex');
  await lab.sh('mon1', 'systemctl stop log-archive');
  try {
    await lab.sh('web1', `seq -f '${mark} counted %g' ${COUNTED} | systemd-cat -t counter`);
  } finally {
    await lab.sh('mon1', 'systemctl start log-archive');
  }
  await waitFor('all of it in the archive', async () => {
    const found = await logs(lab, 'web1', '--archive', '-g', `^${mark} counted`);
    return new Set(found.map(({ message }) => message)).size === COUNTED;
  });
  t.pass();
}
