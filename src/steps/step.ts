/** What a file shall look like besides its content; what is undefined is left as it is (or to the umask). */
export interface FileAttributes {
  readonly owner?: string | undefined;
  readonly group?: string | undefined;
  /** Octal digits such as `0644`, or a symbolic mode as chmod takes it. */
  readonly mode?: string | undefined;
}

/** A file of the controller that is too large to be held in memory. */
export interface LocalFile {
  /** Absolute. */
  readonly localFile: string;
  readonly size: number;
  readonly sha1: string;
}

/** What a file holds, or shall hold. */
export type FileContent = Buffer | LocalFile;

/** A file that is on the target already, to be copied there. */
export interface TargetFile {
  readonly targetFile: string;
}

/** How many bytes the content has. */
export function contentSize(content: FileContent): number {
  return Buffer.isBuffer(content) ? content.length : content.size;
}

/**
 * One thing done on a target. Few kinds, each plain data that can be shown to a reader before it happens.
 * Every step that changes a host can be repeated: an interrupted run is repaired by the next one.
 */
export type Step =
  /** Runs POSIX sh text of ours; a status other than 0 fails the task with what it wrote to stderr. */
  | {
      readonly kind: 'script';
      readonly description: string;
      readonly script: string;
      readonly timeoutMs?: number;
      /** Whose words it fails with, where these need to be explained. */
      readonly speaks?: 'apt' | undefined;
    }
  /** Writes a file: temporary file in the same directory, attributes, `validate`, fsync, rename. */
  | {
      readonly kind: 'write';
      readonly path: string;
      readonly content: FileContent | TargetFile;
      readonly attributes: FileAttributes;
      /** A command line with `%s` for the temporary file. */
      readonly validate?: string | undefined;
      /** Keep a timestamped copy of what was there. */
      readonly backup?: boolean | undefined;
      /**
       * What becomes of a symbolic link at the path, which the file replaces. Without it, the file takes over owner and
       * mode of what the link leads to; with it, it is like any new file.
       */
      readonly linkIsNew?: boolean | undefined;
      /** Where the file cannot be replaced (a mount point, a directory that is read-only), write into it. */
      readonly unsafe?: boolean | undefined;
    }
  /** The user's own command (command, shell, script, raw): any status is an outcome, judged by `finish`. */
  | {
      readonly kind: 'command';
      readonly run:
        | { readonly argv: readonly string[] }
        | { readonly shell: string; readonly executable?: string | undefined };
      readonly chdir?: string | undefined;
      readonly stdin?: string | undefined;
      readonly timeoutMs?: number | undefined;
    }
  /** An HTTP request made from the target's place in the network. Statuses are outcomes; no answer is one too. */
  | {
      readonly kind: 'http';
      readonly url: string;
      readonly method: string;
      readonly headers: Readonly<Record<string, string>>;
      readonly body?: Buffer | undefined;
      /** For how long the server may be silent. */
      readonly timeoutMs: number;
      readonly validateCerts: boolean;
      /** A file or directory of the target with the authorities to trust, instead of all that the target trusts. */
      readonly caPath?: string | undefined;
      /** Go through the proxy that the task's environment names. */
      readonly useProxy: boolean;
      /** 0 follows none. */
      readonly redirects: number;
      /** Writes the body of a 2xx answer to a file as `write` does. */
      readonly save?:
        | {
            readonly path: string;
            readonly attributes: FileAttributes;
            readonly backup?: boolean | undefined;
            readonly unsafe?: boolean | undefined;
            /** Another digest is an error (no-answer), and nothing is written. */
            readonly checksum?: { readonly algorithm: string; readonly digest: string } | undefined;
            /** The SHA-1 of what is there: a body that has it is not written again. */
            readonly unlessSha1?: string | undefined;
          }
        | undefined;
    }
  /** Waits until a TCP port, seen from the target, accepts (`open`) or refuses (`closed`) connections. */
  | {
      readonly kind: 'wait-port';
      readonly host: string;
      readonly port: number;
      readonly until: 'open' | 'closed';
      /** An address that does not answer for so long counts as closed. */
      readonly connectTimeoutMs: number;
      readonly timeoutMs: number;
      readonly delayMs: number;
      readonly intervalMs: number;
    }
  /** Repeats a script until it exits with 0; its stdout is the outcome. */
  | {
      readonly kind: 'wait-script';
      readonly description: string;
      readonly script: string;
      readonly timeoutMs: number;
      readonly delayMs: number;
      readonly intervalMs: number;
    }
  /** Waits until the target answers again (after `reboot`, or from the start). */
  | {
      readonly kind: 'reconnect';
      readonly timeoutMs: number;
      readonly delayMs: number;
      /** Wait for another boot than the one we were connected to. */
      readonly newBoot: boolean;
    }
  /** Brings a file of the target to the controller. */
  | {
      readonly kind: 'fetch';
      readonly path: string;
      /** Absolute. Its directory is made if need be. */
      readonly localPath: string;
      /** What arrives must have this digest. */
      readonly sha1: string | undefined;
    }
  /** Stops here for a while on the controller (pause). */
  | { readonly kind: 'pause'; readonly ms: number }
  /** Asks whoever runs the playbook to move the site's service: nothing is done on the target itself. */
  | { readonly kind: 'site'; readonly ask: SiteRequest; readonly timeoutMs: number };

/** What a playbook may want of the site that its hosts are part of. */
export type SiteRequest =
  | {
      readonly verb: 'drain';
      readonly host: string;
      readonly reason: string;
      /** Another instance becomes the primary first, when the host carries it. */
      readonly switchover: boolean;
      /** Also when nobody else serves. */
      readonly evenTheLast: boolean;
    }
  | { readonly verb: 'undrain'; readonly host: string }
  /** Another instance than those of a host, or that one, becomes the primary; it is one already: nothing is done. */
  | { readonly verb: 'switchover'; readonly awayFrom: string; readonly reason: string }
  | { readonly verb: 'switchover'; readonly to: string; readonly reason: string };

/** What a command that starts no shell writes to stderr, alone and with the status 127, when there is no such program. */
export const NO_PROGRAM = 'understudy: there is no such program';

/** What a step gave back. Scripts and writes that failed never reach a module: the engine reports them. */
export type StepOutput =
  /** Where what a file held before was kept, if it was. */
  | { readonly kind: 'done'; readonly backup?: string | undefined }
  | {
      readonly kind: 'exit';
      readonly status: number;
      readonly stdout: Buffer;
      readonly stderr: Buffer;
      readonly timedOut: boolean;
      readonly startedAt: Date;
      readonly ms: number;
    }
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly reason?: string | undefined;
      readonly headers: Readonly<Record<string, string>>;
      /** Empty when it was large and went to a file. */
      readonly body: Buffer;
      readonly size: number;
      readonly sha1: string;
      readonly url: string;
      readonly ms: number;
    }
  | { readonly kind: 'site'; readonly changed: boolean; readonly message: string }
  /** A request that got no answer, or a wait that ran out of time. */
  | { readonly kind: 'no-answer'; readonly message: string; readonly ms: number };
