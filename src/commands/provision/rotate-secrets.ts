import { isDeepStrictEqual } from 'node:util';

import { Command, InvalidArgumentError } from 'commander';

import { settings } from '../../config/settings.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { didYouMean } from '../../lib/similar.ts';
import { listed } from '../../lib/listed.ts';
import {
  planRotation,
  type RotationStep,
  SECRET_NAMES,
  type SecretName,
  tagsOf,
} from '../../project/rotation.ts';
import { exchange, exchangeBack, fade, forgetOthers, makeNext } from '../../project/rotation-files.ts';
import { rotate, type RotationPorts } from '../../project/rotate.ts';
import type { CommandContext } from '../context.ts';
import { acquire, giveWay } from '../failover/change-lock.ts';
import { operatorName } from '../failover/options.ts';
import { openableClusters, type Session } from '../failover/session.ts';
import {
  addExamples,
  addExtraVariables,
  addInventoryOptions,
  inventoryOptions,
  type InventoryOptions,
} from './options.ts';
import { confirm } from './confirm.ts';
import { attemptsOf, rotationRefusals, type RotationSite, rotationSite } from './rotation-site.ts';
import { seeLogins } from './rotation-logins.ts';
import { runHoldingLock } from './run-command.ts';
import { loadRun } from './run-load.ts';
import { takeLock } from './run-lock.ts';

/** A run of the playbook as far as this command lets it be chosen. */
const WHOLE_RUN = {
  skipTags: [],
  check: false,
  diff: false,
  yes: true,
  verbose: 0,
  forceHandlers: false,
  list: [],
  syntaxCheck: false,
} as const;

interface RotateFlags {
  readonly only?: readonly SecretName[];
  readonly undo?: true;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** `provision rotate-secrets`: new passwords for the site's accounts, while everything goes on. */
export function rotateSecretsCommand(context: CommandContext): Command {
  const command = new Command('rotate-secrets')
    .description("give the site's accounts new passwords, without an interruption")
    .argument('[playbook]', 'the playbook', settings().playbook);
  addExtraVariables(addInventoryOptions(command, { omit: 'limit' }))
    .option('--only <names>', `only these: ${SECRET_NAMES.join(', ')}`, parseNames)
    .option('--undo', 'take back a rotation that was cut off: the passwords of before')
    .option('-n, --dry-run', 'show every step, and change nothing')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'one JSON object a line on stdout, text for people on stderr');
  addExamples(command, [
    ['provision rotate-secrets', 'all of them; after one that was cut off: goes on with it'],
    ['provision rotate-secrets --only failover,backup', 'some of them'],
    ['provision rotate-secrets --undo', 'back to what was before it was cut off'],
  ]).addHelpText(
    'after',
    '\nExit codes: 0 rotated, 2 refused, or a step failed: nothing is locked out, run it again, 4 a host was unreachable, 130 interrupted.',
  );
  return command.action(async (playbook: string) => {
    const flags = command.opts<RotateFlags>();
    const choice = inventoryOptions(command);
    const { site, steps } = planned(playbook, choice, flags);
    const text = flags.json ? process.stderr : process.stdout;
    if (steps.length === 0) {
      text.write('no rotation was cut off, so there is nothing to take back\n');
      return;
    }
    if (flags.dryRun || !flags.yes) text.write(steps.map((step) => `- ${stepText(step)}\n`).join(''));
    if (flags.json && flags.dryRun)
      for (const step of steps) process.stdout.write(`${JSON.stringify({ type: 'rotate', ...step })}\n`);
    if (flags.dryRun) return;
    if (!flags.yes) await confirm('Rotate these passwords?', context.signal);
    await withClusters(choice, async (sessions) => {
      const lock = takeLock(site.directory, 'provision rotate-secrets');
      try {
        // What is planned counts with the lock in hand: somebody may have rotated while this one asked or connected.
        if (!isDeepStrictEqual(planned(playbook, choice, flags).steps, steps)) throw otherPlan();
        await carryOut(sessions, { playbook, choice, site, steps, flags, signal: context.signal });
      } finally {
        lock.release();
      }
    });
  });
}

function planned(
  playbook: string,
  { inventory, extraVariables: extraVars }: InventoryOptions,
  flags: RotateFlags,
): Pick<Rotation, 'site' | 'steps'> {
  const site = rotationSite({ inventory, playbook, extraVars, only: flags.only });
  return { site, steps: planRotation(site.stages, { only: flags.only, undo: flags.undo ?? false }) };
}

function otherPlan(): UserError {
  return new UserError(
    {
      message: 'meanwhile somebody else has rotated passwords of this inventory',
      hint: 'nothing was done; `provision rotate-secrets --dry-run` shows what is left',
    },
    { exitCode: EXIT.failed },
  );
}

