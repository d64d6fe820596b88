import { localTransport } from '../transport/local.ts';
import type { HostAddress } from '../transport/transport.ts';
import { addressOf } from '../variables/address.ts';
import { asLayer } from '../variables/known-site.ts';
import { INITIAL_WINDOW } from './window.ts';
import { connectionScope, currentInventory } from './scope.ts';
import type { Login } from './host/actor.ts';
import { CONTROLLER } from './host/changes.ts';
import { RemoteHost, type Reached } from './host/remote-host.ts';
import { HostSession } from './host/session.ts';
import type { HostRun, World } from './world.ts';
import { hostLayers } from '../inventory/variables.ts';
import type { Dict } from '../lib/value.ts';

/** A host by its name: of the inventory, or one that only a delegation names (then its name is its address). */
export function hostRun(world: World, name: string): HostRun {
  const known = world.hosts.get(name);
  if (known) return known;
  const host = newHost(world, name);
  world.hosts.set(name, host);
  return host;
}

/** Prepares a host of the inventory or of add_host. Nothing is connected before it is needed. */
export function newHost(world: World, name: string, ownVars: readonly Dict[] = []): HostRun {
  const layers = hostLayers(currentInventory(world), world.playbookVars, name).map(asLayer);
  const host: HostRun = {
    name,
    session: new HostSession(
      world.openHost?.(name) ?? new RemoteHost(name, (login) => connect(world, host, login), world.site),
      world.changes,
    ),
    state: 'active',
    counts: { ok: 0, changed: 0, skipped: 0, failed: 0, unreachable: 0, rescued: 0, ignored: 0 },
    values: new Map(),
    facts: new Map(),
    includedVars: [],
    inventoryVars: [...layers, ...ownVars.map((values) => ({ values, written: true }))],
    addedVars: ownVars,
    notified: new Set(),
    owed: new Set(),
    notes: new Map(),
    window: INITIAL_WINDOW,
  };
  return host;
}

async function connect(world: World, host: HostRun, login: Login): Promise<Reached> {
  const asked = new Map<string, string>();
  if (login.user !== undefined) asked.set('ansible_user', login.user);
  if (login.connection !== undefined) asked.set('ansible_connection', login.connection);
  if (login.address !== undefined) asked.set('ansible_host', login.address);
  if (login.port !== undefined) asked.set('ansible_port', login.port);
  const scope = connectionScope(world, host).with([{ values: asked, written: false }]);
  const implicitLocal = host.name === 'localhost' && !world.inventory.hosts.has('localhost');
  const address = implicitLocal ? 'local' : addressOf(host.name, scope, world.settings);
  if (address === 'local') {
    const connection = await localTransport().connect({ name: host.name, address: 'localhost' });
    return { connection, machine: CONTROLLER };
  }
  return { connection: await world.transport.connect(address), machine: machineAt(address) };
}

/** Names of one machine: whatever is done to it by one of them has happened to the others. */
function machineAt({ address, port = 22, jumps = [] }: HostAddress): string {
  const isLoopback = /^(localhost|127\.[\d.]+|::1)$/i.test(address);
  if (!isLoopback) return `${address.toLowerCase()}:${port}`;
  // Behind a jump host, that is the jump host's own; another port may lead into a container or a virtual machine.
  return jumps.length === 0 && port === 22 ? CONTROLLER : `${[...jumps, 'localhost'].join(',')}:${port}`;
}
