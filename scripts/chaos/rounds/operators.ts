import { setTimeout as wait } from 'node:timers/promises';

import { type FaultName, FAULTS } from '../../../src/failover/drill/faults.ts';
import { specOf } from '../../../src/failover/drill/ground.ts';
import { client, lookAt } from '../../../src/failover/drill/look.ts';
import type { Tool, ToolSignal } from '../../../src/failover/drill/tool.ts';
import { type MakeRound, nothing, promote } from './round.ts';

/* What operators do, and what happens to them and their tools. */

/** Every copy of these small instances is over by then, whatever came of it. */
const COPY_LIMIT_MS = 240_000;

export const switchover: MakeRound = (setting) => {
  const to = setting.random.pick(setting.replicas);
  return { kind: `promote ${to}`, changes: 1, act: async () => await promote(setting, to), heal: nothing };
};

export const killedTool: MakeRound = ({ failover, replicas, random }) => {
  const { pick, between } = random;
  const to = pick(replicas);
  const line = Math.floor(between(1, 25 + 10 * replicas.length));
  return {
    kind: `promote ${to}, killed at line ${line}`,
    changes: 3,
    act: async () => {
      let lines = 0;
      await failover.killedWhen(() => ++lines === line, 'promote', to, '--yes', '--json');
      await wait(between(0, 3000));
      await failover('promote', '--yes', '--json');
    },
    heal: nothing,
  };
};

/** Its lease runs out meanwhile, and others change the cluster. Then it goes on where it was. */
export const suspendedTool: MakeRound = (setting) => {
  const { replicas, random } = setting;
  const { pick, between, next } = random;
  const to = pick(replicas);
  const other = pick(replicas.filter((name) => name !== to));
  const atLine = next() < 0.5 ? Math.floor(between(1, 25 + 10 * replicas.length)) : undefined;
  const seconds = between(2, 25);
  const othersAct = next() < 0.5;
  const where = atLine === undefined ? 'when the new primary takes writes' : `at line ${atLine}`;
  return {
    kind: `promote ${to}, suspended ${where} for ${Math.round(seconds)} s${othersAct ? `, and promote ${other}` : ''}`,
    changes: 4,
    act: async (stage) => {
      const isHere = (line: string, number: number): boolean =>
        atLine === undefined ? isStep(line, 'make-writable', 'done') : number === atLine;
      const tool = suspendable(setting.failover, isHere, 'promote', to, '--yes', '--json');
      stage.mark();
      if (await tool.isSuspended) {
        const waited = wait(seconds * 1000);
        if (othersAct) await promote(setting, other);
        await waited;
        tool.resume();
      }
      await tool.ended;
      await stage.accepted();
    },
    heal: nothing,
  };
};

interface SuspendableTool {
  /** False when it ended before it came to that line. */
  readonly isSuspended: Promise<boolean>;
  readonly ended: Promise<unknown>;
  resume(): void;
}

function suspendable(
  failover: Tool,
  isHere: (line: string, number: number) => boolean,
  ...args: readonly string[]
): SuspendableTool {
  const suspended = Promise.withResolvers<boolean>();
  let number = 0;
  let signal: ((name: ToolSignal) => void) | undefined;
  const ended = failover.watched(
    (line, send) => {
      if (signal !== undefined || !isHere(line, ++number)) return;
      signal = send;
      send('SIGSTOP');
      suspended.resolve(true);
    },
    ...args,
  );
  ended.then(() => suspended.resolve(false), suspended.reject);
  return { isSuspended: suspended.promise, ended, resume: () => signal?.('SIGCONT') };
}

