import { createInterface } from 'node:readline/promises';
import { setTimeout as wait } from 'node:timers/promises';

import type { Plan } from '../../failover/plan/action.ts';
import type { Lease } from '../../failover/coordination/coordination.ts';
import { EMPTY_MEMORY } from '../../failover/coordination/empty-memory.ts';
import { yields } from '../../failover/plan/yields.ts';
import { execute } from '../../failover/execute/execute.ts';
import type { Outcome } from '../../failover/execute/outcome.ts';
import { planJson, primaryNames, resultJson, sourceName, stepJson } from '../../failover/output/json.ts';
import { observe, type ObserveOptions, type Patience } from '../../failover/reach/observe.ts';
import { heldOfPrimary } from '../../failover/cluster/copies.ts';
import { primaryOf } from '../../failover/cluster/primary.ts';
import { problems } from '../../failover/problems/problems.ts';
import { acceptable } from '../../failover/plan/accept.ts';
import type { Planned } from '../../failover/plan/refusals.ts';
import type { RiskCode } from '../../failover/plan/risks.ts';
import type { Instance, Topology } from '../../failover/cluster/topology.ts';
import { EXIT, UserError } from '../../lib/errors.ts';
import { palette, type Palette, wantsColour } from '../../report/palette.ts';
import { askAboutRisks, type Force, NO_FORCE } from './force.ts';
import { operatorName } from './options.ts';
import { mustAnswer, observeSomebody, type Session } from './session.ts';
import { asks, type AskOptions } from './change-asks.ts';
import { acquire, copyOf, giveWay, underCopyLock } from './change-lock.ts';
import { changeView } from './change-view.ts';
import { print, textStream } from './change-output.ts';
import { nothingToForce, refuse } from './change-refuse.ts';
import { planText, resultText } from './change-text.ts';
import { topologyText } from './topology-text.ts';

export interface ChangeOptions extends AskOptions {
  readonly json: boolean;
  readonly reason: string;
  readonly signal: AbortSignal;
  /** What is about to be done, for the lock: `promote db2`. */
  readonly purpose: string;
  /** A dead primary may be replaced. STOP REPLICA then waits for who seeks it, until their machines hasten that. */
  readonly mayReplace?: boolean | undefined;
  /** Printed above the plan. */
  readonly preface?: ((topology: Topology) => string | undefined) | undefined;
  /** Adds to a look at the cluster what takes longer to read. `isShown`: somebody reads the plan before anything is done. */
  readonly deepen?: ((topology: Topology, isShown: boolean) => Promise<Topology>) | undefined;
  /** What is left to do when the data of an instance have been replaced by a copy. */
  readonly afterCopy?: MakePlan | undefined;
  /** What the operator accepts. */
  readonly force?: Force | undefined;
}

type MakePlan = (topology: Topology, accepts: readonly RiskCode[]) => Planned & { readonly again?: boolean };

/** How long a topology may take to become what the plan made it. */
const VERIFY_MS = 5000;
const VERIFY_PAUSE_MS = 50;
/** How long replicas may seem to hear a primary that is silent to us, until that is a reason to refuse. */
const HEARD_MS = 5000;
const HEARD_PAUSE_MS = 200;
const SECOND_PATIENCE_MS = 150;

