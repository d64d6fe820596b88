import { UserError } from '../../lib/errors.ts';
import { quote } from '../../lib/shell.ts';
import type { ScriptResult } from '../../transport/transport.ts';
import type { Actor } from './actor.ts';

/** Where systems keep the certificates they trust, in one file: Debian, Red Hat, SUSE, Alpine. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

/**
 * The certificates to trust for a request that starts at a target: those at `caPath` there, else all that the target
 * trusts. Undefined when it has no list, as a minimal system; then Node's own counts.
 */
export async function authorities(
  caPath: string | undefined,
  session: { readonly name: string; script(actor: Actor, script: string): Promise<ScriptResult> },
  actor: Actor,
): Promise<string | undefined> {
  const result = await session.script(actor, caPath === undefined ? systemScript() : pathScript(caPath));
  const text = result.stdout.toString('utf8');
  if (result.status !== 0) {
    const said = result.stderr.toString('utf8').trim();
    throw new UserError(`${session.name}: ca_path ${caPath ?? ''} cannot be read: ${said}`);
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  if (caPath !== undefined) throw new UserError(`${session.name}: ca_path ${caPath} holds no certificate`);
  return undefined;
}

function systemScript(): string {
  return `for f in ${BUNDLES.map(quote).join(' ')}; do if [ -r "$f" ]; then cat "$f"; exit; fi; done`;
}

function pathScript(path: string): string {
  const word = quote(path);
  return `if [ -d ${word} ]; then cat ${word}/*; else cat -- ${word}; fi`;
}
