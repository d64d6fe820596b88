import type { SetupFacts, Sections } from './setup-facts.ts';

/** Processors, memory, mounts, and what the board says of itself. */
export function parseHardware(sections: Sections): SetupFacts {
  return {
    ...processors(sections),
    ...memory(sections.get('/proc/meminfo') ?? ''),
    mounts: mounts(sections),
    flags: flags(sections.get('/proc/cpuinfo') ?? ''),
    ...board(sections),
  };
}

function processors(sections: Sections): SetupFacts {
  const blocks = (sections.get('/proc/cpuinfo') ?? '')
    .split(/\n\n+/)
    .map((block) => Object.fromEntries(block.split('\n').map((line) => line.split(/\s*:\s*/, 2))))
    .filter((block): block is Record<string, string> => block['processor'] !== undefined);
  const list = blocks.flatMap((block) =>
    [block['processor'], block['vendor_id'], block['model name']].filter((item) => item !== undefined),
  );
  const sockets = new Map<string, Record<string, string>>();
  for (const block of blocks)
    if (block['physical id'] !== undefined) sockets.set(block['physical id'], block);
  const [first] = sockets.values();
  const nproc = Number((sections.get('nproc') ?? '').trim()) || blocks.length;
  // Processors that say nothing of sockets (ARM, some virtual machines) each count as one.
  const count = sockets.size || blocks.length;
  const cores = first ? Number(first['cpu cores'] ?? 1) : 1;
  const siblings = first ? Number(first['siblings'] ?? cores) : 1;
  const threads = Math.max(1, Math.floor(siblings / cores));
  return {
    processor: list,
    processor_count: count,
    processor_cores: cores,
    processor_threads_per_core: threads,
    processor_vcpus: count * cores * threads,
    processor_nproc: nproc,
  };
}

/** What the processors can do, by the kernel's names: `flags` on PCs, `Features` on ARM. */
function flags(text: string): readonly string[] {
  return /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1]?.split(' ') ?? [];
}

function memory(text: string): SetupFacts {
  const values = new Map<string, number>();
  for (const match of text.matchAll(/^(\w+):\s+(\d+) kB$/gm)) {
    values.set(match[1] ?? '', Math.floor(Number(match[2]) / 1024));
  }
  const of = (name: string): number => values.get(name) ?? 0;
  const [total, free] = [of('MemTotal'), of('MemFree')];
  const [swapTotal, swapFree] = [of('SwapTotal'), of('SwapFree')];
  const cached = of('Buffers') + of('Cached');
  return {
    memtotal_mb: total,
    memfree_mb: free,
    swaptotal_mb: swapTotal,
    swapfree_mb: swapFree,
    memory_mb: {
      real: { total, used: total - free, free },
      nocache: { free: free + cached, used: total - (free + cached) },
      swap: { total: swapTotal, free: swapFree, used: swapTotal - swapFree, cached: of('SwapCached') },
    },
  };
}

function mounts(sections: Sections): readonly SetupFacts[] {
  const sizes = (sections.get('statfs') ?? '').split('\n');
  return (sections.get('/proc/mounts') ?? '')
    .split('\n')
    .map((line) => line.split(' ').map(unescapeMount))
    .filter(([device = '']) => device.startsWith('/') || device.includes(':/'))
    .map(([device = '', mount = '', fstype = '', options = '', dump, pass], index) => {
      const [blockSize, total, available, inodes, inodesFree] = (sizes[index] ?? '').split(' ').map(Number);
      const base = { device, mount, fstype, options, uuid: 'N/A', dump: Number(dump), passno: Number(pass) };
      if (!blockSize || total === undefined || available === undefined) return base;
      return {
        ...base,
        block_size: blockSize,
        block_total: total,
        block_available: available,
        block_used: total - available,
        size_total: total * blockSize,
        size_available: available * blockSize,
        inode_total: inodes ?? 0,
        inode_available: inodesFree ?? 0,
        inode_used: (inodes ?? 0) - (inodesFree ?? 0),
      };
    });
}

/** The kernel writes blanks in mount points as octal escapes. */
function unescapeMount(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

function board(sections: Sections): SetupFacts {
  const of = (name: string): string => (sections.get(`/sys/class/dmi/id/${name}`) ?? '').trim() || 'NA';
  return {
    bios_date: of('bios_date'),
    bios_vendor: of('bios_vendor'),
    bios_version: of('bios_version'),
    board_asset_tag: of('board_asset_tag'),
    board_name: of('board_name'),
    board_serial: of('board_serial'),
    board_vendor: of('board_vendor'),
    board_version: of('board_version'),
    chassis_asset_tag: of('chassis_asset_tag'),
    chassis_serial: of('chassis_serial'),
    chassis_vendor: of('chassis_vendor'),
    chassis_version: of('chassis_version'),
    form_factor: formFactor(of('chassis_type')),
    product_name: of('product_name'),
    product_serial: of('product_serial'),
    product_uuid: of('product_uuid'),
    product_version: of('product_version'),
    system_vendor: of('sys_vendor'),
  };
}

/** The kinds of chassis by their numbers (SMBIOS, 7.4.1). */
const CHASSIS: readonly string[] = [
  'Unknown',
  'Other',
  'Unknown',
  'Desktop',
  'Low Profile Desktop',
  'Pizza Box',
  'Mini Tower',
  'Tower',
  'Portable',
  'Laptop',
  'Notebook',
  'Hand Held',
  'Docking Station',
  'All In One',
  'Sub Notebook',
  'Space-saving',
  'Lunch Box',
  'Main Server Chassis',
  'Expansion Chassis',
  'Sub Chassis',
  'Bus Expansion Chassis',
  'Peripheral Chassis',
  'RAID Chassis',
  'Rack Mount Chassis',
  'Sealed-case PC',
  'Multi-system',
  'CompactPCI',
  'AdvancedTCA',
  'Blade',
  'Blade Enclosure',
  'Tablet',
  'Convertible',
  'Detachable',
  'IoT Gateway',
  'Embedded PC',
  'Mini PC',
  'Stick PC',
];

function formFactor(number: string): string {
  return number === 'NA' ? number : (CHASSIS[Number(number)] ?? `unknown (${number})`);
}
