import { inflateSync } from 'node:zlib';

/** How many pixels of a picture have each colour, by `#rrggbb`. For PNGs with 8 bits a channel, as browsers make them. */
export function coloursOf(png: Buffer): ReadonlyMap<string, number> {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const channels = { 2: 3, 6: 4 }[png.readUInt8(25)];
  if (png.readUInt8(24) !== 8 || channels === undefined) throw new Error('another kind of PNG');
  const data: Buffer[] = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') data.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const rows = inflateSync(Buffer.concat(data));
  const size = width * channels;
  let above = Buffer.alloc(size);
  const colours = new Map<string, number>();
  for (let row = 0; row < height; row++) {
    const filter = rows.readUInt8(row * (size + 1));
    const line = Buffer.from(rows.subarray(row * (size + 1) + 1, (row + 1) * (size + 1)));
    for (let at = 0; at < size; at++) {
      const left = at < channels ? 0 : (line[at - channels] ?? 0);
      const up = above[at] ?? 0;
      const corner = at < channels ? 0 : (above[at - channels] ?? 0);
      line[at] = ((line[at] ?? 0) + predicted(filter, left, up, corner)) & 0xff;
    }
    for (let at = 0; at < size; at += channels) {
      const colour = `#${line.toString('hex', at, at + 3)}`;
      colours.set(colour, (colours.get(colour) ?? 0) + 1);
    }
    above = line;
  }
  return colours;
}

/** The filters of PNG: https://www.w3.org/TR/png-3/#9Filters. */
function predicted(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return Math.floor((left + up) / 2);
    default: {
      const guess = left + up - corner;
      const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
      return a <= b && a <= c ? left : b <= c ? up : corner;
    }
  }
}
