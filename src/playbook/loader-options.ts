import type { Text, VarsBlock } from './ast.ts';

/** What the loader needs from outside. */
export interface LoaderOptions {
  /** Further directories to look for roles in, after roles/ beside the playbook. */
  readonly rolesPath?: readonly string[];
  /** Renders the text of a static import, which only the playbook's own variables can stand in; weakest first. */
  readonly renderStatic: (text: Text, vars: readonly VarsBlock[]) => string;
}
