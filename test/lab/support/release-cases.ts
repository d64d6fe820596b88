import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import test, { type ExecutionContext } from 'ava';
import type { z } from 'zod';

import { releasesSchema } from '../../../src/commands/provision/release-json.ts';
import { jsonLines, startProvision, total, waitFor } from './cli.ts';
import { mustBeWhole, startLoad } from './load.ts';
import { must, request, siteIsUp, type TestLab } from './site.ts';

const BUILT = fileURLToPath(new URL('../../../files/app/dist/', import.meta.url));

/** It is healthy, and says for ever that it cannot do its work. */
const NEVER_READY = `import { createServer } from 'node:http';
createServer((request, response) => {
  response.statusCode = request.url === '/health' ? 200 : 503;
  response.end('{"reason":"the table of the future is missing"}');
}).listen(Number(process.env.APP_PORT), '127.0.0.1');
`;

/** Releases of the app on a site that is up: they come and go without a failed request. */
export function releaseCases(lab: TestLab, servers: readonly string[], vipOf: () => string): void {
  const release = (t: ExecutionContext, name: string, app?: string): string => {
    const directory = mkdtempSync(join(tmpdir(), `${lab.name}-release-`));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    cpSync(BUILT, directory, { recursive: true });
    writeFileSync(join(directory, 'release'), name);
    writeFileSync(join(directory, 'static/style.css'), `/* ${name} */\n`);
    if (app !== undefined) writeFileSync(join(directory, 'app.mjs'), app);
    return directory;
  };
  const shown = async (): Promise<z.infer<typeof releasesSchema>> =>
    releasesSchema.parse(JSON.parse((await lab.provision('releases', '--json')).stdout));
  /** What every server serves, and nobody is out. */
  const allServe = async (t: ExecutionContext, name: string): Promise<void> => {
    const { current, unfinished, servers: now } = await shown();
    t.deepEqual(
      now.map((server) => [server.name, server.runs, server.current]),
      servers.map((server) => [server, name, name]),
    );
    t.is(current, name);
    t.is(unfinished, null);
    t.regex(must(await lab.provision('drain', '--status'), 'status').stdout, /all servers are in service/);
    const style = await request(lab, `http://${vipOf()}/static/style.css`);
    t.is(style.body.includes(`/* ${name} */`), name.startsWith('release'), 'files come from it, too');
  };

  test.serial('a release is deployed under load, migrated once, and kept by the next run', async (t) => {
    await siteIsUp(lab, vipOf());
    const folder = release(t, 'release-1');
    const load = await startLoad(t, lab, vipOf());
    const variables = { app_migration_command: 'echo "$APP_SERVER migrates in $(basename "$PWD")"' };
    const deployed = must(
      await lab.provision('deploy', folder, '--yes', '--json', '-e', JSON.stringify(variables)),
      'deploy',
    );
    await mustBeWhole(t, load);
    const migrations = jsonLines(deployed.stdout).filter(
      (line) => line.type === 'result' && line.task === 'Migrate the database' && line.status === 'changed',
    );
    t.is(migrations.length, 1);
    const said = await lab.sh(migrations[0]?.host ?? '', 'journalctl --unit app-migration --output cat');
    t.regex(said, new RegExp(`^${migrations[0]?.host} migrates in release-1$`, 'm'));
    await allServe(t, 'release-1');
    const up = must(await lab.provision('up', '--json'), 'up');
    t.is(total(jsonLines(up.stdout), 'changed'), 0);
    t.is((await lab.provision('check')).status, 0);
  });

  test.serial('a migration that fails, or a folder that is no release, changes no server', async (t) => {
    const failed = await lab.provision(
      'deploy',
      release(t, 'release-2'),
      '--yes',
      '-e',
      '{"app_migration_command": "echo no such column; false"}',
    );
    t.is(failed.status, 2);
    t.regex(failed.stdout + failed.stderr, /no such column/);
    await allServe(t, 'release-1');
    const other = await lab.provision('deploy', release(t, 'release-1', 'other'), '--yes');
    t.regex(other.stderr, /the name release-1 is in use/);
    await allServe(t, 'release-1');
  });

  test.serial(
    'a release that never gets ready stops at the first server, and a rollback ends it',
    async (t) => {
      const load = await startLoad(t, lab, vipOf());
      const folder = release(t, 'release-3', NEVER_READY);
      const stopped = await lab.provision('deploy', folder, '--yes', '-e', 'app_ready_seconds=3');
      t.is(stopped.status, 2, stopped.stdout.slice(-3000));
      t.regex(stopped.stderr, /not ready for 3 s: .*the table of the future is missing/);
      const { current, unfinished, servers: now } = await shown();
      t.is(current, 'release-1');
      t.is(unfinished?.release, 'release-3');
      t.deepEqual(now.map(({ runs }) => runs).sort(), ['release-1', 'release-1', 'release-3']);
      must(await lab.provision('rollback', '--yes'), 'rollback');
      await mustBeWhole(t, load);
      await allServe(t, 'release-1');
    },
  );

  /** Deploys it, and is killed while the second server is worked on. */
  const killedDeploy = async (t: ExecutionContext, name: string): Promise<void> => {
    let isRunning = true;
    const run = startProvision(['deploy', release(t, name), '--yes', '--json', '-i', lab.inventory]);
    t.teardown(() => void (isRunning && process.kill(run.pid, 'SIGKILL')));
    await waitFor('the second server is worked on', async () => workedOn(run.stdout()).length > 1, 300_000);
    process.kill(run.pid, 'SIGKILL');
    isRunning = false;
    await run.ended;
  };

  test.serial('a deploy that is killed on its way is gone on with, or taken back', async (t) => {
    const load = await startLoad(t, lab, vipOf());
    await killedDeploy(t, 'release-4');
    must(await lab.provision('rollback', '--yes'), 'rollback');
    await allServe(t, 'release-1');
    await killedDeploy(t, 'release-5');
    const resumed = must(await lab.provision('deploy', '--resume', '--yes', '--json'), 'deploy --resume');
    t.is(workedOn(resumed.stdout).length, 2, 'the first server is done');
    await allServe(t, 'release-5');
    must(await lab.provision('rollback', '--yes'), 'rollback');
    await mustBeWhole(t, load);
    await allServe(t, 'release-1');
  });

  test.serial('what was there before everything comes back, and the next run leaves it alone', async (t) => {
    must(await lab.provision('rollback', '--yes'), 'rollback');
    const { current } = await shown();
    await allServe(t, current ?? '');
    t.is((await lab.provision('check')).status, 0);
    // The other tests of this lab begin with a site on which nothing was deployed.
    rmSync(join(lab.inventory, 'app'), { recursive: true });
    t.is((await lab.provision('check')).status, 0);
  });
}

function workedOn(output: string): readonly string[] {
  // The last line may be cut off.
  const lines = output.slice(0, output.lastIndexOf('\n') + 1);
  return jsonLines(lines).flatMap((line) =>
    line.type === 'phase' &&
    (line as { readonly phase?: string }).phase === 'work' &&
    line.status === 'running'
      ? [line.host ?? '']
      : [],
  );
}
