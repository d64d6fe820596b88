/**
 * Lists the processes of the script that the shell `$1` runs, without the subtree of `$2`: its descendants, and those
 * that lost their parent but began after the script in the same session. Neither dash nor busybox have job control
 * without a terminal, so a script has no process group of its own; this finds background children as well.
 */
const LIST = [
  '{ pid=$1; line=$0; sub(/^.*\\) /, "", line); split(line, f, " ");',
  'if (f[1] != "Z") { up[pid]=f[2]; ses[pid]=f[4]; born[pid]=f[20]+0 } }',
  'function top(p) { while ((up[p] in up) && ses[up[p]] == ses[p]) p=up[p]; return p }',
  'function under(p, a) { while (p in up) { if (p == a) return 1; p=up[p] } return 0 }',
  'END { first=B; if (B == "") { first=-1;',
  'for (p in up) if (up[p] == M && p != W && (first < 0 || born[p] < first)) first=born[p] }',
  'first+=0; printf "%s", first;',
  'for (p in up) { if (p == M || (W != "" && under(p, W))) continue;',
  'if (under(p, M) || (first >= 0 && ses[p] == ses[M] && born[p] >= first && top(p) != top(M))) printf " %s", p } }',
].join(' ');

/**
 * Ends those processes: TERM, three seconds to comply, then KILL until none is left. When the script itself is gone its
 * start time, which `__list` gives first, still tells what it has left behind.
 */
const REAP = [
  `__list() { cat /proc/[0-9]*/stat | awk -v M="$1" -v W="$2" -v B="$3" '${LIST}'; }`,
  '__reap() { __v=$(__list "$1" "$2" ""); __b=${__v%% *}; __v=${__v#"$__b"}',
  '[ -n "$__v" ] || return 0; kill -s TERM $__v; kill -s CONT $__v; __i=0',
  'while __v=$(__list "$1" "$2" "$__b"); __v=${__v#"$__b"}; [ -n "$__v" ]; do __i=$((__i+1))',
  '[ $__i -le 30 ] || kill -s KILL $__v; [ $__i -le 60 ] || return 1; sleep 0.1; done; }',
].join('\n');

/**
 * The functions that every long-lived shell defines for ending scripts.
 * `__watch` waits, then ends the script beside it. It is the backstop for when the connection is lost: a script with a
 * time limit must not outlive it on the host. When the script is done first, TERM ends the wait and the sleep.
 */
export const REAP_FUNCTIONS = [
  REAP,
  "__watch() { trap 'kill $__z; exit' TERM; sleep $1 & __z=$!; wait $__z",
  'read -r __me __rest </proc/self/stat; __reap $$ "$__me"; }',
].join('\n');
