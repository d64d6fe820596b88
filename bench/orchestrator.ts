// The same faults under the same writer, with Orchestrator in the watch's place. docs/benchmarks.md says how.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import { type DrillSite, drillSite } from '../src/commands/failover/drill-site.ts';
import { exercise, type ExerciseReport } from '../src/failover/drill/exercise.ts';
import { type FaultName, FAULTS } from '../src/failover/drill/faults.ts';
import { specOf } from '../src/failover/drill/ground.ts';
import { serverIdOf } from '../src/failover/drill/invariants.ts';
import { lookAtAll, primaryName, service, sql, writable } from '../src/failover/drill/look.ts';
import { restore } from '../src/failover/drill/restore.ts';
import { makeTool, type Tool } from '../src/failover/drill/tool.ts';
import { makeTable } from '../src/failover/drill/writer.ts';
import { buildDrill } from '../scripts/build-drill.ts';
import type { FailoverBench } from './failover.ts';
import { median } from './measure.ts';

const ROOT = join(import.meta.dirname, '..');
const PER_SECOND = 200;
/** Where it runs: beside one of our watches, which rest meanwhile. */
const HOST = 'lb1';
const PROGRAM = '/usr/local/bin/orchestrator-bench';
const UNIT = 'orchestrator-bench';
const API = 'http://127.0.0.1:3000/api';
const PASSWORD = 'orchestrator-bench';

/** As its manual has it (`configuration-*.md`), but for names, which are the addresses that our replicas use. */
const CONFIGURATION = {
  ListenAddress: '127.0.0.1:3000',
  BackendDB: 'sqlite',
  SQLite3DataFile: '/var/tmp/orchestrator-bench.sqlite3',
  MySQLTopologyUser: 'orchestrator',
  MySQLTopologyPassword: PASSWORD,
  InstancePollSeconds: 5,
  DiscoverByShowSlaveHosts: false,
  HostnameResolveMethod: 'none',
  MySQLHostnameResolveMethod: '',
  RecoverMasterClusterFilters: ['*'],
  RecoverIntermediateMasterClusterFilters: ['*'],
  RecoveryPeriodBlockSeconds: 3600,
  ApplyMySQLPromotionAfterMasterFailover: true,
  FailMasterPromotionIfSQLThreadNotUpToDate: false,
  DelayMasterPromotionIfSQLThreadNotUpToDate: true,
  DetachLostReplicasAfterMasterFailover: true,
  UseSuperReadOnly: true,
};

export interface OrchestratorBench extends Omit<FailoverBench, 'parts'> {
  /** Its binary, built from its source with the tag libsqlite3. */
  readonly binary: string;
}

/** Kills, hangs and cuts the primary off, and counts until a write is accepted. */
export async function benchOrchestrator(options: OrchestratorBench): Promise<void> {
  await buildDrill();
  const site = await drillSite(options.inventory);
  const failover = makeTool(options.program, ['-i', options.inventory], ROOT);
  await makeTable(site);
  await failover('pause', 'measuring Orchestrator');
  await watches(site, 'stop');
  try {
    await install(site, options.binary);
    for (const fault of ['kill', 'freeze', 'isolate'] as const)
      await measureFault(site, failover, fault, options);
  } finally {
    await site.ground.sh(HOST, `systemctl stop ${UNIT} 2> /dev/null || :`);
    await sql(site, specOf(site, await primaryName(site)), 'DROP USER IF EXISTS orchestrator;', 30_000);
    await watches(site, 'start');
    await failover('resume');
    await site.ground.close();
  }
}

async function measureFault(
  site: DrillSite,
  failover: Tool,
  fault: FaultName,
  { runs, say }: OrchestratorBench,
): Promise<void> {
  say(`\nOrchestrator (${FAULTS[fault].description})`);
  const times: number[] = [];
  let lost = 0;
  let without = 0;
  for (let run = 0; run < runs; run++) {
    const from = await primaryName(site);
    await discovered(site, from);
    const other = site.instances.find((spec) => spec.name !== from);
    let faultAt = 0;
    const report: ExerciseReport = await exercise(site, {
      perSecond: PER_SECOND,
      changes: 1,
      ...(other && { writerHosts: [other.host] }),
      act: async (stage) => {
        // It takes a server that systemd starts again for one that never died, so this one stays dead.
        if (fault === 'kill') await onHost(site, from, `systemctl mask --runtime --quiet ${service(site)}`);
        faultAt = Date.now();
        await FAULTS[fault].cause(site, from);
        stage.mark();
        await stage.acceptedElsewhere(180_000).catch(() => void without++);
      },
      restore: async () => {
        await bringBack(site, failover, fault, from);
      },
      limitMs: 180_000,
    });
    const byFrom = serverIdOf(specOf(site, from).address);
    const first = report.writes
      .filter(({ outcome, by, endedAt }) => outcome === 'acknowledged' && by !== byFrom && endedAt >= faultAt)
      .sort((one, next) => one.endedAt - next.endedAt)[0];
    if (first) times.push(first.endedAt - faultAt);
    for (const { invariant, message } of report.violations) {
      if (invariant === 'durability') lost++;
      say(`  ${invariant}: ${message}`);
    }
  }
  const sorted = [...times].sort((one, next) => one - next);
  say(
    `  fault → first accepted write    median ${median(times).toFixed(0)} ms, worst ${(sorted.at(-1) ?? 0).toFixed(0)} ms, ${times.length} runs; without a recovery within 3 min: ${without}; runs with lost writes: ${lost}`,
  );
}