/** Plans, asks, takes the lock, plans again with it in hand, carries out, and shows what came of it. */
export async function change(session: Session, makePlan: MakePlan, options: ChangeOptions): Promise<void> {
  const styles = palette(wantsColour(textStream(options.json), process.env));
  let { force = NO_FORCE } = options;
  if (typeof options.harmless !== 'function' && asks(options) && !force.asks) mustBeAskable();
  const { ports, cluster } = session;
  const onSought =
    options.mayReplace === true && !options.dryRun
      ? (seekers: readonly string[]) => seekers.forEach((name) => ports.machines.get(name)?.approach?.())
      : undefined;
  let startedAt = 0;
  const owner = { who: operatorName(), purpose: options.purpose };
  let agreed: Plan | undefined;
  let before: Promise<Topology | undefined>;
  if (asks(options) || options.dryRun || force.asks) {
    const { topology, planned } = await lookAndPlan(
      session,
      makePlan,
      { ...options, force },
      { isShown: true, onSought },
    );
    const possible = acceptable((accepts) => makePlan(topology, accepts), force.accepts);
    const canAsk = process.stdin.isTTY && !options.yes && !options.dryRun;
    if (force.asks && !canAsk && possible.needed.length === 0 && 'plan' in planned) throw nothingToForce();
    if ('refusals' in planned && !(force.asks && canAsk && 'plan' in possible.planned)) {
      refuse(planned.refusals, possible, {
        session,
        json: options.json,
        preface: options.preface?.(topology) ?? '',
        force,
        styles,
      });
      return;
    }
    if ('refusals' in planned) {
      await askAboutRisks(possible.needed, {
        signal: options.signal,
        styles,
        redact: (text) => session.redact(text),
      });
      force = { ...force, accepts: [...force.accepts, ...possible.needed.map(({ risk }) => risk)] };
    }
    const plan = 'plan' in planned ? planned.plan : (possible.planned as { readonly plan: Plan }).plan;
    show(plan, session, options, styles, options.preface?.(topology));
    if (options.dryRun) return;
    if (asks(options, plan)) await confirm(plan, options);
    startedAt = performance.now();
    agreed = plan;
    before = Promise.resolve(topology);
  } else {
    // Only what is read with the lock in hand counts; but the ways are open then, and who is silent is known.
    before = observe(cluster, ports, { memory: EMPTY_MEMORY, onSought }).catch(() => undefined);
  }
  const held = { lease: await acquire(session, owner) };
  try {
    // Who is silent is still being waited for, beside what is asked now.
    const patience = before.then(patienceForPrimary);
    const elapsedMs = (): number => performance.now() - startedAt;
    const holding = { held, agreed, styles, patience, onSought, elapsedMs };
    await carryOut(session, makePlan, { ...options, force }, holding);
  } finally {
    await held.lease.release();
  }
}

function mustBeAskable(): void {
  if (process.stdin.isTTY) return;
  throw new UserError({
    message: 'this interrupts service, and without a terminal nobody can be asked',
    hint: 'add --yes, or --dry-run to see what would be done',
  });
}

/**
 * Replicas notice the death of their source later than we do, since heartbeats come every second: that they still hear
 * it is looked at again for a while before it is believed.
 */
async function lookAndPlan(
  session: Session,
  makePlan: MakePlan,
  { signal, force = NO_FORCE, deepen = (seen) => Promise.resolve(seen) }: ChangeOptions,
  { isShown = false, ...first }: ObserveOptions & { readonly isShown?: boolean } = {},
): Promise<{ readonly topology: Topology; readonly planned: Planned & { readonly again?: boolean } }> {
  const until = performance.now() + HEARD_MS;
  for (let how: ObserveOptions = first; ; how = {}) {
    const seen = await observeSomebody(session, { ...how, signal });
    mustAnswer(seen);
    const topology = await deepen(seen, isShown);
    const planned = makePlan(topology, force.accepts);
    const mayPass =
      'refusals' in planned && planned.refusals.every(({ code }) => code === 'PrimaryIsHeardOf');
    if (!mayPass || performance.now() > until) return { topology, planned };
    await wait(HEARD_PAUSE_MS, undefined, { signal });
  }
}

interface Holding {
  /** The cluster's; while data are copied it is given back, and taken again afterwards. */
  readonly held: { lease: Lease };
  readonly agreed: Plan | undefined;
  readonly styles: Palette;
  readonly patience: Promise<Patience>;
  readonly onSought: ObserveOptions['onSought'];
  /** Milliseconds since the program was started, or since the question was answered. */
  readonly elapsedMs: () => number;
}

