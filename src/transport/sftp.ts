import type { Client, SFTPWrapper } from 'ssh2';
import { piecesOf } from './content.ts';
import type { Content } from './transport.ts';

const CHUNK = 32 * 1024;
const AT_A_TIME = 64;

/** Writes bytes or a local file to an existing file of the login user. Many writes are under way at a time. */
export async function sendFile(client: Client, content: Content, remotePath: string): Promise<void> {
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) =>
    client.sftp((error, wrapper) => (error ? reject(error) : resolve(wrapper))),
  );
  // Else a connection that breaks in between would leave us waiting.
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  sftp.once('close', () => broken.reject(new Error('the channel was closed while a file was sent')));
  try {
    await Promise.race([send(sftp, content, remotePath), broken.promise]);
  } finally {
    sftp.end();
  }
}

async function send(sftp: SFTPWrapper, content: Content, remotePath: string): Promise<void> {
  const handle = await new Promise<Buffer>((resolve, reject) =>
    sftp.open(remotePath, 'w', (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  // One reader for all: its pieces come in order, and no more are read than are being sent.
  const pieces = piecesOf(content, CHUNK);
  const worker = async (): Promise<void> => {
    for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
      const { bytes, position } = next.value;
      await new Promise<void>((resolve, reject) =>
        sftp.write(handle, bytes, 0, bytes.length, position, (error) => (error ? reject(error) : resolve())),
      );
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  } finally {
    await pieces.return();
  }
  await new Promise<void>((resolve, reject) =>
    sftp.close(handle, (error) => (error ? reject(error) : resolve())),
  );
}
