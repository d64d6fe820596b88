/*
 * What apt says when it cannot fetch packages: one line for each file, hundreds of them, all for the same reason. Here
 * they are read, and said once. The texts are apt's own in the locale C, of its versions 2.6 and 3.0.
 */

/** Why files could not be fetched. */
type Reason =
  | { readonly kind: 'unresolved'; readonly host: string }
  | { readonly kind: 'unreachable'; readonly address: string | undefined; readonly detail: string }
  | { readonly kind: 'status'; readonly code: number; readonly text: string }
  | { readonly kind: 'untrusted'; readonly detail: string }
  | { readonly kind: 'certificate'; readonly detail: string }
  | { readonly kind: 'mismatch'; readonly detail: string }
  | { readonly kind: 'time'; readonly detail: string }
  | { readonly kind: 'other'; readonly detail: string };

/** Files that could not be fetched for one reason, by the source they belong to. */
interface Unfetched {
  readonly reason: Reason;
  readonly sources: Map<string, Set<string>>;
}

/** What a failure of apt comes to: what is wrong, and what to do about it. */
export interface AptExplanation {
  readonly message: string;
  readonly hint?: string | undefined;
}

const FAILED = /^(?:[WE]: )?Failed to fetch (\S+)\s+(.*)$/;
const UNSIGNED = /^[WE]: .*?(?:GPG|OpenPGP signature verification) error: (\S+) (\S+) (\S+): (.*)$/;
const TIMED = /^[WE]: Release file for (\S+) (is (?:not valid yet|expired) .*)$/;
const UNKNOWN = /^E: (?:Unable to locate package (\S+)|Package '?([^' ]+)'? has no installation candidate)$/;

/** What could not be fetched, from where, why, and what to do; undefined when apt failed for another reason. */
export function explainApt(output: string): AptExplanation | undefined {
  const groups = unfetched(output);
  if (groups.length > 0) {
    return {
      message: groups.map(describe).join('; '),
      hint: [...new Set(groups.map(remedy))].join('; '),
    };
  }
  const unknown = unknownPackages(output);
  if (unknown.length === 0) return undefined;
  return {
    message: `no source of apt's has ${unknown.join(', ')}`,
    hint: 'apt-get update reads the lists of packages; apt-cache policy shows the sources that they come from',
  };
}

/** The same text with each complaint once, and how often it came. */
export function foldApt(output: string): string {
  const kept: { line: string; count: number }[] = [];
  const seen = new Map<string, { line: string; count: number }>();
  const files = new Set<string>();
  for (const line of output.split('\n')) {
    if (/^(?:Get|Hit|Ign|Err):\d+ /.test(line)) continue;
    const failed = failureIn(line);
    if (failed && files.has(failed.file)) continue;
    if (failed) files.add(failed.file);
    const key = failed ? `${failed.source} ${keyOf(failed.reason)}` : line.replace(/^[WE]: /, '');
    const before = seen.get(key);
    // The reason below an Err line, which the summary at the end repeats.
    if (before && (failed || /^[WE]: | {2}\S/.test(line))) before.count++;
    else {
      const entry = { line, count: 1 };
      seen.set(key, entry);
      kept.push(entry);
    }
  }
  return kept
    .map(({ line, count }) =>
      count > 1 && FAILED.test(line) ? `${line.trimEnd()} (and ${count - 1} more of this source)` : line,
    )
    .join('\n')
    .trim();
}

/** The packages that apt has never heard of. */
function unknownPackages(output: string): readonly string[] {
  const names = output.split('\n').flatMap((line) => {
    const found = UNKNOWN.exec(line);
    return found?.[1] ?? found?.[2] ?? [];
  });
  return [...new Set(names)];
}

function unfetched(output: string): readonly Unfetched[] {
  const groups = new Map<string, Unfetched>();
  for (const line of output.split('\n')) {
    const failed = failureIn(line);
    if (!failed) continue;
    const key = keyOf(failed.reason);
    const group = groups.get(key) ?? { reason: failed.reason, sources: new Map<string, Set<string>>() };
    groups.set(key, group);
    group.sources.set(failed.source, (group.sources.get(failed.source) ?? new Set()).add(failed.file));
  }
  return [...groups.values()];
}

function failureIn(line: string): { source: string; file: string; reason: Reason } | undefined {
  const [, file, said] = FAILED.exec(line) ?? [];
  if (file !== undefined && said !== undefined)
    return { source: sourceOf(file), file, reason: reasonOf(said) };
  const [, source, suite, name, detail] = UNSIGNED.exec(line) ?? [];
  if (source !== undefined && detail !== undefined)
    return {
      source: sourceOf(source),
      file: `${source}/dists/${suite}/${name}`,
      reason: { kind: 'untrusted', detail },
    };
  const [, release, time] = TIMED.exec(line) ?? [];
  if (release !== undefined && time !== undefined)
    return {
      source: sourceOf(release),
      file: release,
      reason: { kind: 'time', detail: `its Release file ${time}` },
    };
  return undefined;
}

