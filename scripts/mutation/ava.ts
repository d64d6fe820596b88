import { assertions } from './assertions.ts';

/** A test, as the files under test declare it. */
export interface Declared {
  readonly title: string;
  readonly run: () => unknown;
}

/** What stands for the package `ava` while mutants are tested: it only collects. */
export const declared: Declared[] = [];

function test(title: string, implementation: (t: object) => unknown): void {
  declared.push({ title, run: () => implementation(assertions()) });
}

test.serial = test;

// oxlint-disable-next-line import/no-default-export -- AVA's is one
export default test;
