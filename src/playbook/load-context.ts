import { formatProblem, type Problem, type SourceLocation, UserError } from '../lib/errors.ts';
import { readYaml, type YamlDocument } from '../lib/yaml.ts';
import type { Text, VarsBlock } from './ast.ts';
import type { LoaderOptions } from './loader-options.ts';

/** What is collected while a playbook is loaded: all that is wrong, so that it can be said at once. */
export class LoadContext {
  readonly options: LoaderOptions;
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #documents = new Map<string, YamlDocument | undefined>();

  constructor(options: LoaderOptions) {
    this.options = options;
  }

  /** Reads a file, once; undefined when it is broken, which is then among the problems. */
  read(file: string): YamlDocument | undefined {
    if (this.#documents.has(file)) return this.#documents.get(file);
    const document = this.attempt(() => readYaml(file));
    this.#documents.set(file, document);
    return document;
  }

  /** Does what may throw a UserError, and keeps that for the end. */
  attempt<T>(work: () => T, at?: SourceLocation): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.problems.push(
        ...error.problems.map((problem) => ({ ...problem, location: problem.location ?? at })),
      );
      return undefined;
    }
  }

  /** Text of which the value must be known now. */
  renderStatic(text: Text, vars: readonly VarsBlock[]): string | undefined {
    if (!/\{[{%#]/.test(text.text)) return text.text;
    const count = this.problems.length;
    const rendered = this.attempt(() => this.options.renderStatic(text, vars), text.at);
    for (const [index, problem] of this.problems.entries()) {
      if (index < count || problem.hint !== undefined) continue;
      this.problems[index] = {
        ...problem,
        hint: 'an import is resolved before any host is known: only variables of the play, its roles and the command line can stand here. Use an include for others',
      };
    }
    return rendered;
  }

  /** Throws all problems, if there are any. */
  finish(): void {
    if (this.problems.length > 0) throw new UserError(inOrder(this.problems));
  }
}

/** By place, file by file; a file that is imported twice has its mistakes once. */
function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const files = [...new Set(problems.map((problem) => problem.location?.file ?? ''))];
  const rank = (problem: Problem): number => files.indexOf(problem.location?.file ?? '');
  const unique = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  return [...unique.values()].sort(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.location?.line ?? 0) - (b.location?.line ?? 0) ||
      (a.location?.column ?? 0) - (b.location?.column ?? 0),
  );
}
