import { quote } from '../lib/shell.ts';
import type { FactKind } from './fact.ts';
import { chunks, FieldReader, subshell } from './script.ts';

export interface PackageFact {
  readonly installed: boolean;
  /** Of what is installed, or half installed. */
  readonly version?: string | undefined;
  /** dpkg was interrupted in the middle of this package. */
  readonly broken: boolean;
  /** Removed, but its configuration is still there. */
  readonly hasConfig: boolean;
  readonly held: boolean;
  /** Installed packages that provide the name, where no package of that name is installed. */
  readonly providedBy: readonly string[];
}

const STATUS = '${Package}\\t${Architecture}\\t${Version}\\t${Status}\\n';
const PROVIDES = '${db:Status-Status}\\t${Package}\\t${Provides}\\n';

/** What dpkg knows of a package, by `name` or `name:architecture`. */
export const packageStatus: FactKind<string, PackageFact> = {
  name: 'package',
  scope: 'host',
  id: (name) => name,
  script: (names) =>
    subshell(
      chunks(names).flatMap((chunk) => {
        const alternatives = chunk
          .map((name) => name.replace(/:.*/, '').replaceAll(/[.+]/g, '\\$&'))
          .join('|');
        return [
          `o=$(dpkg-query -W -f='${STATUS}' -- ${chunk.map(quote).join(' ')} 2>/dev/null); s=$?; printf '%s\\0' "$o"`,
          // Some are missing: perhaps another package stands in for them.
          `case "$s $o" in [!0]*|*not-installed*|*config-files*)`,
          `dpkg-query -W -f='${PROVIDES}' 2>/dev/null | grep -E ${quote(`^installed\t.*[\t ](${alternatives})([ ,(]|$)`)} ;; esac; printf '\\0'`,
        ];
      }),
    ),
  parse(stdout, names) {
    const reader = new FieldReader('package', stdout);
    return chunks(names).flatMap((chunk) => {
      const packages = reader.lines().map((line) => line.split('\t'));
      const providers = reader.lines().map((line) => line.split('\t'));
      return chunk.map((name) => describe(name, packages, providers));
    });
  },
};

function describe(name: string, packages: readonly string[][], providers: readonly string[][]): PackageFact {
  const [plain = name, architecture] = name.split(':');
  const found = packages
    .filter(([other, arch]) => other === plain && (architecture === undefined || architecture === arch))
    .map(([, , version, status = '']) => {
      const [want, , state = ''] = status.split(' ');
      return { version: version === '' ? undefined : version, want, state };
    });
  const best =
    found.find((item) => isInstalled(item.state)) ?? found.find((item) => isBroken(item.state)) ?? found[0];
  const installed = best !== undefined && isInstalled(best.state);
  return {
    installed,
    version: best && (installed || isBroken(best.state)) ? best.version : undefined,
    broken: found.some((item) => isBroken(item.state)),
    hasConfig: best?.state === 'config-files',
    held: best?.want === 'hold',
    providedBy: installed
      ? []
      : providers
          .filter(([, , provides = '']) =>
            provides.split(/,\s*/).some((item) => item.split(' ')[0] === plain),
          )
          .map(([, provider = '']) => provider),
  };
}

function isInstalled(state: string): boolean {
  return state === 'installed' || state === 'triggers-pending' || state === 'triggers-awaited';
}

function isBroken(state: string): boolean {
  return state === 'half-installed' || state === 'unpacked' || state === 'half-configured';
}
