import { globSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Declared } from './ava.ts';

/*
 * A test runner for Stryker that runs the project's own tests of the pure cores in one process: a mutant costs
 * milliseconds, where a process of AVA each would cost seconds.
 */

const TESTS = [
  'test/database/{gtid,origins,version}.test.ts',
  'test/failover/problems/*.test.ts',
  'test/failover/plan/*.test.ts',
];

const LEFT_OUT = new Set([
  // It reads the sources as text, which are instrumented here.
  'every condition that refuses a promotion has a case',
  // Two seconds for each mutant; the property beside it has the same kind of scenarios.
  'every prefix of a switchover and of a failover is finished or taken back',
]);
/** Scenarios of the model, for each mutant that nothing else has found. */
const MODEL_RUNS = '40';

/** What instrumented code reads and writes (Stryker's own global). */
interface Instrumentation {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: unknown;
}

interface MutantRun {
  readonly activeMutant: { readonly id: string };
  readonly testFilter?: readonly string[];
  readonly hitLimit?: number;
}

const instrumentation = sharedInstrumentation();

function sharedInstrumentation(): Instrumentation {
  const name = '__stryker__';
  const shared = (Reflect.get(globalThis, name) as Instrumentation | undefined) ?? {};
  Reflect.set(globalThis, name, shared);
  return shared;
}

class InProcess {
  #tests: Declared[] | undefined;

  capabilities(): { readonly reloadEnvironment: boolean } {
    return { reloadEnvironment: false };
  }

  async dryRun(): Promise<object> {
    const tests = [];
    for (const one of await this.#load()) {
      instrumentation.currentTestId = one.title;
      const startedAt = performance.now();
      const failure = await outcomeOf(one);
      const about = { id: one.title, name: one.title, timeSpentMs: performance.now() - startedAt };
      tests.push(
        failure === undefined ? { ...about, status: 0 } : { ...about, status: 1, failureMessage: failure },
      );
    }
    instrumentation.currentTestId = undefined;
    return { status: 'complete', tests, mutantCoverage: instrumentation.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit }: MutantRun): Promise<object> {
    instrumentation.activeMutant = activeMutant.id;
    instrumentation.hitCount = hitLimit === undefined ? undefined : 0;
    instrumentation.hitLimit = hitLimit;
    // What runs while a file is loaded is mutated only when it is loaded now.
    const tests = await this.#load();
    const chosen = testFilter === undefined ? tests : tests.filter((one) => testFilter.includes(one.title));
    let count = 0;
    for (const one of chosen) {
      count++;
      const failureMessage = await outcomeOf(one);
      if (failureMessage === undefined) continue;
      const isEndless = (instrumentation.hitCount ?? 0) > (instrumentation.hitLimit ?? Infinity);
      if (isEndless) return { status: 'timeout', reason: 'it runs on and on' };
      return { status: 'killed', killedBy: [one.title], failureMessage, nrOfTests: count };
    }
    return { status: 'survived', nrOfTests: count };
  }

  async #load(): Promise<Declared[]> {
    if (this.#tests) return this.#tests;
    process.env['UNDERSTUDY_MODEL_RUNS'] = MODEL_RUNS;
    const ava = pathToFileURL(join(process.cwd(), 'scripts/mutation/ava.ts')).href;
    registerHooks({
      resolve: (specifier, context, next) =>
        specifier === 'ava' ? { url: ava, shortCircuit: true } : next(specifier, context),
    });
    for (const file of globSync(TESTS, { cwd: process.cwd() }).toSorted())
      await import(pathToFileURL(join(process.cwd(), file)).href);
    const { declared } = (await import(ava)) as { readonly declared: readonly Declared[] };
    this.#tests = declared.filter(({ title }) => !LEFT_OUT.has(title));
    return this.#tests;
  }
}

async function outcomeOf(one: Declared): Promise<string | undefined> {
  try {
    await one.run();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 300) : String(error);
  }
}

export const strykerPlugins = [{ kind: 'TestRunner', name: 'in-process', factory: () => new InProcess() }];
