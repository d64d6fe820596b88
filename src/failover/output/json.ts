import { unreachable } from '../../lib/errors.ts';
import { hostPort } from '../../lib/host-port.ts';
import type { Plan } from '../plan/action.ts';
import type { Candidate } from '../plan/candidates.ts';
import type { JournalEntry } from '../coordination/records.ts';
import type { Outcome, StepEvent } from '../execute/outcome.ts';
import { instanceOf } from '../execute/carry-out.ts';
import type { AnalysisJson, ChangeLine, HistoryJson, SessionStoreJson, StatusJson } from './json-schema.ts';
import { abilitiesIn } from '../cluster/abilities.ts';
import { pauseAt } from '../cluster/pause.ts';
import { type PrimaryView, primaryOf } from '../cluster/primary.ts';
import type { Problem } from '../problems/problems.ts';
import type { Refusal } from '../plan/refusals.ts';
import { riskName } from '../plan/risks.ts';
import type { Instance, Topology } from '../cluster/topology.ts';
import { watchersOf } from '../watch/presence.ts';

/** The names of the primary, or of every instance that may be it when there are several. */
export function primaryNames(view: PrimaryView): readonly string[] {
  switch (view.kind) {
    case 'writable':
    case 'read-only':
    case 'overloaded':
    case 'unreachable':
    case 'dead':
    case 'unknown':
      return [view.primary.spec.name];
    case 'several':
      return [...view.writable, ...(view.unreachable ? [view.unreachable] : [])].map(
        (instance) => instance.spec.name,
      );
    case 'none':
      return [];
    default:
      return unreachable(view);
  }
}

/** The instance that a replica follows: its name, or the address when it is none of the cluster's. */
export function sourceName(topology: Topology, instance: Instance): string | undefined {
  if (instance.kind === 'silent' || !instance.state.replication) return undefined;
  const { sourceHost, sourcePort } = instance.state.replication;
  const source = topology.instances.find(
    ({ spec }) => spec.address === sourceHost && spec.port === sourcePort,
  );
  return source?.spec.name ?? hostPort(sourceHost, sourcePort);
}

export function statusJson(
  topology: Topology,
  found: readonly Problem[],
  ms: number,
  sessions: SessionStoreJson | null = null,
): StatusJson {
  const primaries = primaryNames(primaryOf(topology));
  const paused = pauseAt(topology.memory, topology.at);
  return {
    cluster: topology.cluster,
    epoch: topology.memory.epoch,
    primary: primaries.length === 1 ? (primaries[0] ?? null) : null,
    paused: paused?.reason ?? null,
    pausedUntil: paused?.until === undefined ? null : new Date(paused.until).toISOString(),
    watchers: [...watchersOf(topology.memory, topology.at).present],
    instances: topology.instances.map((instance) => {
      const { spec } = instance;
      const state = instance.kind === 'answering' ? instance.state : undefined;
      const replication = state?.replication;
      return {
        name: spec.name,
        host: spec.host,
        address: spec.address,
        port: spec.port,
        role: primaries.includes(spec.name) ? 'primary' : replication ? 'replica' : 'unknown',
        reachable: state !== undefined,
        silence: instance.kind === 'silent' ? instance.silence.message : null,
        flavour: state?.version.flavour ?? null,
        version: state?.version.text ?? null,
        readOnly: state?.readOnly ?? null,
        superReadOnly: state?.superReadOnly ?? null,
        gtidExecuted: state?.executed.toString() ?? null,
        source: sourceName(topology, instance) ?? null,
        receiver: replication?.receiver ?? null,
        applier: replication?.applier ?? null,
        lagSeconds: replication?.lagSeconds ?? null,
        semiSync: {
          source: state?.semiSync.source.active ?? null,
          replica: state?.semiSync.replica.active ?? null,
          ackers: state?.semiSync.source.ackers ?? null,
        },
        promotionRule: spec.rule,
        problems: found.filter((problem) => problem.instance === spec.name).map((problem) => problem.code),
      };
    }),
    balancers: topology.balancers.map((balancer) => ({
      name: balancer.name,
      kind: abilitiesIn(balancer).kind,
      reachable: balancer.reachable,
      writers: [...balancer.writers],
    })),
    problems: found.map(problemJson),
    sessions,
    ms: Math.round(ms),
  };
}

