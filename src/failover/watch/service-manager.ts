import { execFile } from 'node:child_process';

import { systemEnvironment } from '../../lib/system-path.ts';

/** systemd, when it has started us: it wants to hear that we are ready, and then again and again that we live. */
export interface ServiceManager {
  ready(): void;
  /** Stops telling that we live, and tells that we end. */
  stopping(): void;
}

export interface ServiceManagerOptions {
  readonly environment: Readonly<{ [name: string]: string | undefined }>;
  /** Whether the work goes on; when not, nothing is told, and systemd starts us anew. */
  readonly isAlive: () => boolean;
  /** Node cannot write to a datagram socket, so a program of systemd's does; tests have their own. */
  readonly notify?: ((state: string) => void) | undefined;
}

/** Talks to the socket in NOTIFY_SOCKET; does nothing without one. */
export function serviceManager(options: ServiceManagerOptions): ServiceManager {
  const { environment, isAlive, notify = systemdNotify } = options;
  if (!environment['NOTIFY_SOCKET']) return { ready: () => {}, stopping: () => {} };
  const limitMs = Number(environment['WATCHDOG_USEC'] ?? 0) / 1000;
  let timer: NodeJS.Timeout | undefined;
  return {
    ready() {
      notify('READY=1');
      if (limitMs > 0) {
        timer = setInterval(() => {
          if (isAlive()) notify('WATCHDOG=1');
        }, limitMs / 3).unref();
      }
    },
    stopping() {
      clearInterval(timer);
      notify('STOPPING=1');
    },
  };
}

function systemdNotify(state: string): void {
  // What cannot be told is noticed by systemd itself.
  execFile('systemd-notify', [state], { timeout: 5000, env: systemEnvironment() }, () => {});
}
