/** Where a keyword can stand. */
export type Level = 'play' | 'role' | 'block' | 'task' | 'handler' | 'import_playbook';

/** What a keyword takes. Whatever is not named otherwise may be a template. */
export type Kind =
  /** Yes or no. */
  | 'flag'
  | 'whole'
  | 'number'
  | 'text'
  /** Text that is never rendered before it is shown. */
  | 'title'
  /** The name of a variable; no template. */
  | 'variable'
  /** One text, or a list of them. */
  | 'texts'
  /** One expression, or a list of them. */
  | 'conditions'
  | 'tags'
  | 'vars'
  | 'environment'
  /** A list of tasks, of handlers, of roles. */
  | 'tasks'
  | 'handlers'
  | 'roles'
  /** These have a reader of their own. */
  | 'action'
  | 'arguments'
  | 'hosts'
  | 'loop'
  | 'loop_control'
  | 'names'
  | 'prompts'
  | 'sizes'
  | 'vars_files';

export interface Keyword {
  readonly on: readonly Level[];
  readonly kind: Kind;
  /** How it reaches what stands inside: the nearest value wins, values are put together, or not at all. */
  readonly inherit: 'nearest' | 'merged' | 'none';
  /** One sentence, for editors. */
  readonly does: string;
  /** The words that it takes, where these are few. */
  readonly values?: readonly string[];
  /** It has a meaning on a dynamic include itself; what is meant for the included tasks stands below `apply`. */
  readonly onInclude?: true;
  /** It has no meaning on a static import, whose tasks inherit what can be inherited. */
  readonly notOnImport?: true;
  /** It is Ansible's and not supported: what to do instead. */
  readonly refused?: string;
}
