import test from 'ava';
import fc from 'fast-check';

import { rotate, type RotationPorts } from '../../src/project/rotate.ts';
import {
  fades,
  planRotation,
  ROTATED_SECRETS,
  type RotatedSecret,
  SECRET_NAMES,
  type RotationWish,
  type SecretName,
  type Stage,
} from '../../src/project/rotation.ts';

interface Case {
  readonly title: string;
  readonly stages?: Readonly<Partial<Record<SecretName, Stage>>>;
  readonly wish?: Partial<RotationWish>;
  readonly steps: readonly string[];
}

const cases: readonly Case[] = [
  {
    title: 'one password, from the start',
    wish: { only: ['health'] },
    steps: [
      'make health',
      'accept health',
      'exchange health',
      'use health',
      'refuse-others health',
      'forget health',
    ],
  },
  {
    title: 'a password of no server is not asked of servers',
    wish: { only: ['haproxy_stats'] },
    steps: ['make haproxy_stats', 'exchange haproxy_stats', 'use haproxy_stats', 'forget haproxy_stats'],
  },
  {
    title: 'a key fades, and its servers go on accepting what it signed',
    wish: { only: ['session_key', 'login'] },
    steps: [
      'make login+session_key',
      'accept login+session_key',
      'exchange login+session_key',
      'use login+session_key',
      'fade session_key',
      'refuse-others login+session_key',
      'forget login+session_key',
    ],
  },
  {
    title: 'where there is no store of sessions, nothing of it is rotated',
    stages: { valkey_app: 'settled' },
    steps: [
      'make valkey_app',
      'accept valkey_app',
      'exchange valkey_app',
      'use valkey_app',
      'refuse-others valkey_app',
      'forget valkey_app',
    ],
  },
  {
    title: 'a run that was cut off before the exchange goes on, and with nothing else',
    stages: { backup: 'coming' },
    steps: ['accept backup', 'exchange backup', 'use backup', 'refuse-others backup', 'forget backup'],
  },
  {
    title: 'a run that was cut off after the exchange makes no third password',
    stages: { backup: 'going' },
    steps: ['accept backup', 'use backup', 'refuse-others backup', 'forget backup'],
  },
  {
    title: 'what is named goes on, and what is not named stays in the middle',
    stages: { backup: 'going', failover: 'coming' },
    wish: { only: ['failover'] },
    steps: [
      'accept failover',
      'exchange failover',
      'use failover',
      'refuse-others failover',
      'forget failover',
    ],
  },
  {
    title:
      'taking back before the exchange: something may use the new one after a first attempt to take back',
    stages: { backup: 'coming' },
    wish: { undo: true },
    steps: ['accept backup', 'use backup', 'refuse-others backup', 'forget backup'],
  },
  {
    title: 'taking back after the exchange',
    stages: { backup: 'going', health: 'coming' },
    wish: { undo: true },
    steps: [
      'accept health+backup',
      'exchange-back backup',
      'use health+backup',
      'refuse-others health+backup',
      'forget health+backup',
    ],
  },
  { title: 'nothing to take back', wish: { undo: true }, steps: [] },
  { title: 'nothing of what is named to take back', wish: { undo: true, only: ['backup'] }, steps: [] },
];

for (const { title, stages = {}, wish = {}, steps } of cases) {
  test(title, (t) => {
    const known = new Map(Object.entries(stages) as [SecretName, Stage][]);
    const planned = planRotation(known, { only: undefined, undo: false, ...wish });
    t.deepEqual(
      planned.map(({ do: what, secrets }) => `${what} ${secrets.join('+')}`),
      steps,
    );
  });
}

const ALL_TAGS = ['mysql', 'valkey', 'app', 'failover', 'haproxy'];

class Cut extends Error {}

/** A site: what the files hold, what the servers accept, and with what each user of a password comes. */
class Site implements RotationPorts {
  readonly files = new Map(
    SECRET_NAMES.map((name) => [name, { present: 0, coming: -1, going: -1, before: -1 }]),
  );
  readonly accepted = new Map(SECRET_NAMES.map((name) => [name, new Set([0])]));
  /** Of each password: the app, a replica's channel, the watch; some of them are late in a run that is cut off. */
  readonly used = new Map(SECRET_NAMES.map((name) => [name, [0, 0, 0]]));
  /** Changes until the run is cut off. */
  left = Number.POSITIVE_INFINITY;
  #made = 0;

  makeNext(secret: SecretName): void {
    const file = this.#file(secret);
    if (file.coming === -1) this.#change(() => (file.coming = ++this.#made));
  }

