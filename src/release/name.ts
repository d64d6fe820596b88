const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Why a text is no name of a release; undefined: it is one. It is a folder's name on the servers. */
export function nameProblem(name: string): string | undefined {
  return NAME.test(name)
    ? undefined
    : `"${name}" is no name of a release: expected up to 64 letters, digits, dots, dashes and underscores, the first of them a letter or a digit`;
}