/**
 * A primary that has been waited for to the end is asked again, and not waited for as long again. A candidate is: that it
 * was slow once is no reason to refuse it.
 */
function patienceForPrimary(topology: Topology | undefined): Patience {
  const view = topology && primaryOf(topology);
  return view && 'primary' in view && view.primary.kind === 'silent'
    ? patienceFor(topology, [view.primary])
    : new Map();
}

function patienceFor(
  topology: Topology,
  silent: readonly Instance[] = topology.instances.filter((instance) => instance.kind === 'silent'),
): Patience {
  // When most are silent it is more likely us, and each gets its full time again.
  if (silent.length * 2 >= topology.instances.length) return new Map();
  return new Map(silent.map((instance) => [instance.spec.name, SECOND_PATIENCE_MS] as const));
}

async function carryOut(
  session: Session,
  makePlan: MakePlan,
  options: ChangeOptions,
  holding: Holding,
): Promise<void> {
  const { agreed, styles, patience, onSought } = holding;
  let nextPlan = makePlan;
  // What must be known first is a plan of its own, and then there is another: never many.
  for (let round = 1; round <= 5; round++) {
    const { topology, planned } = await lookAndPlan(
      session,
      nextPlan,
      options,
      round === 1 ? { patience, onSought } : {},
    );
    if ('refusals' in planned) {
      const { force = NO_FORCE } = options;
      const possible = acceptable((accepts) => nextPlan(topology, accepts), force.accepts);
      const preface = agreed ? '' : (options.preface?.(topology) ?? '');
      refuse(planned.refusals, possible, { session, json: options.json, preface, force, styles });
      return;
    }
    const { plan } = planned;
    if (agreed && round === 1 && (isOther(agreed, plan) || (asks(options, plan) && !asks(options, agreed)))) {
      throw new UserError(
        {
          message: `while you were asked, the cluster changed: it would now be ${headline(plan)}`,
          hint: 'nothing was done; run the command again',
        },
        { exitCode: EXIT.failed },
      );
    }
    if (!agreed) show(plan, session, options, styles, options.preface?.(topology));
    const copy = options.afterCopy && copyOf(plan, topology);
    if (copy !== undefined) {
      const { held } = holding;
      const outcome = await underCopyLock(
        session,
        copy.to,
        held,
        { ...options, before: heldOfPrimary(topology, copy.to) },
        (lease) => run(session, copy, topology, options, { ...holding, lease }),
      );
      if (outcome.outcome !== 'done') {
        await finish(session, outcome, options, styles);
        return;
      }
      nextPlan = options.afterCopy ?? nextPlan;
      continue;
    }
    const outcome = await run(session, plan, topology, options, { ...holding, lease: holding.held.lease });
    const isLast = planned.again !== true || outcome.outcome !== 'done';
    if (isLast) {
      await finish(session, outcome, options, styles);
      return;
    }
  }
  throw new Error('planning again and again led nowhere');
}

async function run(
  session: Session,
  plan: Plan,
  topology: Topology,
  options: ChangeOptions,
  { lease, styles, elapsedMs }: Pick<Holding, 'styles' | 'elapsedMs'> & { readonly lease: Lease },
): Promise<Outcome> {
  const view = await changeView(plan, {
    json: options.json,
    styles,
    redact: (text) => session.redact(text),
    elapsedMs,
  });
  const way = yields(plan) ? giveWay(session) : undefined;
  try {
    return await execute(plan, {
      cluster: session.cluster,
      ports: session.ports,
      lease,
      topology,
      who: operatorName(),
      reason: options.reason,
      signal: way ? AbortSignal.any([options.signal, way.signal]) : options.signal,
      report: (event) => {
        view.step(event);
        if (options.json) print(session, stepJson(event));
      },
      progress: (instance, line) => view.progress(instance, line),
    });
  } finally {
    way?.stop();
    await view.close();
    if (way?.signal.aborted)
      process.stderr.write('a failover needs the lock, so this gave way; run it again when that is over\n');
  }
}

