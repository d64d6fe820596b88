/** A cut between a host and one peer, or between the host and everyone (`peer` undefined). */
export interface Cut {
  readonly host: string;
  readonly peer?: string;
}

const TABLE = 'understudy_faults';

/** Adds cuts; a pair is one cut whichever side it was named from. */
export function addCuts(cuts: readonly Cut[], host: string, peers: readonly string[]): readonly Cut[] {
  const added: Cut[] = peers.length === 0 ? [{ host }] : peers.map((peer) => ({ host, peer }));
  const result = [...cuts];
  for (const cut of added) if (!result.some((other) => sameCut(cut, other))) result.push(cut);
  return result;
}

/**
 * The rules that make the cuts, for `nft -f` in the lab's namespace. Packets vanish at the bridge, both ways and
 * without a word, as in a network partition; the hosts' interfaces stay up. Ports keep their names when a host
 * restarts, so a cut outlives a reboot of the host.
 */
export function faultRules(cuts: readonly Cut[]): string {
  const lines = [`table bridge ${TABLE}`, `delete table bridge ${TABLE}`];
  if (cuts.length === 0) return `${lines.join('\n')}\n`;
  const rules: Record<'prerouting' | 'forward' | 'postrouting', string[]> = {
    prerouting: [],
    forward: [],
    postrouting: [],
  };
  for (const { host, peer } of cuts) {
    const comment = `comment "cut ${host}${peer === undefined ? '' : ` ${peer}`}"`;
    if (peer === undefined) {
      rules.prerouting.push(`iifname "${host}-*" drop ${comment}`);
      rules.postrouting.push(`oifname "${host}-*" drop ${comment}`);
    } else {
      rules.forward.push(`iifname "${host}-*" oifname "${peer}-*" drop ${comment}`);
      rules.forward.push(`iifname "${peer}-*" oifname "${host}-*" drop ${comment}`);
    }
  }
  lines.push(`table bridge ${TABLE} {`);
  for (const [hook, list] of Object.entries(rules)) {
    lines.push(`  chain ${hook} {`, `    type filter hook ${hook} priority 0; policy accept;`);
    for (const rule of list) lines.push(`    ${rule}`);
    lines.push('  }');
  }
  lines.push('}');
  return `${lines.join('\n')}\n`;
}

/** The cuts in force, read from the text of `nft list ruleset`. */
export function cutsIn(ruleset: string): readonly Cut[] {
  const cuts: Cut[] = [];
  for (const [, host, peer] of ruleset.matchAll(/comment "cut (\S+?)(?: (\S+?))?"/g)) {
    if (host === undefined) continue;
    const cut: Cut = peer === undefined ? { host } : { host, peer };
    if (!cuts.some((other) => sameCut(cut, other))) cuts.push(cut);
  }
  return cuts;
}

/** The peers a host is cut from, in the order of the cuts; `everyone` when that is all. */
export function isolatedFrom(cuts: readonly Cut[], host: string): readonly string[] {
  const peers: string[] = [];
  for (const cut of cuts) {
    if (cut.peer === undefined) {
      if (cut.host === host) return ['everyone'];
    } else if (cut.host === host) peers.push(cut.peer);
    else if (cut.peer === host) peers.push(cut.host);
  }
  return peers;
}

function sameCut(a: Cut, b: Cut): boolean {
  return (
    (a.host === b.host && a.peer === b.peer) ||
    (a.peer !== undefined && a.host === b.peer && a.peer === b.host)
  );
}