/** The old primary is started read-only, whatever it was, and follows the new one by our own tool. */
async function bringBack(site: DrillSite, failover: Tool, fault: FaultName, from: string): Promise<void> {
  const { host } = specOf(site, from);
  if (fault === 'kill') await onHost(site, from, `systemctl unmask --runtime --quiet ${service(site)}`);
  // One that still takes itself for the primary must not be heard of again: it boots read-only.
  else await site.ground.lab?.cutPower(host);
  await site.ground.lab?.heal();
  await onHost(site, from, `systemctl start ${service(site)}`);
  await watches(site, 'start');
  await failover('resume');
  const { violations } = await restore(site, failover, { patienceMs: 20_000 });
  await failover('pause', 'measuring Orchestrator');
  await watches(site, 'stop');
  if (violations.length > 0) throw new Error(violations.map(({ message }) => message).join('\n'));
}

async function watches(site: DrillSite, verb: 'start' | 'stop'): Promise<void> {
  for (const { name } of site.balancers) await site.ground.sh(name, `systemctl ${verb} failover-watch || :`);
}

async function onHost(site: DrillSite, instance: string, script: string): Promise<void> {
  await site.ground.sh(specOf(site, instance).host, script, { timeoutMs: 90_000 });
}

async function install(site: DrillSite, binary: string): Promise<void> {
  const { ground } = site;
  await ground.sh(HOST, `apt-get install -qq -y libsqlite3-0 curl > /dev/null`, { timeoutMs: 300_000 });
  await ground.sh(
    HOST,
    `base64 -d | gunzip > ${PROGRAM}.new && chmod 755 ${PROGRAM}.new && mv ${PROGRAM}.new ${PROGRAM}`,
    {
      input: gzipSync(readFileSync(binary)).toString('base64'),
      timeoutMs: 300_000,
    },
  );
  await ground.sh(HOST, `rm -f ${CONFIGURATION.SQLite3DataFile}; cat > /etc/${UNIT}.conf.json`, {
    input: JSON.stringify(CONFIGURATION, null, 2),
  });
  await sql(
    site,
    specOf(site, await primaryName(site)),
    `CREATE USER IF NOT EXISTS orchestrator IDENTIFIED BY '${PASSWORD}';
     GRANT SUPER, PROCESS, REPLICATION SLAVE, REPLICATION CLIENT, RELOAD ON *.* TO orchestrator;
     GRANT SELECT ON performance_schema.* TO orchestrator;`,
    30_000,
  );
  await ground.sh(
    HOST,
    `systemctl reset-failed ${UNIT} 2> /dev/null; systemctl stop ${UNIT} 2> /dev/null; systemd-run --quiet --unit=${UNIT} ${PROGRAM} --config /etc/${UNIT}.conf.json http`,
  );
}

/** Waits until it knows this primary with all its replicas, and may recover it. */
async function discovered(site: DrillSite, primary: string): Promise<void> {
  const { address, port } = specOf(site, primary);
  const ask = async (path: string): Promise<unknown> => {
    const text = await site.ground.sh(HOST, `curl -s --max-time 10 '${API}/${path}'`).catch(() => '');
    return text === '' ? undefined : JSON.parse(text);
  };
  for (let attempt = 1; ; attempt++) {
    for (const spec of site.instances) await ask(`discover/${spec.address}/${spec.port}`);
    const replicas = await ask(`instance-replicas/${address}/${port}`);
    const isAlone = writable(await lookAtAll(site)).length === 1;
    if (isAlone && Array.isArray(replicas) && replicas.length === site.instances.length - 1) break;
    if (attempt === 60)
      throw new Error(`Orchestrator knows these replicas of ${primary}: ${JSON.stringify(replicas)}`);
    await wait(1000);
  }
  await ask(`ack-all-recoveries?comment=bench`);
  for (const spec of site.instances) await ask(`end-downtime/${spec.address}/${spec.port}`);
  // Its next look has seen all of them.
  await wait(CONFIGURATION.InstancePollSeconds * 1000);
}
