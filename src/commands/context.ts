/** What a program gives to the command it runs. */
export interface CommandContext {
  /**
   * Aborted by the first Ctrl-C, so that the command can stop in good order; a second one ends the program at once.
   * A command that never asks for it is ended by the first.
   */
  readonly signal: AbortSignal;
}
