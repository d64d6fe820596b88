import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib';

/** etcd takes no request above 1.5 MiB by default; most values are a hundredth of that, and stay readable. */
const PLAIN_BYTES = 256 * 1024;
/** Releases before this one refuse a packed value as one of a newer release. */
const PACKED_VERSION = 2;

/** Its window is as long as the text: what several instances have is much the same. */
const PARAMS = { [constants.BROTLI_PARAM_QUALITY]: 5, [constants.BROTLI_PARAM_LGWIN]: 24 };

/** A JSON text as it is stored in etcd: a set of GTIDs with many gaps is long, and packs to a third or less. */
export function packed(text: string): string {
  if (Buffer.byteLength(text) <= PLAIN_BYTES) return text;
  const brotli = brotliCompressSync(text, { params: PARAMS }).toString('base64');
  return JSON.stringify({ version: PACKED_VERSION, brotli });
}

/** The text again; one that is not packed, or broken, is given back as it is. */
export function unpacked(value: string): string {
  // Cheap to tell: nothing else that is stored begins like this.
  if (!value.startsWith(`{"version":${PACKED_VERSION},"brotli":`)) return value;
  try {
    const { brotli } = JSON.parse(value) as { readonly brotli: string };
    return brotliDecompressSync(Buffer.from(brotli, 'base64')).toString('utf8');
  } catch {
    return value;
  }
}
