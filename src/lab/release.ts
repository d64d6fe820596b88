import { UserError } from '../lib/errors.ts';

/** The releases of Debian that the hosts of a lab can have. */
export const RELEASES = {
  '12': { codename: 'bookworm' },
  '13': { codename: 'trixie' },
} as const satisfies Readonly<Record<string, { readonly codename: string }>>;

export type Debian = keyof typeof RELEASES;

export const DEBIANS = Object.keys(RELEASES) as readonly Debian[];
export const DEFAULT_DEBIAN: Debian = '13';

/** The release with this number; a `UserError` that lists them when the lab has none such. */
export function debianRelease(text: string): Debian {
  const found = DEBIANS.find((debian) => debian === text || RELEASES[debian].codename === text);
  if (found !== undefined) return found;
  throw new UserError({
    message: `the lab has no Debian "${text}"`,
    hint: `there are ${DEBIANS.map((debian) => `${debian} (${RELEASES[debian].codename})`).join(' and ')}`,
  });
}
