import { readFileSync } from 'node:fs';

import { UserError } from '../lib/errors.ts';

/** What a browser gets: made of `src/page/client` by `scripts/page-client.ts`. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/** Put into bundles, which are files without others beside them. */
declare const BUNDLED_PAGE: PageAssets | undefined;

export function pageAssets(): PageAssets {
  if (typeof BUNDLED_PAGE !== 'undefined') return BUNDLED_PAGE;
  const file = new URL('../../files/failover/dist/page.json', import.meta.url);
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PageAssets;
  } catch (error) {
    throw new UserError(
      {
        message: `${file.pathname} cannot be read`,
        hint: '`npm install` makes it (scripts/build-failover.ts)',
      },
      { cause: error },
    );
  }
}
