/** What the script read, by name: text of files and programs. */
export type Sections = ReadonlyMap<string, string>;

/** Facts as playbooks use them, without the prefix `ansible_`. */
export type SetupFacts = Readonly<Record<string, unknown>>;
