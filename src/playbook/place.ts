import type { YamlDocument } from '../lib/yaml.ts';
import type { Action } from './action.ts';
import type { Inherited, RoleContext, TaskNode, VarsBlock } from './ast.ts';
import type { Fields } from './fields.ts';
import type { LoadContext } from './load-context.ts';

/** What loading a play's tasks adds to the play besides tasks. */
export interface PlayParts {
  /** Where roles are searched for and relative imports end. */
  readonly directory: string;
  /** Where roles are looked for that are named without their collection. */
  readonly collections: readonly string[];
  /** The play's variables, weakest first. */
  readonly vars: readonly VarsBlock[];
  readonly roles: RoleContext[];
  readonly handlers: TaskNode[];
  readonly applications: RoleApplication[];
  readonly importer: Importer;
}

/** A role that the play applies already. */
export interface RoleApplication {
  readonly key: string;
  readonly when: readonly string[];
  readonly tags: readonly string[];
}

/** A task as far as it is read before it is known whether it is an import. */
export interface ReadTask {
  readonly fields: Fields;
  readonly action: Action;
  readonly own: Inherited;
}

/** Expands static imports. It is handed in, since imported files are lists of tasks in turn. */
export interface Importer {
  tasks(context: LoadContext, place: Place, head: ReadTask): readonly TaskNode[];
  role(context: LoadContext, place: Place, head: ReadTask): readonly TaskNode[];
}

/** Where tasks are being read. */
export interface Place {
  readonly document: YamlDocument;
  readonly play: PlayParts;
  readonly inherited: Inherited;
  readonly role: RoleContext | undefined;
  readonly section: 'tasks' | 'handlers';
  readonly isInBlock?: true;
  /** The files whose reading led here, outermost first. */
  readonly chain: readonly string[];
}

/** The variables that are known before any host is, as a task at this place sees them; weakest first. */
export function staticVars(place: Pick<Place, 'play' | 'role' | 'inherited'>): readonly VarsBlock[] {
  const roles: RoleContext[] = [];
  for (let role = place.role; role; role = role.parent) roles.unshift(role);
  const others = place.play.roles.filter((role) => !roles.includes(role));
  return [
    ...[...others, ...roles].flatMap((role) => role.defaults),
    ...place.play.vars,
    ...others.flatMap((role) => role.vars),
    ...roles.flatMap((role) => [...role.vars, ...role.entryVars]),
    ...place.inherited.vars,
    ...roles.flatMap((role) => role.params),
  ];
}
