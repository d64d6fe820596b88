import { type Channel, type ChannelEnd, type OpenChannel, relay } from './channel.ts';
import { newNonce, untilMarker } from './frames.ts';
import { launchCommand, rawCommand } from './launch.ts';
import type { TransportFailure } from './failure.ts';
import { reasonIn, sudoRefusal } from './sudo-refusal.ts';
import { type Become, TransportError } from './transport.ts';

export interface OpenOptions {
  readonly host: string;
  readonly open: OpenChannel;
  readonly become?: Become | undefined;
  readonly timeoutMs: number;
}

/** Starts a long-lived shell, as another user when asked, and gives its channel ready for scripts. */
export async function openShellChannel(options: OpenOptions): Promise<Channel> {
  const { become } = options;
  const nonce = newNonce();
  // Without sudo, scripts may be sent before the shell has answered: that saves a round trip.
  if (!become) return await options.open(launchCommand(nonce));
  return await start(options, nonce, launchCommand);
}

/** Starts `script` with its stdin free for bytes. */
export async function openRawChannel(options: OpenOptions, script: string): Promise<Channel> {
  return await start(options, newNonce(), (nonce, become) => rawCommand(nonce, script, become));
}

type CommandLine = (nonce: string, become?: { user: string; prompt?: string | undefined }) => string;

async function start(options: OpenOptions, nonce: string, commandLine: CommandLine): Promise<Channel> {
  const { become } = options;
  const prompt = become?.password ? `[${newNonce()}]` : undefined;
  const channel = await options.open(commandLine(nonce, become && { user: become.user, prompt }));
  return await whenReady(channel, nonce, prompt, options);
}

/** The channel from its marker on: what comes before anybody listens to it is kept. */
async function whenReady(
  channel: Channel,
  nonce: string,
  prompt: string | undefined,
  options: OpenOptions,
): Promise<Channel> {
  const { become } = options;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const fail = (failure: TransportFailure) => reject(new TransportError(options.host, failure));
  const stdout = relay<Buffer>();
  const errors = relay<Buffer>();
  const end = relay<ChannelEnd>();
  let isReady = false;
  let stderr = '';
  let prompts = 0;
  const timer = setTimeout(() => {
    const detail = reasonIn(withoutPrompt(stderr, prompt));
    fail({
      kind: 'timeout',
      phase: 'sudo',
      ms: options.timeoutMs,
      address: options.host,
      port: 0,
      ...(detail ? { detail } : {}),
    });
    channel.destroy();
  }, options.timeoutMs);
  channel.onStderr((chunk) => {
    if (isReady) return errors.send(chunk);
    stderr += chunk.toString('utf8');
    if (prompt === undefined || !become) return;
    const seen = stderr.split(prompt).length - 1;
    if (seen <= prompts) return;
    prompts = seen;
    if (prompts === 1) channel.write(`${become.password?.reveal() ?? ''}\n`);
    else {
      fail({ kind: 'sudo-refused', user: become.user, reason: 'the password is wrong' });
      channel.destroy();
    }
  });
  const scan = untilMarker(nonce, (rest) => {
    isReady = true;
    if (rest.length > 0) stdout.send(rest);
    resolve();
  });
  channel.onStdout((chunk) => (isReady ? stdout.send(chunk) : scan(chunk)));
  channel.onClose((how) => {
    if (isReady) end.send(how);
    else fail(refusal(become, how.status, withoutPrompt(stderr, prompt)));
  });
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
  return { ...channel, onStdout: stdout.listen, onStderr: errors.listen, onClose: end.listen };
}

function withoutPrompt(text: string, prompt: string | undefined): string {
  return prompt ? text.replaceAll(prompt, '') : text;
}

/** Without sudo it was the login user's own shell that did not start. */
function refusal(become: Become | undefined, status: number | undefined, said: string): TransportFailure {
  if (become) return sudoRefusal(become, status, said);
  return { kind: 'shell', reason: reasonIn(said) || `it ended with status ${status ?? 'unknown'}` };
}
