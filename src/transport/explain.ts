import { type Problem, unreachable } from '../lib/errors.ts';
import { hostPort } from '../lib/host-port.ts';
import { command } from '../lib/shell.ts';
import type { Endpoint, Phase, TransportFailure } from './failure.ts';

/** A failure in words: what happened, and what to do. */
export function explain(host: string, failure: TransportFailure): Problem {
  const { message, hint } = describe(host, failure);
  return { message: `${host}: ${message}`, ...(hint ? { hint } : {}) };
}

interface Description {
  readonly message: string;
  readonly hint?: string;
}

function describe(host: string, failure: TransportFailure): Description {
  switch (failure.kind) {
    case 'unresolved':
      return {
        message: `the name ${failure.address} cannot be resolved${by(failure)}`,
        hint: 'check ansible_host in the inventory, HostName in the ssh configuration, or the name server',
      };
    case 'refused':
      return {
        message: `${where(failure)} refused the connection${by(failure)}`,
        hint: 'the machine answers, but no sshd listens on that port: check the port and that sshd runs',
      };
    case 'unreachable-network':
      return {
        message: `there is no route to ${where(failure)}${by(failure)} (${failure.code})`,
        hint: 'check the address, the network and firewalls between here and there',
      };
    case 'timeout':
      return describeTimeout(failure);
    case 'handshake':
      return {
        message: `${where(failure)} did not complete the SSH handshake: ${failure.detail}`,
        hint: failure.detail.includes('Not allowed at this time')
          ? 'its sshd keeps this machine out for a while, after failed logins (PerSourcePenalties)'
          : 'check that an sshd listens there, and its log; it drops connections beyond MaxStartups',
      };
    case 'host-key-unknown':
      return {
        message:
          `the host key of ${failure.label} is not known: ${failure.algorithm} ${failure.fingerprint}, ` +
          `which is not in ${failure.files.join(', ') || 'any known_hosts file'}` +
          failure.notes.map((note) => `; ${note}`).join(''),
        hint: `compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then run: ${trust(host)}`,
      };
    case 'host-key-changed':
      return {
        message:
          `the host key of ${failure.label} HAS CHANGED: it shows ${failure.algorithm} ${failure.fingerprint}, ` +
          `but ${failure.known.file}:${failure.known.line} says ${failure.known.fingerprint}`,
        hint:
          'either the host was reinstalled, or somebody is intercepting the connection. ' +
          `Once you know which, replace the old key with: ${trust(host, '--replace')}`,
      };
    case 'host-key-revoked':
      return {
        message:
          `the host key of ${failure.label} is marked as revoked: ${failure.algorithm} ${failure.fingerprint}, ` +
          `by ${failure.known.file}:${failure.known.line}`,
        hint: 'give the host a new key; a revoked key is never accepted',
      };
    case 'authentication':
      return describeAuthentication(failure);
    case 'jump': {
      const inner = describe(failure.jump, failure.cause);
      return {
        message: [
          `the jump host ${failure.jump} cannot be used: ${inner.message}`,
          ...(failure.others ?? []).map((other) => describe(host, other).message),
        ].join('; '),
        ...(inner.hint ? { hint: inner.hint } : {}),
      };
    }
    case 'sudo-password-required':
      return {
        message: `sudo asks for a password to become ${failure.user}, and none was given`,
        hint: 'set ansible_become_password for the host, or allow NOPASSWD in its sudoers',
      };
    case 'sudo-requiretty':
      return {
        message: `sudo wants a terminal (requiretty) to become ${failure.user}, and scripts run without one`,
        hint: 'add to its sudoers, with visudo: Defaults:LOGIN_USER !requiretty',
      };
    case 'sudo-refused':
      return {
        message: `sudo did not let us become ${failure.user}: ${failure.reason}`,
        hint: `check ${failure.reason.includes('password') ? 'the password, and ' : ''}what sudo -l says for the login user on that host`,
      };
    case 'shell':
      return {
        message: `no shell could be started: ${failure.reason}`,
        hint: 'the login user needs a login shell and a working sh on the host',
      };
    case 'lost':
      return {
        message: `the connection was lost${failure.during ? ` ${failure.during}` : ''}${
          failure.reason ? `: ${failure.reason}` : ''
        }`,
        ...(failure.during
          ? { hint: 'a script that has begun runs to its end on the host; run again to see where it stands' }
          : {}),
      };
    default:
      return unreachable(failure);
  }
}

function describeTimeout(failure: Extract<TransportFailure, { kind: 'timeout' }>): Description {
  const seconds = `${failure.ms / 1000} s`;
  const detail = failure.detail ? ` (${failure.detail})` : '';
  const what: Record<Phase, string> = {
    connect: `${where(failure)} did not answer within ${seconds}${by(failure)}`,
    handshake: `${where(failure)} accepted the connection but did not complete the SSH handshake within ${seconds}`,
    authentication: `${where(failure)} did not answer the authentication within ${seconds}`,
    sudo: `sudo did not answer within ${seconds}`,
  };
  const hints: Record<Phase, string> = {
    connect: 'check that the machine is up, its address, and firewalls that drop packets in silence',
    handshake: 'the machine may hang or be overloaded; check it on its console',
    authentication: 'sshd may be waiting for a name server or a directory service',
    sudo: 'sudo may be asking something else than a password; try sudo by hand on that host',
  };
  return { message: what[failure.phase] + detail, hint: hints[failure.phase] };
}

function describeAuthentication(failure: Extract<TransportFailure, { kind: 'authentication' }>): Description {
  const tried = failure.tried.length > 0 ? `tried ${failure.tried.join(', ')}` : 'there was nothing to try';
  const accepted = failure.accepted.length > 0 ? `; the server accepts ${failure.accepted.join(', ')}` : '';
  const notes = failure.notes.map((note) => `; ${note}`).join('');
  return {
    message: `${failure.endpoint} did not let ${failure.user} in: ${tried}${accepted}${notes}`,
    hint: 'check the user name, and that the public key is in authorized_keys on the host (ssh-copy-id)',
  };
}

function where(endpoint: Endpoint): string {
  return hostPort(endpoint.address, endpoint.port);
}

function by(endpoint: Endpoint): string {
  return endpoint.via ? `, seen from the jump host ${endpoint.via}` : '';
}

function trust(host: string, ...flags: readonly string[]): string {
  return command(['provision', 'trust', ...flags, host]);
}
