import { spawnSync } from 'node:child_process';
import test from 'ava';
import fc from 'fast-check';
import { encodeScript, newNonce, scanMarkers } from '../../src/transport/frames.ts';

interface Seen {
  readonly data: Buffer;
  readonly markers: readonly { readonly kind: string; readonly value: string; readonly at: number }[];
}

function scan(nonce: string, chunks: readonly Buffer[]): Seen {
  const data: Buffer[] = [];
  const markers: { kind: string; value: string; at: number }[] = [];
  const push = scanMarkers(nonce, {
    // A copy: what a chunk holds may change once it was handed on.
    onData: (chunk) => data.push(Buffer.from(chunk)),
    onMarker: (kind, value) => markers.push({ kind, value, at: Buffer.concat(data).length }),
  });
  for (const chunk of chunks) push(chunk);
  return { data: Buffer.concat(data), markers };
}

function cut(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((at) => at % (whole.length + 1)))].sort((a, b) => a - b);
  const chunks: Buffer[] = [];
  let from = 0;
  for (const at of [...places, whole.length]) {
    chunks.push(whole.subarray(from, at));
    from = at;
  }
  return chunks;
}

const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));

/** Output that resembles markers, which random bytes hardly ever do. */
function confusing(nonce: string): fc.Arbitrary<Buffer> {
  const part = fc.oneof(
    bytes,
    fc
      .constantFrom('\u001e', `\u001e${nonce.slice(0, 10)}`, `\u001e${nonce.slice(0, -1)}`, nonce, '\n')
      .map((text) => Buffer.from(text)),
  );
  return fc
    .array(part, { maxLength: 8 })
    .map((parts) => Buffer.concat(parts))
    .filter((data) => !data.includes(`\u001e${nonce}`));
}

test('data and markers are told apart however the stream is cut', (t) => {
  const nonce = newNonce();
  fc.assert(
    fc.property(
      confusing(nonce),
      confusing(nonce),
      fc.nat({ max: 255 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (before, after, status, cuts) => {
        const whole = Buffer.concat([
          before,
          Buffer.from(`\u001e${nonce}e${status}\n`),
          after,
          Buffer.from(`\u001e${nonce}x\n`),
        ]);
        const seen = scan(nonce, cut(whole, cuts));
        t.deepEqual(seen.data, Buffer.concat([before, after]));
        t.deepEqual(seen.markers, [
          { kind: 'e', value: String(status), at: before.length },
          { kind: 'x', value: '', at: before.length + after.length },
        ]);
      },
    ),
  );
});

test('a stream without a marker is handed on at once, but for what may be the beginning of one', (t) => {
  const nonce = newNonce();
  t.deepEqual(scan(nonce, [Buffer.from('abc')]).data, Buffer.from('abc'));
  t.deepEqual(scan(nonce, [Buffer.from('abc\u001e')]).data, Buffer.from('abc'));
  t.deepEqual(scan(nonce, [Buffer.from(`abc\u001e${nonce}`)]).data, Buffer.from('abc'));
  t.deepEqual(scan(nonce, [Buffer.from('abc\u001e'), Buffer.from('d')]).data, Buffer.from('abc\u001ed'));
});

test('a script frame gives the script exactly its stdin, and its status to the marker', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 255 }), (array, status) => {
      const stdin = Buffer.from(array);
      const nonce = newNonce();
      const frame = encodeScript({ nonce, script: `cat; exit ${status}`, stdin });
      const input = Buffer.concat([Buffer.from('exec 3>&2 2>/dev/null\n'), frame]);
      const result = spawnSync('sh', [], { input });
      const seen = scan(nonce, [result.stdout]);
      t.deepEqual(seen.data, stdin);
      t.deepEqual(seen.markers, [{ kind: 'e', value: String(status), at: stdin.length }]);
      t.deepEqual(scan(nonce, [result.stderr]).markers, [{ kind: 'e', value: '', at: 0 }]);
    }),
    { numRuns: 40 },
  );
});

test('a script with a NUL byte is refused: no shell can run it', (t) => {
  t.throws(() => encodeScript({ nonce: newNonce(), script: 'echo \0' }), { instanceOf: RangeError });
});
