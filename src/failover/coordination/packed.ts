import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

/**
 * etcd refuses requests above 1.5 MiB by default. Most values have a hundredth of that, and are stored uncompressed.
 */
const PLAIN_BYTES = 256 * 1024;
/** Older releases refuse a compressed value as one of a newer release. */
const PACKED_VERSION = 2;

/** The window covers the whole text, because the GTID sets of several instances are almost equal. */
const PARAMS = { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 24 };

/** Compresses a JSON text for etcd when it is large, as a GTID set with many gaps is. */
export function packed(text: string): string {
  if (Buffer.byteLength(text) <= PLAIN_BYTES) return text;
  const brotli = brotliCompressSync(text, { params: PARAMS }).toString('base64');
  return JSON.stringify({ version: PACKED_VERSION, brotli });
}

/** Decompresses a value; returns it unchanged when it is not compressed, or broken. */
export function unpacked(value: string): string {
  // No uncompressed value begins like this.
  if (!value.startsWith(`{"version":${PACKED_VERSION},"brotli":`)) return value;
  try {
    const { brotli } = JSON.parse(value) as { readonly brotli: string };
    return brotliDecompressSync(Buffer.from(brotli, 'base64')).toString('utf8');
  } catch {
    return value;
  }
}
