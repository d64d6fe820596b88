import type { RotationStep, SecretName } from './rotation.ts';
import { fades, ROTATED_SECRETS, tagsOf } from './rotation.ts';

/** What a rotation acts on. Everything may be repeated. */
export interface RotationPorts {
  makeNext(secret: SecretName): void;
  exchange(secret: SecretName): void;
  exchangeBack(secret: SecretName): void;
  forgetOthers(secret: SecretName): void;
  /** Keeps what is beside the present one with the time until which it counts. */
  fade(secret: SecretName): void;
  /** Runs the roles of these tags on all hosts; `alone` are the files beside whose passwords no other is accepted. */
  runRoles(tags: readonly string[], alone: readonly string[]): Promise<void>;
  /** Waits until every server accepts the present password of these, and the one beside it as well, or not at all. */
  seeAccepted(secrets: readonly SecretName[], second: 'too' | 'no more'): Promise<void>;
}

/** Carries the steps of a rotation out, one after the other; it rejects at the first that fails. */
export async function rotate(
  steps: readonly RotationStep[],
  ports: RotationPorts,
  report: (step: RotationStep) => void,
): Promise<void> {
  for (const step of steps) {
    report(step);
    await carryOut(step, ports);
  }
}

async function carryOut(step: RotationStep, ports: RotationPorts): Promise<void> {
  const { secrets } = step;
  switch (step.do) {
    case 'make':
      return secrets.forEach((secret) => ports.makeNext(secret));
    case 'accept':
      await ports.runRoles(tagsOf(step), []);
      return await ports.seeAccepted(secrets, 'too');
    case 'exchange':
      return secrets.forEach((secret) => ports.exchange(secret));
    case 'exchange-back':
      return secrets.forEach((secret) => ports.exchangeBack(secret));
    case 'use':
      return await ports.runRoles(tagsOf(step), []);
    case 'fade':
      return secrets.forEach((secret) => ports.fade(secret));
    case 'refuse-others':
      await ports.runRoles(
        tagsOf(step),
        secrets.filter((secret) => !fades(secret)).map((secret) => ROTATED_SECRETS[secret].file),
      );
      return await ports.seeAccepted(secrets, 'no more');
    case 'forget':
      return secrets.forEach((secret) => ports.forgetOthers(secret));
  }
}
