import test from 'ava';

import { type Channel, type ChannelEnd, relay } from '../../src/transport/channel.ts';
import { openRawChannel } from '../../src/transport/open-shell.ts';

/** A command that says everything it has to say, and ends, before anybody can listen. */
function hasty(output: (nonce: string) => readonly string[]): (commandLine: string) => Promise<Channel> {
  return async (commandLine) => {
    const nonce = /\\036(\w+?)[a-z]?\\n/.exec(commandLine)?.[1] ?? '';
    const stdout = relay<Buffer>();
    const stderr = relay<Buffer>();
    const end = relay<ChannelEnd>();
    for (const chunk of output(nonce)) stdout.send(Buffer.from(chunk, 'latin1'));
    stderr.send(Buffer.from('in the way'));
    end.send({ status: 1 });
    return {
      write: () => {},
      writeAndWait: async () => {},
      end: () => {},
      destroy: () => {},
      onStdout: stdout.listen,
      onStderr: stderr.listen,
      onClose: end.listen,
    };
  };
}

for (const [what, output] of [
  ['in the chunk of the marker', (nonce: string) => [`motd\n\u001e${nonce}\nfirst\u0006`]],
  ['in the chunk behind it', (nonce: string) => [`\u001e${nonce}\n`, 'first\u0006']],
  [
    'where the marker is cut',
    (nonce: string) => [`\u001e${nonce.slice(0, 3)}`, `${nonce.slice(3)}\nfirst`, '\u0006'],
  ],
] as const) {
  test(`what a command says ${what}, and that it ended, reaches who listens later`, async (t) => {
    const open = hasty(output);
    const channel = await openRawChannel({ host: 'web1', open, timeoutMs: 1000 }, 'exec cat');
    await new Promise((resolve) => setImmediate(resolve));
    let said = '';
    channel.onStdout((chunk) => (said += chunk.toString('latin1')));
    t.is(said, 'first\u0006');
    const { promise, resolve } = Promise.withResolvers<ChannelEnd>();
    channel.onClose(resolve);
    t.deepEqual(await promise, { status: 1 });
  });
}