interface Rotation {
  readonly playbook: string;
  readonly choice: InventoryOptions;
  readonly site: RotationSite;
  readonly steps: readonly RotationStep[];
  readonly flags: RotateFlags;
  readonly signal: AbortSignal;
}

/** With every cluster's lock in hand: nobody moves a primary while its replicas get another password. */
async function carryOut(sessions: readonly Session[], rotation: Rotation): Promise<void> {
  const { flags, steps } = rotation;
  const owner = { who: operatorName(), purpose: 'rotate the passwords' };
  const held: (() => Promise<void>)[] = [];
  const locks: AbortSignal[] = [];
  try {
    for (const session of sessions) {
      const lease = await acquire(session, owner);
      const way = giveWay(session);
      held.unshift(async () => {
        way.stop();
        await lease.release();
      });
      locks.push(lease.signal, way.signal);
    }
    const refusals = await rotationRefusals(
      sessions,
      steps.flatMap(({ secrets }) => secrets),
    );
    if (refusals.length > 0) throw new UserError(refusals, { exitCode: EXIT.failed });
    const text = flags.json ? process.stderr : process.stdout;
    await rotate(steps, portsOf(sessions, rotation, AbortSignal.any([rotation.signal, ...locks])), (step) => {
      text.write(`${stepText(step)}\n`);
      if (flags.json) process.stdout.write(`${JSON.stringify({ type: 'rotate', ...step })}\n`);
    });
  } catch (error) {
    if (rotation.signal.aborted || !locks.some((lock) => lock.aborted)) throw error;
    throw new UserError(
      {
        message: 'a failover needs the lock of the cluster, or it was lost; nothing is locked out',
        hint: 'run `provision rotate-secrets` again when `failover status` finds nothing wrong',
      },
      { cause: error, exitCode: EXIT.failed },
    );
  } finally {
    for (const giveBack of held) await giveBack();
  }
}

function portsOf(
  sessions: readonly Session[],
  { playbook, choice, site, flags }: Rotation,
  signal: AbortSignal,
): RotationPorts {
  const { fileOf } = site;
  const { forks } = settings();
  return {
    makeNext: (secret) => makeNext(fileOf(secret)),
    exchange: (secret) => exchange(fileOf(secret)),
    exchangeBack: (secret) => exchangeBack(fileOf(secret)),
    forgetOthers: (secret) => forgetOthers(fileOf(secret)),
    fade: (secret) => fade(fileOf(secret), new Date(Date.now() + site.fadeMs)),
    async runRoles(tags, alone) {
      const one = ['mysql', 'valkey', 'app'].map((role) => [`${role}_one_password`, alone] as const);
      const extraVariables = new Map([...choice.extraVariables, ...one]);
      const options = { ...WHOLE_RUN, ...choice, extraVariables, tags, forks, json: flags.json ?? false };
      const code = await runHoldingLock(await loadRun(playbook, options), options, signal);
      if (code === EXIT.ok) return;
      throw new UserError(
        {
          message: 'not every host took part, so the rotation stops here; nothing is locked out',
          hint: 'run `provision rotate-secrets` again to go on, or with --undo',
        },
        { exitCode: code },
      );
    },
    seeAccepted: async (secrets, second) =>
      await seeLogins(
        sessions.flatMap((session) => attemptsOf(session, site, secrets, second)),
        signal,
      ),
  };
}

const SENTENCES: Readonly<Record<RotationStep['do'], string>> = {
  make: 'make new passwords, beside the present ones',
  accept: 'every server accepts both',
  exchange: 'the new ones become the present ones',
  'exchange-back': 'the ones of before become the present ones again',
  use: 'everything uses the present ones',
  fade: 'what was signed with those of before counts until those logins are over',
  'refuse-others': 'every server accepts the present ones only',
  forget: 'the others are removed',
};

function stepText(step: RotationStep): string {
  const tags = tagsOf(step);
  const roles = tags.length === 0 ? '' : ` (provision up --tags ${tags.join(',')})`;
  return `${SENTENCES[step.do]}${roles}: ${listed(step.secrets)}`;
}

async function withClusters(
  { inventory, extraVariables: extraVars }: InventoryOptions,
  work: (sessions: readonly Session[]) => Promise<void>,
): Promise<void> {
  const open: Session[] = [];
  try {
    for (const cluster of await openableClusters({ inventory, extraVars, withoutStore: false })) {
      const session = await cluster.open();
      open.push(session);
      await session.ports.ready();
    }
    await work(open);
  } finally {
    await Promise.all(open.map((session) => session.close()));
  }
}

function parseNames(text: string): readonly SecretName[] {
  return text.split(',').map((word) => {
    const name = SECRET_NAMES.find((each) => each === word.trim());
    if (name !== undefined) return name;
    const hint = didYouMean(word, SECRET_NAMES) ?? `There are ${SECRET_NAMES.join(', ')}.`;
    throw new InvalidArgumentError(`"${word}" is no password of the site. ${hint}`);
  });
}