/** A session holds a table's lock, so the primary cannot be made read-only, and the operator does not want to wait. */
export const interrupted: MakeRound = ({ site, failover, primary, replicas, random }) => {
  const { pick, between, next } = random;
  const to = pick(replicas);
  const seconds = Math.round(between(4, 9));
  const patience = between(0, 3000);
  const isLockedBefore = next() < 0.5;
  return {
    kind: `promote ${to} while a table is locked for ${seconds} s, Ctrl-C after ${Math.round(patience)} ms`,
    changes: 1,
    act: async (stage) => {
      const spec = specOf(site, primary);
      let locking: Promise<void> | undefined;
      const lock = (): void => {
        locking ??= site.ground.start(spec.host, client(site), {
          input: `LOCK TABLES ${site.app.database}.messages WRITE; DO SLEEP(${seconds});`,
          onLine: () => {},
        }).ended;
      };
      if (isLockedBefore) lock();
      const { stdout, status } = await failover.watched(
        (line, send) => {
          lock();
          if (isStep(line, 'make-read-only', 'running')) setTimeout(() => send('SIGINT'), patience);
        },
        'promote',
        to,
        '--yes',
        '--json',
      );
      stage.mark();
      await stage.accepted();
      await locking;
      // A statement that was left behind would come through now.
      await wait(1500);
      const wasTakenBack = stdout.includes('"outcome":"undone"');
      if (wasTakenBack && (await lookAt(site, spec)).readOnly)
        throw new Error(`promote ended with ${status} and was taken back, and ${primary} is read-only`);
      await stage.accepted();
    },
    heal: nothing,
  };
};

function isStep(line: string, name: string, status: string): boolean {
  return line.includes(`"name":"${name}"`) && line.includes(`"status":"${status}"`);
}

export const twoOperators: MakeRound = (setting) => {
  const delay = setting.random.between(0, 800);
  return {
    kind: 'two operators promote at once',
    changes: 2,
    act: async () => {
      const [one = '', other = ''] = setting.replicas;
      await Promise.all([promote(setting, one), wait(delay).then(async () => await promote(setting, other))]);
    },
    heal: nothing,
  };
};

export const promoteWhile: MakeRound = (setting) => {
  const { site, primary, replicas, random } = setting;
  const { pick, between } = random;
  const fault = pick<FaultName>(['kill', 'hang', 'power', 'freeze']);
  const to = pick(replicas);
  const delay = between(0, 1500);
  return {
    kind: `promote ${to}, and ${fault} of ${primary} after ${Math.round(delay)} ms`,
    changes: 3,
    act: async (stage) => {
      const promoting = promote(setting, to);
      await wait(delay);
      await FAULTS[fault].cause(site, primary);
      stage.mark();
      await promoting;
      await stage.accepted();
    },
    heal: async () => await FAULTS[fault].heal(site, primary),
  };
};

/** The data of a replica are being thrown away and copied when the primary, or the one that they come from, dies. */
export const copyWhile: MakeRound = ({ site, failover, primary, replicas, random }) => {
  const { pick, between } = random;
  const copied = pick(replicas);
  const fault = pick<FaultName>(['kill', 'stop', 'hang', 'power', 'isolate']);
  const concerned = pick([primary, primary, ...replicas.filter((name) => name !== copied)]);
  const delay = between(500, 8000);
  return {
    kind: `rejoin ${copied} --clone, and ${fault} of ${concerned} after ${Math.round(delay)} ms`,
    changes: 1,
    // Of three, nobody is left to acknowledge.
    mayStandStill: replicas.length < 3,
    act: async (stage) => {
      const copying = failover('rejoin', copied, '--clone', '--yes', '--json');
      await wait(delay);
      await FAULTS[fault].cause(site, concerned);
      stage.mark();
      if (replicas.length >= 3) await stage.accepted();
      else await wait(between(2000, 10_000));
      await FAULTS[fault].heal(site, concerned);
      await site.ground.lab?.heal();
      const limit = AbortSignal.timeout(COPY_LIMIT_MS);
      const isOver = await Promise.race([
        copying.then(() => true),
        new Promise<boolean>((resolve) => limit.addEventListener('abort', () => resolve(false))),
      ]);
      if (!isOver) throw new Error(`rejoin ${copied} --clone has not ended after ${COPY_LIMIT_MS / 1000} s`);
    },
    heal: async () => await FAULTS[fault].heal(site, concerned),
  };
};
