import assert from 'node:assert/strict';

/** AVA's assertions that the tests of the pure cores use. Another one is an error, so none passes unseen. */
export function assertions(): object {
  const known = {
    true: (value: unknown, message?: string) => held(() => assert.equal(value, true, message)),
    false: (value: unknown, message?: string) => held(() => assert.equal(value, false, message)),
    is: (value: unknown, expected: unknown, message?: string) =>
      held(() => assert.ok(Object.is(value, expected), message)),
    not: (value: unknown, other: unknown, message?: string) =>
      held(() => assert.ok(!Object.is(value, other), message)),
    deepEqual: (value: unknown, expected: unknown, message?: string) =>
      held(() => assert.deepStrictEqual(value, expected, message)),
    like: (value: object, expected: object, message?: string) =>
      held(() => assert.partialDeepStrictEqual(value, expected, message)),
    regex: (text: string, pattern: RegExp, message?: string) =>
      held(() => assert.match(text, pattern, message)),
    notRegex: (text: string, pattern: RegExp, message?: string) =>
      held(() => assert.doesNotMatch(text, pattern, message)),
    throws: (work: () => unknown, wanted: Wanted = {}, message?: string) => thrown(work, wanted, message),
    notThrows: (work: () => unknown, message?: string) => held(() => assert.doesNotThrow(work, message)),
    pass: () => true,
    fail: (message?: string) => assert.fail(message),
    log: () => {},
  };
  return new Proxy(known, {
    get(target, name) {
      if (Object.hasOwn(target, name)) return Reflect.get(target, name) as unknown;
      throw new TypeError(`the assertion t.${String(name)} is not known to scripts/mutation/assertions.ts`);
    },
  });
}

interface Wanted {
  readonly instanceOf?: new (...args: never[]) => Error;
  readonly message?: string | RegExp;
}

/** As in AVA, an assertion that holds gives true. */
function held(check: () => void): true {
  check();
  return true;
}

function thrown(work: () => unknown, wanted: Wanted, message: string | undefined): unknown {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof Error, message);
    if (wanted.instanceOf) assert.ok(error instanceof wanted.instanceOf, message);
    if (typeof wanted.message === 'string') assert.equal(error.message, wanted.message, message);
    else if (wanted.message) assert.match(error.message, wanted.message, message);
    return error;
  }
  return assert.fail(message ?? 'it did not throw');
}