/** Reads the cluster until it is what it should be, and tells. */
async function finish(
  session: Session,
  outcome: Outcome,
  options: ChangeOptions,
  styles: Palette,
): Promise<void> {
  const { topology, isRight } = await verified(session, outcome);
  const out = textStream(options.json);
  const found = problems(topology, session.cluster.settings);
  out.write(session.redact(`\n${resultText(outcome, styles)}\n\n${topologyText(topology, found, styles)}`));
  if (options.json) print(session, resultJson(outcome, isRight));
  if (outcome.outcome === 'done' && isRight && outcome.left.length === 0) return;
  process.exitCode = options.signal.aborted && outcome.outcome === 'undone' ? EXIT.interrupted : EXIT.failed;
}

async function verified(
  session: Session,
  outcome: Outcome,
): Promise<{ topology: Topology; isRight: boolean }> {
  const until = performance.now() + (outcome.outcome === 'done' ? VERIFY_MS : 0);
  let patience: Patience = new Map();
  for (;;) {
    const topology = await observe(session.cluster, session.ports, { patience });
    patience = patienceFor(topology);
    const isRight = isAsPlanned(topology, outcome);
    if (isRight || performance.now() >= until) return { topology, isRight };
    await wait(VERIFY_PAUSE_MS);
  }
}

function isAsPlanned(topology: Topology, outcome: Outcome): boolean {
  if (outcome.outcome !== 'done') return false;
  if (outcome.kind !== 'switchover' && outcome.kind !== 'failover') {
    const instance = topology.instances.find(({ spec }) => spec.name === outcome.to);
    if (outcome.kind === 'remove')
      return instance?.kind !== 'answering' || instance.state.replication === undefined;
    if (instance?.kind !== 'answering') return false;
    return instance.state.replication === undefined || instance.state.replication.receiver === 'on';
  }
  const view = primaryOf(topology);
  if (view.kind !== 'writable' || primaryNames(view)[0] !== outcome.to) return false;
  const left = new Set(outcome.left.length > 0 ? [outcome.from] : []);
  return (
    topology.instances.every(
      (instance) =>
        instance.kind === 'silent' ||
        instance.spec.name === outcome.to ||
        left.has(instance.spec.name) ||
        (outcome.from === instance.spec.name && !outcome.rejoined.includes(instance.spec.name)) ||
        (sourceName(topology, instance) !== undefined && instance.state.replication?.receiver === 'on'),
    ) &&
    topology.balancers.every(
      ({ reachable, writers }) =>
        !reachable || (writers.length === 1 && writers[0] === view.primary.spec.host),
    )
  );
}

function show(
  plan: Plan,
  session: Session,
  options: ChangeOptions,
  styles: Palette,
  preface: string | undefined,
): void {
  const out = textStream(options.json);
  if (preface !== undefined && preface !== '') out.write(session.redact(`${preface}\n`));
  // Who is asked sees as much as --dry-run shows.
  out.write(session.redact(`${planText(plan, styles, options.dryRun || asks(options, plan))}\n`));
  if (options.json && options.dryRun) print(session, planJson(plan));
}

async function confirm(plan: Plan, options: ChangeOptions): Promise<void> {
  mustBeAskable();
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`${capital(headline(plan))}? [y/N] `, { signal: options.signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw new UserError('nothing was done');
  } finally {
    terminal.close();
  }
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/** `switchover db1 → db2`. */
function headline(plan: Plan): string {
  return plan.from === undefined ? `${plan.kind} of ${plan.to}` : `${plan.kind} ${plan.from} → ${plan.to}`;
}

/** More transactions may have come and gone; what matters is what it does and what it costs. */
function isOther(agreed: Plan, plan: Plan): boolean {
  return (
    agreed.kind !== plan.kind ||
    agreed.from !== plan.from ||
    agreed.to !== plan.to ||
    agreed.lostCount < plan.lostCount ||
    (plan.accepted ?? []).some((risk) => !agreed.accepted?.includes(risk))
  );
}
