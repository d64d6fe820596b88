import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ExecutionContext } from 'ava';

import { initProcess } from '../../../src/lab/host.ts';
import { openLab } from '../../../src/lab/lab.ts';
import { ALERTS } from '../../../src/monitoring/alerts.ts';
import { jsonLines, startProvision, waitFor } from './cli.ts';
import type { TestLab } from './site.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const RECORDER = fileURLToPath(new URL('recorder-program.ts', import.meta.url));
const RECORDER_PORT = 9099;
/** How long an alert may take beyond its own time: to be read, judged and told. */
const BEYOND_MS = 45_000;
/** As long, for the end of one; the next message about it waits for its turn. */
const END_MS = 120_000;

interface Target {
  readonly health: string;
  readonly lastError: string;
  readonly labels: { readonly job: string; readonly instance: string };
}

interface Rule {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

/** What the webhook was told about one alert. */
export interface Told {
  readonly at: number;
  readonly path: string;
  readonly status: 'firing' | 'resolved';
  readonly alert: string;
  readonly instance: string;
}

/** The monitoring of a lab's site: as people see it, by `provision open`, and what it tells. */
export interface Monitoring {
  targets(): Promise<readonly Target[]>;
  /** Of all rules, alerts and what they are made of. */
  rules(): Promise<readonly Rule[]>;
  /** The alerts that fire now, but for the watchdog, each with its host. */
  firing(): Promise<readonly string[]>;
  told(): readonly Told[];
  close(): Promise<void>;
}

/** Makes the spare host of a lab watch the site, and has it tell a program that writes down what it hears. */
export async function turnOn(
  t: ExecutionContext,
  lab: TestLab,
  variables: readonly string[] = [],
): Promise<Monitoring> {
  const directory = join(ROOT, lab.inventory, 'host_vars');
  mkdirSync(directory, { recursive: true });
  const recorder = `http://127.0.0.1:${RECORDER_PORT}`;
  writeFileSync(
    join(directory, 'mon1.yml'),
    `monitoring_webhooks: ["${recorder}/told"]
monitoring_watchdog_url: ${recorder}/watchdog
`,
  );
  await lab.lab('up', '--monitoring');
  const up = await lab.provision('up', ...variables);
  t.is(up.status, 0, up.stdout.slice(-4000) + up.stderr.slice(-2000));
  return await openMonitoring(lab, variables);
}

/** The spare host is spare again for whoever comes after: its variables are gone. */
export function forget(lab: TestLab): void {
  rmSync(join(ROOT, lab.inventory, 'host_vars'), { recursive: true, force: true });
}

async function openMonitoring(lab: TestLab, variables: readonly string[]): Promise<Monitoring> {
  const recorder = await startRecorder(lab.name);
  const tunnel = startProvision(['open', 'prometheus', '--json', '-i', lab.inventory, ...variables]);
  const url = await waitFor('the way to Prometheus is open', async () => {
    const [line] = tunnel.stdout().split('\n');
    return line === undefined || line === '' ? undefined : (JSON.parse(line) as { url: string }).url;
  });
  const api = async <T>(path: string): Promise<T> => {
    const answer = (await (await fetch(`${url}api/v1/${path}`)).json()) as { readonly data: T };
    return answer.data;
  };
  return {
    targets: async () => (await api<{ readonly activeTargets: readonly Target[] }>('targets')).activeTargets,
    rules: async () =>
      (
        await api<{ readonly groups: readonly { readonly rules: readonly Rule[] }[] }>('rules')
      ).groups.flatMap(({ rules }) => rules),
    async firing() {
      const { alerts } = await api<{
        readonly alerts: readonly {
          readonly state: string;
          readonly labels: { readonly alertname: string; readonly instance?: string };
        }[];
      }>('alerts');
      return alerts
        .filter(({ state, labels }) => state === 'firing' && labels.alertname !== 'Watchdog')
        .map(({ labels }) => `${labels.alertname} ${labels.instance ?? ''}`.trim());
    },
    told: recorder.told,
    async close() {
      process.kill(tunnel.pid, 'SIGINT');
      await tunnel.ended;
      await recorder.stop();
    },
  };
}

/** A program of this machine, on the loopback of the host that watches. */
async function startRecorder(name: string): Promise<{ told(): readonly Told[]; stop(): Promise<void> }> {
  const init = await initProcess(await openLab(name), 'mon1');
  if (init === undefined) throw new Error('mon1 is not running');
  const child = spawn(
    'nsenter',
    [`--net=/proc/${init}/ns/net`, '--', process.execPath, RECORDER, String(RECORDER_PORT)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.on('data', (part: Buffer) => (text += part.toString()));
  const told = (): readonly Told[] =>
    text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter((line) => line !== '')
      .flatMap((line) => {
        const { at, path, body } = JSON.parse(line) as {
          readonly at: number;
          readonly path: string;
          readonly body: {
            readonly alerts: readonly {
              readonly status: Told['status'];
              readonly labels: { readonly alertname: string; readonly instance?: string };
            }[];
          };
        };
        return body.alerts.map(({ status, labels }) => ({
          at,
          path,
          status,
          alert: labels.alertname,
          instance: labels.instance ?? '',
        }));
      });
  return {
    told,
    async stop() {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}

/** Every target answers, no rule has a mistake, nothing fires, and the dead man's switch is called. */
export async function allIsWell(t: ExecutionContext, monitoring: Monitoring): Promise<void> {
  await waitFor(
    'every target is up',
    async () => {
      const targets = await monitoring.targets();
      const bad = targets.filter(({ health }) => health !== 'up');
      if (bad.length === 0) return targets.length > 0;
      throw new Error(
        bad.map(({ labels, lastError }) => `${labels.job} ${labels.instance}: ${lastError}`).join('\n'),
      );
    },
    120_000,
  );
  const rules = await waitFor('every rule was judged', async () => {
    const judged = await monitoring.rules();
    return judged.every(({ health }) => health !== 'unknown') && judged;
  });
  const codes = ALERTS.flatMap(({ alerts }) => alerts.map(({ code }) => code));
  t.deepEqual(
    codes.filter((code) => !rules.some(({ name }) => name === code)),
    [],
  );
  t.deepEqual(
    rules.filter(({ health }) => health !== 'ok').map(({ name, lastError }) => `${name}: ${lastError}`),
    [],
  );
  await isCalm(monitoring);
  await waitFor('the switch is called', async () =>
    monitoring.told().some(({ path, alert }) => path === '/watchdog' && alert === 'Watchdog'),
  );
}

/** Nothing fires. What is new on a host may take a while to be read. */
async function isCalm(monitoring: Monitoring): Promise<void> {
  await waitFor(
    'nothing fires',
    async () => {
      const firing = await monitoring.firing();
      if (firing.length > 0) throw new Error(firing.join(', '));
      return true;
    },
    180_000,
  );
}

export interface Fault {
  readonly alert: string;
  /** The host that the message names; none of what concerns the whole site. */
  readonly instance: string;
  cause(): Promise<unknown>;
  heal(): Promise<unknown>;
}

/** A fault is told in time, with nothing else beside it, and its end as well. */
export async function isTold(t: ExecutionContext, monitoring: Monitoring, fault: Fault): Promise<void> {
  await isCalm(monitoring);
  const own = ALERTS.flatMap(({ alerts }) => alerts).find(({ code }) => code === fault.alert);
  const [, number = '0', unit = 's'] = /^(\d+)([sm])$/.exec(own?.for ?? '0s') ?? [];
  const limitMs = Number(number) * (unit === 'm' ? 60_000 : 1000) + BEYOND_MS;
  const before = Date.now();
  const since = (): readonly Told[] =>
    monitoring.told().filter(({ at, path }) => path === '/told' && at >= before);
  const heard = (status: Told['status']): Told | undefined =>
    since().find(
      (each) => each.alert === fault.alert && each.instance === fault.instance && each.status === status,
    );
  const causing = Date.now();
  try {
    await fault.cause();
    const told = await waitFor(`${fault.alert} is told`, async () => heard('firing'), limitMs + 30_000);
    t.log(`${fault.alert} was told after ${((told.at - causing) / 1000).toFixed(1)} s`);
    t.true(told.at - causing <= limitMs, `${told.at - causing} ms, and at most ${limitMs} ms were expected`);
  } finally {
    await fault.heal();
  }
  const healed = Date.now();
  const ended = await waitFor(`the end of ${fault.alert} is told`, async () => heard('resolved'), END_MS);
  t.log(`its end ${((ended.at - healed) / 1000).toFixed(1)} s after it was healed`);
  await isCalm(monitoring);
  t.deepEqual(
    [...new Set(since().map(({ alert, instance }) => `${alert} ${instance}`.trim()))],
    [`${fault.alert} ${fault.instance}`.trim()],
  );
}

/** HAProxy of a balancer does not run. */
export function balancerStops(lab: TestLab, balancer: string): Fault {
  return {
    alert: 'BalancerDown',
    instance: balancer,
    cause: async () => await lab.sh(balancer, 'systemctl stop haproxy'),
    heal: async () => await lab.sh(balancer, 'systemctl start haproxy'),
  };
}

/** Whoever is not let in gets nothing, and nothing that is told is for everybody to read. */
export async function isForTheMonitoringOnly(t: ExecutionContext, lab: TestLab): Promise<void> {
  const address = (
    await lab.sh('web2', 'ip -o -4 address show dev back0 | awk \'{ sub("/.*", "", $4); print $4 }\'')
  ).trim();
  const ports = [9100, 9104, 9113];
  const asked = (host: string): Promise<string> =>
    lab.sh(
      host,
      `for port in ${ports.join(' ')}; do timeout 2 bash -c "</dev/tcp/${address}/$port" 2> /dev/null && echo $port; done; true`,
    );
  t.is(await asked('web1'), '');
  t.is(await asked('mon1'), ports.join('\n'));
  t.is(
    await lab.sh(
      'mon1',
      "ss -Hltn | awk '{ print $4 }' | grep -E ':(9090|9093|9115)$' | grep -v '^127[.]0[.]0[.]1:' || true",
    ),
    '',
  );
  t.is(await lab.sh('mon1', 'stat -c "%a %U %G" /etc/prometheus/alertmanager.yml'), '640 root prometheus');
}

/** A further run finds nothing to do. */
export async function changesNothing(
  t: ExecutionContext,
  lab: TestLab,
  variables: readonly string[] = [],
): Promise<void> {
  const again = await lab.provision('up', '--json', ...variables);
  t.is(again.status, 0, again.stderr);
  const changed = jsonLines(again.stdout).filter(
    (line) => line.type === 'result' && line.status === 'changed',
  );
  t.deepEqual(
    changed.map((line) => `${line.host}: ${line.task}`),
    [],
  );
}
