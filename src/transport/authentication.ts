import { readFile } from 'node:fs/promises';
import ssh2, {
  type AnyAuthMethod,
  type AuthenticationType,
  type BaseAgent as BaseAgentOf,
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2';
import { acceptsKeyType } from './ssh-algorithms.ts';
import type { SshSettings } from './ssh-settings.ts';

const { BaseAgent, createAgent, utils } = ssh2;

/** One thing to show the server. */
interface Offer {
  readonly label: string;
  readonly methods: readonly AuthenticationType[];
  readonly auth: AnyAuthMethod;
}

/** What can be shown to a server, and how far it went. */
export interface Authenticator {
  /** ssh2's authentication handler. */
  readonly next: (left: AuthenticationType[] | null) => AnyAuthMethod | false;
  readonly tried: () => readonly string[];
  readonly accepted: () => readonly string[];
  /** Why some of what the user has could not be offered. */
  readonly notes: readonly string[];
}

/** Reads each key file once a run: decrypting one takes longer than a connection. */
export interface KeyStore {
  load(file: string, passphrase: string | undefined): Promise<LoadedKey>;
}

export type LoadedKey =
  | { readonly kind: 'key'; readonly key: ParsedKey }
  /** Only the public half: an agent may hold the other. */
  | { readonly kind: 'public'; readonly key: ParsedKey }
  | { readonly kind: 'missing' }
  | { readonly kind: 'unusable'; readonly reason: string };

/** A key store with nothing read yet. */
export function keyStore(): KeyStore {
  const loaded = new Map<string, Promise<LoadedKey>>();
  return {
    async load(file, passphrase) {
      const id = `${file}\0${passphrase ?? ''}`;
      const key = loaded.get(id) ?? loadKey(file, passphrase);
      loaded.set(id, key);
      return await key;
    },
  };
}

async function loadKey(file: string, passphrase: string | undefined): Promise<LoadedKey> {
  let text: Buffer;
  try {
    text = await readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT'
      ? { kind: 'missing' }
      : { kind: 'unusable', reason: `${file} cannot be read (${code})` };
  }
  const parsed: ParsedKey | Error | (ParsedKey | Error)[] = utils.parseKey(text, passphrase);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key === undefined) return { kind: 'unusable', reason: `${file} holds no key` };
  if (key instanceof Error)
    return { kind: 'unusable', reason: unusable(file, key, passphrase !== undefined) };
  return { kind: key.isPrivateKey() ? 'key' : 'public', key };
}

function unusable(file: string, error: Error, hasPassphrase: boolean): string {
  if (/encrypted|passphrase|bad decrypt|integrity/i.test(error.message)) {
    return hasPassphrase
      ? `${file} is encrypted and the given passphrase does not open it`
      : `${file} is encrypted: give its passphrase, or add it to the agent with ssh-add`;
  }
  return `${file} is not a private key that can be used (${error.message})`;
}

/**
 * Prepares what to show, in order: the agent's keys, the given key, the user's default keys, the password. A given
 * key goes before those of the agent's keys that are other keys: servers count, and close after six.
 */
export async function authenticator(settings: SshSettings, store: KeyStore): Promise<Authenticator> {
  const notes: string[] = [];
  const offers: Offer[] = [];
  const agent = await agentKeys(settings, notes);
  const held = new Set(agent?.keys.map(encoded));
  const files = await loadFiles(settings, store, held, notes);
  const named = new Set(files.map((file) => encoded(file.key)));
  const wanted = await publicKeys(settings);
  const inAgent = agent?.keys.filter((key) => named.has(encoded(key)) || wanted.has(encoded(key))) ?? [];
  const otherAgentKeys = settings.identitiesOnly
    ? []
    : (agent?.keys.filter((key) => !inAgent.includes(key)) ?? []);
  const given = files.filter((file) => !held.has(encoded(file.key)));
  const username = settings.user;
  const offerAgent = (keys: readonly ParsedKey[]) => {
    if (!agent || keys.length === 0) return;
    offers.push({
      label: keys.length === 1 ? 'a key of the agent' : `${keys.length} keys of the agent`,
      methods: ['publickey'],
      auth: { type: 'agent', username, agent: new SomeOf(agent.socket, keys) },
    });
  };
  const offerFiles = (explicit: boolean) => {
    for (const file of given.filter((one) => one.explicit === explicit)) {
      offers.push({
        label: `the key ${file.file}`,
        methods: ['publickey'],
        auth: { type: 'publickey', username, key: file.key },
      });
    }
  };
  offerAgent(inAgent);
  offerFiles(true);
  offerAgent(otherAgentKeys);
  offerFiles(false);
  if (settings.password) offers.push(...passwordOffers(username, settings.password.reveal()));
  const allowed = settings.authentications.flatMap((method) =>
    offers.filter((offer) => offer.methods.includes(method)),
  );
  if (offers.length > 0 && allowed.length === 0)
    notes.push(`the ssh configuration allows only ${settings.authentications.join(', ')}`);
  return inTurn(username, allowed, notes);
}

