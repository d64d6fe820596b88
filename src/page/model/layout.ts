import type { StackView } from './stack.ts';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Where everything of the picture is, in pixels of the screen: nothing is scaled, so that text stays readable. */
export interface Layout {
  readonly height: number;
  /** In the order of the view. */
  readonly addresses: readonly Box[];
  readonly balancers: readonly Box[];
  readonly servers: readonly Box[];
  /** Paths of lines; `isUsed`: visitors come this way. */
  readonly lines: readonly { readonly path: string; readonly isUsed: boolean }[];
}

const GAP = 12;
/** Between rows: room for the lines. */
const RISE = 34;
const LEAST = 144;
const MOST = 230;
const ADDRESS_HEIGHT = 32;
const BALANCER_HEIGHT = 74;
/** Of a box with so many lines of text. */
const heightOf = (lines: number): number => 22 + lines * 18;

/** How many characters fit into so many pixels; letters are seven wide at most, on average. */
export function fit(text: string, pixels: number): string {
  const most = Math.max(1, Math.floor(pixels / 7));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Visitors' addresses above the balancers, these above the servers, in as many rows as the width asks for. */
export function layoutOf(stack: StackView, width: number): Layout {
  const rowsOf = (count: number): number =>
    Math.max(1, Math.min(count, Math.floor((width + GAP) / (LEAST + GAP))));
  const place = (count: number, y: number, height: number): { boxes: readonly Box[]; end: number } => {
    const columns = rowsOf(count);
    const rows = Math.ceil(count / columns);
    const size = Math.min(MOST, (width - GAP * (columns - 1)) / columns);
    const boxes = Array.from({ length: count }, (_, index) => {
      const row = Math.floor(index / columns);
      const inRow = row === rows - 1 ? count - row * columns : columns;
      const left = (width - inRow * size - (inRow - 1) * GAP) / 2;
      return {
        x: Math.round(left + (index % columns) * (size + GAP)),
        y: y + row * (height + RISE),
        width: Math.floor(size),
        height,
      };
    });
    return { boxes, end: count === 0 ? y - RISE : y + rows * height + (rows - 1) * RISE };
  };
  const addresses = place(stack.addresses.length, 1, ADDRESS_HEIGHT);
  const balancers = place(stack.balancers.length, addresses.end + RISE, BALANCER_HEIGHT);
  const lines = Math.max(
    1,
    ...stack.servers.map(
      ({ requests, instances }) => 1 + (requests === undefined ? 0 : 2) + instances.length,
    ),
  );
  const servers = place(stack.servers.length, balancers.end + RISE, heightOf(lines));
  return {
    height: Math.max(0, servers.end) + 2,
    addresses: addresses.boxes,
    balancers: balancers.boxes,
    servers: servers.boxes,
    lines: [
      ...stack.addresses.flatMap(({ holders }, index) =>
        stack.balancers.flatMap(({ name }, other) => {
          const [from, to] = [addresses.boxes[index], balancers.boxes[other]];
          return from && to ? [{ path: elbow(from, to), isUsed: holders.includes(name) }] : [];
        }),
      ),
      ...busOf(balancers.boxes, servers.boxes).map((path) => ({ path, isUsed: true })),
    ].sort((a, b) => Number(a.isUsed) - Number(b.isUsed)),
  };
}

const middle = ({ x, width }: Box): number => x + width / 2;

function elbow(from: Box, to: Box): string {
  const [begin, end] = [from.y + from.height, to.y];
  return `M${middle(from)} ${begin}V${(begin + end) / 2}H${middle(to)}V${end}`;
}

/** Every balancer reaches every server: a line above each row of them, and one that joins these between the columns. */
function busOf(balancers: readonly Box[], servers: readonly Box[]): readonly string[] {
  const [first] = servers;
  const [above] = balancers;
  if (first === undefined || above === undefined) return [];
  const levels = [...new Set(servers.map(({ y }) => y))].map((y) => y - RISE / 2);
  const paths = [
    ...balancers.map((box) => `M${middle(box)} ${box.y + box.height}V${levels[0] ?? 0}`),
    ...servers.map((box) => `M${middle(box)} ${box.y - RISE / 2}V${box.y}`),
  ];
  // Down from row to row between two columns; with one column behind the boxes.
  const spine = first.x + first.width + GAP / 2;
  for (const [index, level] of levels.entries()) {
    const row = servers.filter(({ y }) => y - RISE / 2 === level);
    const across = [...row, ...(index === 0 ? balancers : [])].map(middle);
    if (levels.length > 1) across.push(spine);
    paths.push(`M${Math.min(...across)} ${level}H${Math.max(...across)}`);
  }
  const last = levels.at(-1);
  if (levels.length > 1 && last !== undefined) paths.push(`M${spine} ${levels[0] ?? 0}V${last}`);
  return paths;
}
