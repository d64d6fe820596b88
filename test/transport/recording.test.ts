import test from 'ava';
import { recordingTransport } from '../../src/transport/recording.ts';

test('a recording transport remembers what it was asked and answers from a function', async (t) => {
  const transport = recordingTransport({
    answer: ({ script }) => (script === 'hostname' ? { stdout: 'box\n' } : { status: 3, stderr: 'no' }),
    file: (host, path) => `${host}:${path}`,
  });
  const box = await transport.connect({ name: 'web1', address: '10.0.0.1' });
  t.is((await box.run('hostname', { become: { user: 'root' } })).stdout.toString(), 'box\n');
  const chunks: string[] = [];
  const failed = await box.run('other', {
    stdin: Buffer.from('in'),
    onStderr: (chunk) => chunks.push(chunk.toString()),
  });
  t.is(failed.status, 3);
  t.is(failed.stderr.length, 0);
  t.deepEqual(chunks, ['no']);
  const path = await box.upload(Buffer.from('content'));
  t.is((await box.download(path)).toString(), 'content');
  t.is((await box.download('/etc/motd')).toString(), 'web1:/etc/motd');
  t.deepEqual(transport.connected, ['web1']);
  t.deepEqual(
    transport.actions.map(
      (action) => `${action.kind} ${action.become} ${action.kind === 'run' ? action.script : action.path}`,
    ),
    ['run root hostname', 'run  other', `upload  ${path}`, `download  ${path}`, 'download  /etc/motd'],
  );
});