  exchange(secret: SecretName): void {
    const file = this.#file(secret);
    this.#change(() => (file.going = file.present));
    this.#change(() => {
      file.present = file.coming;
      file.coming = -1;
    });
  }

  exchangeBack(secret: SecretName): void {
    const file = this.#file(secret);
    this.#change(() => (file.coming = file.present));
    this.#change(() => {
      file.present = file.going;
      file.going = -1;
    });
  }

  forgetOthers(secret: SecretName): void {
    const file = this.#file(secret);
    this.#change(() => (file.coming = -1));
    this.#change(() => (file.going = -1));
  }

  async runRoles(tags: readonly string[], alone: readonly string[]): Promise<void> {
    for (const name of SECRET_NAMES) {
      const row: RotatedSecret = ROTATED_SECRETS[name];
      if (row.acceptedBy !== undefined && tags.includes(row.acceptedBy))
        this.#change(() => this.accepted.set(name, this.#wanted(name, alone.includes(row.file))));
      // The role mysql makes the replicas log in with the present password; the others go with their own tags.
      const users = this.used.get(name) ?? [];
      for (const index of users.keys()) {
        const isSwitched = row.tags.some((tag) => tags.includes(tag) && (tag !== 'mysql' || index === 1));
        if (isSwitched) this.#change(() => (users[index] = this.#file(name).present));
      }
      this.#judge();
    }
  }

  async seeAccepted(secrets: readonly SecretName[], second: 'too' | 'no more'): Promise<void> {
    for (const name of secrets) {
      const wanted = this.#wanted(name, second === 'no more');
      const accepted = this.accepted.get(name) ?? new Set();
      if (!fades(name) && (wanted.size !== accepted.size || [...wanted].some((one) => !accepted.has(one))))
        throw new Error(`${name} is not accepted as it should be`);
    }
  }

  stages(): ReadonlyMap<SecretName, Stage> {
    return new Map(
      SECRET_NAMES.map((name): [SecretName, Stage] => {
        const { present, coming, going } = this.#file(name);
        const others = [coming, going].map((one) => one !== -1 && one !== present);
        return [name, others[0] ? 'coming' : others[1] ? 'going' : 'settled'];
      }),
    );
  }

  fade(name: SecretName): void {
    const file = this.#file(name);
    const second = file.coming === -1 ? file.going : file.coming;
    this.#change(() => (file.before = second));
  }

  #file(name: SecretName): { present: number; coming: number; going: number; before: number } {
    const file = this.files.get(name);
    if (file === undefined) throw new Error(name);
    return file;
  }

  #wanted(name: SecretName, alone: boolean): Set<number> {
    const { present, coming, going, before } = this.#file(name);
    return new Set([present, ...(alone ? [] : [coming, going, before].filter((one) => one !== -1))]);
  }

  #change(work: () => unknown): void {
    if (this.left-- <= 0) throw new Cut();
    work();
    this.#judge();
  }

  /** The invariant, judged after each change: nobody is locked out, operators included, who come with the file's. */
  #judge(): void {
    for (const name of SECRET_NAMES) {
      if (!('acceptedBy' in ROTATED_SECRETS[name])) continue;
      const accepted = this.accepted.get(name) ?? new Set();
      for (const password of [this.#file(name).present, ...(this.used.get(name) ?? [])])
        if (!accepted.has(password)) throw new Error(`${name}: ${password} is used and not accepted`);
    }
  }
}

const names = fc.option(fc.subarray([...SECRET_NAMES], { minLength: 1 }), { nil: undefined });
const attempts = fc.array(
  fc.record({ only: names, undo: fc.boolean(), left: fc.nat(60), up: fc.boolean() }),
  { maxLength: 8 },
);

test('wherever runs are cut off, undone and begun again, nothing is locked out, and one more run ends it', async (t) => {
  await fc.assert(
    fc.asyncProperty(attempts, fc.boolean(), async (runs, undo) => {
      const site = new Site();
      for (const { only, undo: back, left, up } of runs) {
        site.left = left;
        try {
          await rotate(planRotation(site.stages(), { only, undo: back }), site, () => {});
        } catch (error) {
          if (!(error instanceof Cut)) throw error;
        }
        site.left = Number.POSITIVE_INFINITY;
        // Anybody may run the playbook in between.
        if (up) await site.runRoles(ALL_TAGS, []);
      }
      const isUnfinished = [...site.stages().values()].some((stage) => stage !== 'settled');
      await rotate(planRotation(site.stages(), { only: undefined, undo }), site, () => {});
      t.true([...site.stages().values()].every((stage) => stage === 'settled'));
      if (!isUnfinished) return;
      await site.runRoles(ALL_TAGS, []);
      for (const name of SECRET_NAMES) {
        const present = site.files.get(name)?.present;
        t.deepEqual(site.used.get(name), [present, present, present]);
      }
    }),
    { numRuns: 3000 },
  );
});
