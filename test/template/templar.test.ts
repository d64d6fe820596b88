import { readFileSync } from 'node:fs';

import test from 'ava';

import { SecretRegistry } from '../../src/lib/secret.ts';
import { toPlain } from '../../src/lib/value.ts';
import { TemplateError } from '../../src/template/error.ts';
import { renderString } from '../../src/template/render.ts';
import { environmentOf, sourceOf } from './cases.ts';

const { variables, cases } = JSON.parse(readFileSync(new URL('templar.json', import.meta.url), 'utf8')) as {
  readonly variables: Readonly<Record<string, unknown>>;
  readonly cases: readonly {
    readonly template: string;
    readonly includes?: Readonly<Record<string, string>>;
    readonly expect?: unknown;
    readonly error?: true;
  }[];
};

for (const one of cases) {
  test(`${JSON.stringify(one.template)} gives what ansible-core gives`, (t) => {
    const render = (): unknown =>
      toPlain(
        renderString(one.template, sourceOf(variables), {
          ...environmentOf(one),
          secrets: new SecretRegistry(),
        }),
      );
    if (one.error) t.throws(render, { instanceOf: TemplateError });
    else t.deepEqual(render(), one.expect);
  });
}