export function analysisJson(
  topology: Topology,
  found: readonly Problem[],
  ranked: readonly Candidate[],
): AnalysisJson {
  const primaries = primaryNames(primaryOf(topology));
  return {
    cluster: topology.cluster,
    primary: primaries.length === 1 ? (primaries[0] ?? null) : null,
    problems: found.map(problemJson),
    candidates: ranked.map(({ name, limitation, behind, advantages, drawbacks }) => ({
      name,
      limitation: limitation ?? null,
      behind: behind ?? null,
      advantages: [...advantages],
      drawbacks: [...drawbacks],
    })),
  };
}

function problemJson({ code, severity, instance, message, remedy }: Problem): StatusJson['problems'][number] {
  return { code, severity, instance: instance ?? null, message, remedy };
}

export function planJson(plan: Plan): ChangeLine {
  return {
    type: 'plan',
    kind: plan.kind,
    from: plan.from ?? null,
    to: plan.to,
    notes: [...plan.notes],
    lostGtids: plan.lost,
    accepted: (plan.accepted ?? []).map(riskName),
    steps: plan.stages.flatMap((stage, index) =>
      stage.map((step) => ({
        name: step.name,
        instance: instanceOf(step.action) ?? null,
        stage: index + 1,
      })),
    ),
  };
}

export function stepJson({ name, instance, status, ms, message }: StepEvent): ChangeLine {
  return {
    type: 'step',
    name,
    instance: instance ?? null,
    status,
    ms,
    ...(message === undefined ? {} : { message }),
  };
}

export function refusalJson(refusals: readonly Refusal[], accept: string | undefined): ChangeLine {
  return {
    type: 'refused',
    refusals: refusals.map(({ code, instance, message, remedy, risk, details }) => ({
      code,
      instance: instance ?? null,
      message,
      remedy,
      forceable: risk !== undefined,
      risk: risk === undefined ? null : riskName(risk),
      details: [...details],
    })),
    accept: accept ?? null,
  };
}

export function resultJson(outcome: Outcome, verified: boolean): ChangeLine {
  return {
    type: 'result',
    id: outcome.id,
    epoch: outcome.epoch,
    kind: outcome.kind,
    outcome: outcome.outcome,
    from: outcome.from ?? null,
    to: outcome.to,
    unwritableMs: outcome.unwritableMs ?? null,
    lostGtids: outcome.lostGtids,
    accepted: outcome.accepted.map(riskName),
    fenced: [...outcome.fenced],
    rejoined: [...outcome.rejoined],
    warnings: [...outcome.warnings],
    left: [...outcome.left],
    verified,
    message: outcome.message ?? null,
    ms: outcome.ms,
  };
}

export function historyJson(entry: JournalEntry): HistoryJson {
  return {
    id: entry.id,
    epoch: entry.epoch,
    at: new Date(entry.at).toISOString(),
    who: entry.who,
    kind: entry.kind,
    reason: entry.reason,
    from: entry.from ?? null,
    to: entry.to,
    outcome: entry.outcome,
    lostGtids: entry.lostGtids,
    ...(entry.accepted === undefined ? {} : { accepted: [...entry.accepted] }),
    gtids: { ...entry.gtids },
    ms: entry.ms,
    message: entry.message ?? null,
    ...(entry.attempts === undefined ? {} : { attempts: entry.attempts }),
    steps: entry.steps.map(({ name, instance, status, ms, message }) => ({
      name,
      instance: instance ?? null,
      status,
      ms,
      ...(message === undefined ? {} : { message }),
    })),
  };
}
