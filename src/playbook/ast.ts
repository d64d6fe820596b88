import type { Problem, SourceLocation } from '../lib/errors.ts';
import type { Dict, Value } from '../lib/value.ts';
import type { Keyword, Level } from './keyword.ts';
import type { KEYWORDS, KeywordName } from './keywords.ts';

/** Text that may hold template markup or be an expression, and where it stands. */
export interface Text {
  readonly text: string;
  readonly at: SourceLocation;
}

/** A value from YAML that is rendered when it is used, and where it stands. */
export interface Templated {
  readonly value: Value;
  readonly at: SourceLocation;
}

/** Variables written at one place of a playbook; rendered when they are used. */
export interface VarsBlock {
  readonly values: Dict;
  readonly at: SourceLocation;
}

/** A notification subject or register name list etc. that stands in YAML as one string or a list of them. */
export type Texts = readonly Text[];

/** What a keyword of a kind is once it is read; kinds that are not here have a reader of their own. */
interface ReadAs {
  readonly flag: Templated;
  readonly whole: Templated;
  readonly number: Templated;
  readonly text: Templated;
  readonly title: Text;
  readonly variable: string;
  readonly texts: Texts;
  readonly conditions: Texts;
  readonly tags: readonly string[];
  readonly environment: readonly Templated[];
  readonly vars: readonly VarsBlock[];
}

type Row<Name extends KeywordName> = (typeof KEYWORDS)[Name];

/** The supported keywords that can stand on a level and are inherited so. */
type NamesOf<On extends Level, Inherit extends Keyword['inherit']> = {
  [Name in KeywordName]: Row<Name> extends { readonly refused: string }
    ? never
    : Row<Name>['inherit'] extends Inherit
      ? Row<Name>['kind'] extends keyof ReadAs
        ? On & Row<Name>['on'][number] extends never
          ? never
          : Name
        : never
      : never;
}[KeywordName];

type Camel<Name extends string> = Name extends `${infer First}_${infer Rest}`
  ? `${First}${Capitalize<Camel<Rest>>}`
  : Name;

type ReadKind<Name extends KeywordName> = ReadAs[Row<Name>['kind'] & keyof ReadAs];

/** Keywords of which the nearest value counts, by their names in this code. */
export type NearestKeywords = {
  readonly [Name in NamesOf<Level, 'nearest'> as Camel<Name>]?: ReadKind<Name>;
};

/** Keywords whose values are put together, outermost first. */
export type MergedKeywords = {
  readonly [Name in NamesOf<Level, 'merged'> as Camel<Name>]: ReadKind<Name>;
};

/** Keywords of one level that nothing inside inherits. */
export type OwnKeywords<On extends Level> = {
  readonly [Name in NamesOf<On, 'none'> as Camel<Name>]?: ReadKind<Name>;
};

/**
 * What plays, roles, blocks and tasks have in common. On a task, everything is resolved: the nearest value of the
 * chain play → role → block → task won, except for what is merged. All conditions in `when` must hold. Of variables,
 * those of blocks and tasks are here; those of plays and roles are kept with the play and the role.
 */
export interface Inherited extends NearestKeywords, MergedKeywords {}

/** What the tasks of an include take over from where it stands; its own `when`, tags and so on are not among it. */
export interface Inclusion extends Inherited {
  /** The playbook's directory, where the search for roles starts. */
  readonly directory: string;
  /** Where roles are looked for that are named without their collection. */
  readonly collections: readonly string[];
  /** The play's variables, for the names of static imports in what is included. */
  readonly playVars: readonly VarsBlock[];
}

/** One of `with_items`, `loop` and so on. */
export interface Loop {
  /** `loop`, or the lookup's name for `with_NAME` (items, dict, fileglob, …). */
  readonly kind: string;
  readonly over: Templated;
  readonly variable: string;
  readonly indexVariable?: string;
  readonly label?: Text;
  readonly pauseSeconds?: Templated;
  readonly extended: boolean;
}

