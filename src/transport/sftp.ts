import { promisify } from 'node:util';
import type { Client, SFTPWrapper } from 'ssh2';
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
  sftp.once('close', () => broken.reject(new Error('the connection was lost while a file was sent')));
  try {
    await Promise.race([
      Buffer.isBuffer(content)
        ? sendBuffer(sftp, content, remotePath)
        : promisify(sftp.fastPut.bind(sftp))(content.localFile, remotePath),
      broken.promise,
    ]);
  } finally {
    broken.promise.catch(() => {});
    sftp.end();
  }
}

async function sendBuffer(sftp: SFTPWrapper, content: Buffer, remotePath: string): Promise<void> {
  const handle = await new Promise<Buffer>((resolve, reject) =>
    sftp.open(remotePath, 'w', (error, opened) => (error ? reject(error) : resolve(opened))),
  );
  let next = 0;
  const worker = async () => {
    while (next < content.length) {
      const from = next;
      const length = Math.min(CHUNK, content.length - from);
      next += length;
      await new Promise<void>((resolve, reject) =>
        sftp.write(handle, content, from, length, from, (error) => (error ? reject(error) : resolve())),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  await new Promise<void>((resolve, reject) =>
    sftp.close(handle, (error) => (error ? reject(error) : resolve())),
  );
}
