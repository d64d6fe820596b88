import type { Problem, SourceLocation } from '../lib/errors.ts';
import type { Dict, Value } from '../lib/value.ts';

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

/**
 * What plays, roles, blocks and tasks have in common. On a task, everything is resolved: the nearest value of the
 * chain play → role → block → task won, except for what accumulates (when, tags, vars, environment).
 */
export interface Inherited {
  readonly become?: Templated;
  readonly becomeUser?: Templated;
  readonly becomeMethod?: Templated;
  readonly remoteUser?: Templated;
  readonly connection?: Templated;
  readonly checkMode?: Templated;
  readonly diff?: Templated;
  readonly noLog?: Templated;
  readonly ignoreErrors?: Templated;
  readonly ignoreUnreachable?: Templated;
  readonly anyErrorsFatal?: Templated;
  readonly runOnce?: Templated;
  readonly throttle?: Templated;
  readonly timeout?: Templated;
  readonly delegateTo?: Templated;
  readonly delegateFacts?: Templated;
  /** Outermost first; all must hold. */
  readonly when: Texts;
  readonly tags: readonly string[];
  /** Outermost first. */
  readonly environment: readonly Templated[];
  /** Block and task vars, outermost first. Play and role vars are kept with the play and the role. */
  readonly vars: readonly VarsBlock[];
}

/** What the tasks of an include take over from where it stands; its own `when`, tags and so on are not among it. */
export interface Inclusion extends Inherited {
  readonly notify?: Texts;
  /** The playbook's directory, where the search for roles starts. */
  readonly directory: string;
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

export interface Task extends Inherited, Arguments {
  readonly kind: 'task';
  readonly name?: Text;
  /** As written: `copy`, `ansible.builtin.copy`. Whether there is such a module is for the planner to say. */
  readonly action: Text;
  readonly register?: string;
  readonly loop?: Loop;
  readonly until?: Texts;
  readonly retries?: Templated;
  readonly delay?: Templated;
  readonly changedWhen?: Texts;
  readonly failedWhen?: Texts;
  readonly notify: Texts;
  /** Handlers only. */
  readonly listen: Texts;
  /** The role that the task comes from: its name and directory (search path for files and templates). */
  readonly role?: RoleContext;
  /** include_tasks and include_role only: what surrounds it, with its `apply:` and its vars. */
  readonly inclusion?: Inclusion;
  readonly at: SourceLocation;
}

export interface Block extends Inherited {
  readonly kind: 'block';
  readonly name?: Text;
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
  /** The role that depends on or includes this one; its variables are visible here too. */
  readonly parent?: RoleContext;
  /**
   * Of applications with the same key only the first that ran tasks on a host counts there. Without a key it always
   * runs. Only those that are left to decide at run time need looking at: they differ in `when` or tags.
   */
  readonly onceKey?: string;
}

export interface Play {
  readonly name?: Text;
  readonly hosts: Templated;
  readonly at: SourceLocation;
  readonly gatherFacts?: Templated;
  readonly gatherSubset?: Templated;
  readonly serial?: Templated;
  readonly maxFailPercentage?: Templated;
  readonly anyErrorsFatal?: Templated;
  readonly order?: Templated;
  readonly strategy?: Templated;
  readonly forceHandlers?: Templated;
  readonly vars: VarsBlock;
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
  readonly become?: Templated;
  readonly becomeUser?: Templated;
  readonly remoteUser?: Templated;
  readonly connection?: Templated;
  readonly environment: readonly Templated[];
  readonly tags: readonly string[];
  /** Of import_playbook: the tasks have it already; gathering facts depends on it, too. */
  readonly when: Texts;
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