/** The arguments of an action as they are after loading: taken apart, and not rendered. */
export interface Arguments {
  /** By their names: of a dictionary, of `key=value` words, and of `args:`. */
  readonly args: Templated & { readonly value: Dict };
  /** What is left of text after the action's name: a command line, a file to include, what `meta` is to do. */
  readonly freeForm?: Text;
  /** Templates that give a whole dictionary of arguments, weakest first; `args` has precedence over them. */
  readonly argsTemplates?: Texts;
}

export interface Task extends Inherited, Arguments, OwnKeywords<'handler'> {
  readonly kind: 'task';
  /** As written: `copy`, `ansible.builtin.copy`. Whether there is such a module is for the planner to say. */
  readonly action: Text;
  readonly loop?: Loop;
  readonly notify: Texts;
  /** Handlers only. */
  readonly listen: Texts;
  /** The role that the task comes from: its name and directory (search path for files and templates). */
  readonly role?: RoleContext;
  /** include_tasks and include_role only: what surrounds it, with its `apply:` and its vars. */
  readonly inclusion?: Inclusion;
  /** Nobody wrote it: it gathers the facts that a play wants. */
  readonly implicit?: true;
  readonly at: SourceLocation;
}

export interface Block extends Inherited, OwnKeywords<'block'> {
  readonly kind: 'block';
  readonly block: readonly TaskNode[];
  readonly rescue: readonly TaskNode[];
  readonly always: readonly TaskNode[];
  readonly at: SourceLocation;
}

/** Dynamic includes (`include_tasks`, `include_role`, `include_vars`) are Tasks; static imports are expanded already. */
export type TaskNode = Task | Block;

/** A role in use: the same role applied twice with other parameters is two contexts. */
export interface RoleContext {
  readonly name: string;
  /** Absolute. */
  readonly directory: string;
  readonly defaults: readonly VarsBlock[];
  readonly vars: readonly VarsBlock[];
  /** `vars:` of the place where the role is used: stronger than its own, and seen by its own tasks only. */
  readonly entryVars: readonly VarsBlock[];
  /** Parameters given where the role is used. */
  readonly params: readonly VarsBlock[];
  /** The collection that it is in, as `NAMESPACE.NAME`. */
  readonly collection?: string;
  /** The role that depends on or includes this one; its variables are visible here too. */
  readonly parent?: RoleContext;
  /** The parent does not include it, but depends on it. */
  readonly isDependency?: true;
  /**
   * Of applications with the same key only the first that ran tasks on a host counts there. Without a key it always
   * runs. Only those that are left to decide at run time need looking at: they differ in `when` or tags.
   */
  readonly onceKey?: string;
}

/** A variable that a play asks the user for. */
export interface Prompt {
  readonly name: string;
  readonly question: string;
  readonly default?: Value;
  /** What is typed is not shown. */
  readonly isPrivate: boolean;
  /** It is asked for twice. */
  readonly isConfirmed: boolean;
  /** The answer is no template. */
  readonly isUnsafe: boolean;
  readonly at: SourceLocation;
}

export interface Play extends OwnKeywords<'play'> {
  readonly hosts: Templated;
  readonly at: SourceLocation;
  readonly serial?: Templated;
  readonly vars: VarsBlock;
  /** `vars_prompt`. */
  readonly prompts: readonly Prompt[];
  /** Paths as written; each entry is one path, or a list of which the first that exists is taken. */
  readonly varsFiles: readonly Templated[];
  readonly preTasks: readonly TaskNode[];
  /** Tasks of `roles:`, dependencies first; each task knows its role. */
  readonly roleTasks: readonly TaskNode[];
  readonly tasks: readonly TaskNode[];
  readonly postTasks: readonly TaskNode[];
  /** The play's handlers and those of all roles. */
  readonly handlers: readonly TaskNode[];
  /** Every role of `roles:`; its defaults and vars are visible to the whole play, as in Ansible. */
  readonly roles: readonly RoleContext[];
  /** What its tasks take over, with what import_playbook gave it; gathering facts is a task, too. */
  readonly inherited: Inherited;
  /** The directory of the file that the play is in, absolute. */
  readonly directory: string;
}

export interface Playbook {
  /** Absolute. */
  readonly file: string;
  readonly directory: string;
  readonly plays: readonly Play[];
  /** What is not done as the user may expect, and is no error. */
  readonly warnings: readonly Problem[];
}
