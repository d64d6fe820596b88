import { ROOMS, type Room } from './rooms.ts';

const BEGIN = '<!-- Made from scripts/rooms.ts by scripts/generate-docs.ts: begin. -->';
const END = '<!-- End. -->';

/** ARCHITECTURE.md with the table of rooms as the linter has it; all else is left as it is. */
export function withRooms(page: string): string {
  const begin = page.indexOf(BEGIN);
  const end = page.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`ARCHITECTURE.md has no part between "${BEGIN}" and "${END}"`);
  return `${page.slice(0, begin + BEGIN.length)}\n${roomTable()}\n${page.slice(end)}`;
}

function roomTable(): string {
  const rows = ROOMS.map((room) => `| ${folders(room)} | ${room.what} | ${imports(room)} |`);
  return ['| folder | what | may import |', '|---|---|---|', ...rows].join('\n');
}

function folders({ folders: names }: Room): string {
  return names.map((name) => `\`src/${name}/\``).join(' ');
}

/** A room that may import nearly every other one is said by what it may not. */
function imports(room: Room): string {
  const tops = [
    ...new Set(ROOMS.flatMap(({ folders: names }) => names.map((name) => name.split('/')[0] ?? name))),
  ];
  const others = tops.filter((name) => !room.folders.includes(name) && !room.imports.includes(name));
  if (room.imports.length > 10 && others.length <= 2) return `everything but ${others.join(', ')}`;
  return room.imports.length === 0 ? 'nothing of ours' : room.imports.join(', ');
}
