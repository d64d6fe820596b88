import type { Plan, Stage } from './action.ts';
import type { FailoverSettings } from '../cluster/cluster.ts';
import { compact, step } from './steps.ts';
import { stuckThreads } from '../cluster/stuck.ts';
import type { Survey } from '../cluster/survey.ts';
import type { Answering, Instance } from '../cluster/topology.ts';

/**
 * Makes an instance stop taking writes, so that its transactions can be compared. Where commits wait for an
 * acknowledgement that does not come, `super_read_only` would wait for them, and switching semi-sync off would tell
 * their clients OK. There the plan stops the server and starts it again, which ends the sessions first; the server
 * starts read-only.
 */
export function closePlan(survey: Survey, instance: Answering, primary: Answering | undefined): Plan {
  const { settings } = survey;
  const { name } = instance.spec;
  const isStuck = stuckThreads(instance.state).length > 0;
  return {
    ...rejoinPlan(instance, [
      [
        step(settings, { do: 'end-writers', instance: name }, { optional: true }),
        ...(isStuck
          ? [step(settings, { do: 'end-clients', instance: name }, { name: 'end-clients-before' })]
          : []),
      ],
      ...(isStuck
        ? [
            [step(settings, { do: 'fence', instance: name })],
            [step(settings, { do: 'unfence', instance: name })],
          ]
        : []),
      [step(settings, { do: 'make-read-only', instance: name })],
      [step(settings, { do: 'end-clients', instance: name })],
      [
        step(settings, { do: 'persist-read-only', instance: name }, { optional: true }),
        ...(primary
          ? [step(settings, { do: 'point-writers', instance: primary.spec.name }, { optional: true })]
          : []),
      ],
    ]),
    notes: [`${name} is made read-only first; what it has decides what follows`],
  };
}

/** Whether the plan keeps an instance from taking writes, and so interrupts whoever writes there. */
export function closes({ stages }: Plan): boolean {
  return stages.flat().some(({ action }) => action.do === 'make-read-only');
}

/** Fences the machine when the server itself cannot be made read-only. */
export function fencePlan(settings: FailoverSettings, instance: Instance): Plan {
  const { name } = instance.spec;
  return {
    ...rejoinPlan(instance, [
      [
        step(settings, { do: 'end-writers', instance: name }, { optional: true }),
        step(settings, { do: 'fence', instance: name }),
      ],
    ]),
    notes: [`${name} takes writes and cannot be told not to, so mysqld is stopped there`],
  };
}

/** The frame of every plan that brings an instance back as a replica. */
export function rejoinPlan(instance: Instance, stages: readonly Stage[]): Plan {
  return {
    kind: 'rejoin',
    from: undefined,
    to: instance.spec.name,
    notes: [],
    lost: '',
    lostCount: 0,
    stages: compact(stages),
  };
}