/** The address as it stands in a list of sources. */
function sourceOf(url: string): string {
  return url.replace(/\/(?:dists|pool)\/.*$/, '').replace(/\/$/, '');
}

function reasonOf(said: string): Reason {
  const text = said.replace(/\s*\[IP: [^\]]*\]\s*$/, '').trim();
  const unresolved = /(?:resolving|resolve) '([^':]+)/.exec(text)?.[1];
  if (unresolved !== undefined) return { kind: 'unresolved', host: unresolved };
  const status = /^(\d{3})\s+(.*)$/.exec(text);
  if (status) return { kind: 'status', code: Number(status[1]), text: status[2] ?? '' };
  const address = /connect(?:ion)? to (\S+?):?(?:\s|$)/.exec(text)?.[1];
  if (address !== undefined || /^Connection (?:failed|timed out)|unreachable|Connection refused/.test(text)) {
    const detail = /\(\d+: ([^)]+)\)\s*$/.exec(text)?.[1] ?? /connection timed out/i.exec(text)?.[0] ?? '';
    return { kind: 'unreachable', address, detail: detail.toLowerCase() };
  }
  if (/certificate/i.test(text)) return { kind: 'certificate', detail: text };
  if (/NO_PUBKEY|signature|not signed|OpenPGP/i.test(text)) return { kind: 'untrusted', detail: text };
  if (/mismatch|unexpected size|Mirror sync/i.test(text))
    return { kind: 'mismatch', detail: firstSentence(text) };
  return { kind: 'other', detail: text };
}

function firstSentence(text: string): string {
  return text.split('\n', 1)[0]?.trim() ?? text;
}

/** Files with one key failed together: whether the first try or a later one is told does not matter. */
function keyOf(reason: Reason): string {
  switch (reason.kind) {
    case 'unresolved':
      return `unresolved ${reason.host}`;
    case 'unreachable':
      return `unreachable ${reason.address ?? ''}`;
    case 'status':
      return `status ${reason.code}`;
    case 'untrusted':
    case 'certificate':
    case 'mismatch':
    case 'time':
      return reason.kind;
    case 'other':
      return `other ${reason.detail}`;
  }
}

function describe({ reason, sources }: Unfetched): string {
  const files = [...sources].map(([source, failed]) =>
    failed.size === 1 ? source : `${source} (${failed.size} files)`,
  );
  return `nothing could be fetched from ${files.join(' and ')}: ${reasonText(reason)}`;
}

function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case 'unresolved':
      return `the name ${reason.host} cannot be resolved`;
    case 'unreachable': {
      const why = reason.detail === '' ? '' : ` (${reason.detail})`;
      return `${reason.address ?? 'the server'} cannot be connected to${why}`;
    }
    case 'status':
      return `the answer was ${reason.code} ${reason.text}`.trimEnd();
    case 'untrusted':
    case 'certificate':
    case 'mismatch':
    case 'time':
    case 'other':
      return reason.detail;
  }
}

function remedy({ reason, sources }: Unfetched): string {
  switch (reason.kind) {
    case 'unresolved':
      return `check the network and the name servers there (getent hosts ${reason.host})`;
    case 'unreachable':
      return isProxy(reason.address, sources)
        ? `${reason.address} is a proxy of apt's (apt-config dump | grep -i proxy, or http_proxy in the environment): see that it runs, or take it out`
        : 'check the network, and whether a firewall lets HTTP out; behind a proxy, tell apt (Acquire::http::Proxy)';
    case 'status':
      return reason.code === 404
        ? 'the lists of packages may be older than the archive: fetch them again (apt-get update, update_cache: true); for a whole source, check its address and suite'
        : 'ask whoever runs the mirror or the proxy in front of it';
    case 'untrusted':
      return 'the key that signs this source is missing there or too old: install its keyring, and name it in Signed-By';
    case 'certificate':
      return 'install ca-certificates, and the certificate of your own authority where a proxy opens TLS';
    case 'mismatch':
      return 'the mirror is being updated, or a proxy gives old files: try again in some minutes';
    case 'time':
      return 'check the clock there (date)';
    case 'other':
      return 'check the sources of apt there (apt-get update shows what they say)';
  }
}

/** An address that no source names is one of a proxy. */
function isProxy(address: string | undefined, sources: ReadonlyMap<string, unknown>): boolean {
  if (address === undefined) return false;
  const host = address.replace(/:[^:]*$/, '');
  return ![...sources.keys()].some((source) => source.replace(/^\w+:\/\//, '').split(/[/:]/)[0] === host);
}