function inTurn(username: string, offers: Offer[], notes: readonly string[]): Authenticator {
  const tried: string[] = [];
  let accepted: readonly string[] = [];
  return {
    next(left) {
      if (left) accepted = left;
      // With nothing to show, asking still tells what the server would accept.
      if (left === null && offers.length === 0) return { type: 'none', username };
      for (let offer = offers.shift(); offer; offer = offers.shift()) {
        if (left && !offer.methods.some((method) => left.includes(method))) continue;
        tried.push(offer.label);
        return offer.auth;
      }
      return false;
    },
    tried: () => tried,
    accepted: () => accepted,
    notes,
  };
}

function passwordOffers(username: string, password: string): Offer[] {
  return [
    { label: 'the password', methods: ['password'], auth: { type: 'password', username, password } },
    {
      label: 'the password (keyboard-interactive)',
      methods: ['keyboard-interactive'],
      auth: {
        type: 'keyboard-interactive',
        username,
        prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password)),
      },
    },
  ];
}

interface KeyFile {
  readonly file: string;
  readonly explicit: boolean;
  readonly key: ParsedKey;
}

async function loadFiles(
  settings: SshSettings,
  store: KeyStore,
  inAgent: ReadonlySet<string>,
  notes: string[],
): Promise<KeyFile[]> {
  const found: KeyFile[] = [];
  const passphrase = settings.passphrase?.reveal();
  for (const { file, explicit } of settings.keys) {
    const loaded = await store.load(file, passphrase);
    switch (loaded.kind) {
      case 'key':
        if (!acceptsKeyType(settings.acceptedKeys, loaded.key.type))
          notes.push(`${file} is of the type ${loaded.key.type}, which PubkeyAcceptedAlgorithms leaves out`);
        else if (!found.some((other) => encoded(other.key) === encoded(loaded.key)))
          found.push({ file, explicit, key: loaded.key });
        break;
      case 'public':
        if (!inAgent.has(encoded(loaded.key)))
          notes.push(`${file} is a public key, and the agent does not hold the private one`);
        break;
      case 'missing':
        if (explicit) notes.push(`the key ${file} does not exist`);
        break;
      case 'unusable':
        notes.push(loaded.reason);
        break;
    }
  }
  return found;
}

/** The public halves that are named, or beside the named key files: by them an encrypted key is found in the agent. */
async function publicKeys(settings: SshSettings): Promise<Set<string>> {
  const keys = await Promise.all(
    settings.keys.map(async ({ file }) => {
      const names = file.endsWith('.pub') ? [file] : [`${file}.pub`];
      const texts = await Promise.all(names.map((name) => readFile(name).catch(() => undefined)));
      return texts.flatMap((text) => {
        const key = text === undefined ? undefined : utils.parseKey(text);
        return key === undefined || key instanceof Error ? [] : [encoded(key)];
      });
    }),
  );
  return new Set(keys.flat());
}

interface AgentKeys {
  readonly socket: BaseAgentOf;
  readonly keys: readonly ParsedKey[];
}

/** An agent that is named but does not answer is noted: the user may count on it. */
async function agentKeys(settings: SshSettings, notes: string[]): Promise<AgentKeys | undefined> {
  if (settings.agent === undefined || settings.agent === '') return undefined;
  const socket = createAgent(settings.agent);
  try {
    const entries = await new Promise<readonly unknown[]>((resolve, reject) =>
      socket.getIdentities((error, keys) => (error ? reject(error) : resolve(keys ?? []))),
    );
    // An OpenSSH agent gives the keys themselves; a kind of key that ssh2 does not know is no use to us.
    const keys = entries
      .map((entry) => utils.parseKey(entry as Buffer))
      .filter((key): key is ParsedKey => !(key instanceof Error))
      .filter((key) => acceptsKeyType(settings.acceptedKeys, key.type));
    return { socket, keys };
  } catch (error) {
    notes.push(`the agent at ${settings.agent} does not answer (${(error as Error).message})`);
    return undefined;
  }
}

function encoded(key: ParsedKey): string {
  return key.getPublicSSH().toString('base64');
}

/** Some of an agent's keys, already listed. */
class SomeOf extends BaseAgent<ParsedKey> {
  readonly #agent: BaseAgentOf;
  readonly #keys: readonly ParsedKey[];

  constructor(agent: BaseAgentOf, keys: readonly ParsedKey[]) {
    super();
    this.#agent = agent;
    this.#keys = keys;
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(undefined, [...this.#keys]);
  }

  // ssh2 always gives the options; its types also know the form without.
  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    callback?: SignCallback,
  ): void {
    if (typeof options === 'function') this.#agent.sign(key, data, options);
    else this.#agent.sign(key, data, options, callback);
  }
}
