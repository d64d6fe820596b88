import type { InstanceSpec } from '../cluster/topology.ts';

/** The machines of a drill or a test, and what can be done to them. */
export interface Ground {
  /** Runs a script of sh as root on a host, and gives what it printed; rejects when it fails. */
  sh(host: string, script: string, options?: ShellOptions): Promise<string>;
  /** Starts a long script. `end` stops it. */
  start(host: string, script: string, options: StartOptions): Running;
  /** Faults that only a lab can inject; undefined elsewhere. */
  readonly lab: LabGround | undefined;
  close(): Promise<void>;
}

export interface ShellOptions {
  readonly input?: string | undefined;
  readonly timeoutMs?: number | undefined;
}

export interface StartOptions {
  readonly input: string;
  readonly onLine: (line: string) => void;
}

export interface Running {
  /** Resolves when it has ended, however it ended. */
  readonly ended: Promise<void>;
  end(): void;
}

export interface LabGround {
  /** The power is cut: nothing more is heard of the host. */
  cutPower(host: string): Promise<void>;
  powerOn(host: string): Promise<void>;
  /** Freezes every process, as on a host that hangs. */
  freeze(host: string): Promise<void>;
  thaw(host: string): Promise<void>;
  /** Cuts a host from everyone, or from some peers (hosts, `operator`, `client`) only. */
  isolate(host: string, from: readonly string[]): Promise<void>;
  /** Ends all partitions. */
  heal(): Promise<void>;
  /** Moves a directory that nothing uses to a small disk of its own, which can be filled and frozen. */
  giveSmallDisk(host: string, directory: string, megabytes: number): Promise<void>;
  /** Moves it back, with what it holds now. */
  takeSmallDisk(host: string, directory: string): Promise<void>;
}

/** What a drill knows of the site beside the cluster itself. */
export interface Site {
  readonly ground: Ground;
  readonly flavour: 'mysql' | 'mariadb';
  readonly instances: readonly InstanceSpec[];
  /** Their inventory names, and where the app's host reaches their writer endpoint. */
  readonly balancers: readonly {
    readonly name: string;
    readonly address: string;
    /** Of this cluster, in HAProxy. */
    readonly backend?: string | undefined;
  }[];
  readonly writerPort: number;
  readonly app: { readonly user: string; readonly password: string; readonly database: string };
}

export function specOf(site: Pick<Site, 'instances'>, name: string): InstanceSpec {
  const found = site.instances.find((spec) => spec.name === name);
  if (!found) throw new Error(`the site has no instance ${name}`);
  return found;
}
