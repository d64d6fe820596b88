import { execFile } from 'node:child_process';

import { systemEnvironment } from '../../lib/system-path.ts';

/** systemd, when it has started this process: it expects a message when the watch is ready, and then keep-alives. */
export interface ServiceManager {
  ready(): void;
  /** Stops the keep-alives, and reports that the watch is stopping. */
  stopping(): void;
}

export interface ServiceManagerOptions {
  readonly environment: Readonly<{ [name: string]: string | undefined }>;
  /** Whether the watch still works; when not, no keep-alive is sent, and systemd restarts the process. */
  readonly isAlive: () => boolean;
  /** Node cannot write to a datagram socket, so `systemd-notify` does; tests replace it. */
  readonly notify?: ((state: string) => void) | undefined;
}

/** Sends messages to the socket in NOTIFY_SOCKET; does nothing without one. */
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
  // systemd notices by itself that a message is missing.
  execFile('systemd-notify', [state], { timeout: 5000, env: systemEnvironment() }, () => {});
}
