// What testssl.sh, ssh-audit and Lynis say, as data. Pure.

/** What testssl.sh makes of a site. */
export interface TlsVerdict {
  /** As it has it: `A+`. Undefined when it gave none. */
  readonly grade: string | undefined;
  readonly score: string | undefined;
  /** What it calls low or worse. */
  readonly findings: readonly string[];
}

interface TlsFinding {
  readonly id: string;
  readonly severity: string;
  readonly finding: string;
}

const FINE: ReadonlySet<string> = new Set(['OK', 'INFO', 'DEBUG']);

/** Reads the file of `--jsonfile`. */
export function readTestssl(text: string): TlsVerdict {
  const all = JSON.parse(text) as readonly TlsFinding[];
  const of = (id: string): string | undefined => all.find((one) => one.id === id)?.finding;
  return {
    grade: of('overall_grade'),
    score: of('final_score'),
    findings: all
      .filter(({ severity }) => !FINE.has(severity))
      .map(({ id, severity, finding }) => `${severity.toLowerCase()}: ${id}: ${finding}`),
  };
}

/** What ssh-audit warns of, from its text without colours at the level `warn`. */
export function readSshAudit(text: string): readonly string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => /\[(?:warn|fail)\]/.test(line))
    .map((line) => line.replaceAll(/\s+/g, ' '));
}

/** What Lynis says of a host. */
export interface LynisVerdict {
  /** Of 100. */
  readonly index: number;
  readonly findings: readonly LynisFinding[];
}

export interface LynisFinding {
  /** Of the test: `SSH-7408`. */
  readonly id: string;
  readonly isWarning: boolean;
  readonly message: string;
}

/** Reads its report, /var/log/lynis-report.dat. */
export function readLynis(report: string): LynisVerdict {
  const findings = [
    ...report.matchAll(/^(warning|suggestion)\[\]=([A-Z]+-\d+)\|([^|\n]*)\|?([^|\n]*)/gm),
  ].map(([, kind, id = '', message = '', details = '']) => ({
    id,
    isWarning: kind === 'warning',
    message: [message, details].filter((part) => part !== '' && part !== '-').join(': '),
  }));
  return { index: Number(/^hardening_index=(\d+)/m.exec(report)?.[1] ?? Number.NaN), findings };
}

/** The findings that a page answers: the first cells of its table's rows are their ids. */
export function answeredIn(page: string): ReadonlySet<string> {
  const cells = [...page.matchAll(/^\| ((?:[A-Z]+-\d+(?:, )?)+) \|/gm)].map(([, ids = '']) => ids);
  return new Set(cells.flatMap((ids) => ids.split(', ')));
}

/** All that was found, by host where it is one's own. */
export interface Verdicts {
  readonly tls: TlsVerdict;
  readonly ssh: ReadonlyMap<string, readonly string[]>;
  readonly lynis: ReadonlyMap<string, LynisVerdict>;
}

/** What is not good enough; empty when all of it is. */
export function complaints({ tls, ssh, lynis }: Verdicts, answered: ReadonlySet<string>): readonly string[] {
  return [
    ...(tls.grade === 'A+' ? [] : [`testssl.sh gives ${tls.grade ?? 'no grade'}, and not A+`]),
    ...[...ssh].flatMap(([host, warnings]) => warnings.map((warning) => `${host}: ssh-audit: ${warning}`)),
    ...[...lynis].flatMap(([host, { index, findings }]) => [
      ...(Number.isNaN(index) ? [`${host}: Lynis did not end`] : []),
      ...findings
        .filter(({ id, isWarning }) => isWarning || !answered.has(id))
        .map(
          ({ id, isWarning, message }) =>
            `${host}: Lynis ${isWarning ? 'warns' : 'suggests'}: ${id} ${message}`,
        ),
    ]),
  ];
}
