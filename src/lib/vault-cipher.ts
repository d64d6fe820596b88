import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  pbkdf2Sync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/** What ansible-vault derives from a password, in bytes: a key for the text, one for its digest, a counter's start. */
const [KEY, COUNTER] = [32, 16];
const ROUNDS = 10_000;
const LINE = 80;
const HEADER = '$ANSIBLE_VAULT';

/** A text that ansible-vault encrypted, taken apart. */
export interface Envelope {
  /** Which password is meant; `default` where the text does not say. */
  readonly id: string;
  readonly salt: Buffer;
  readonly digest: Buffer;
  readonly data: Buffer;
}

/** Whether a text is one that ansible-vault encrypted. */
export function isVaultText(text: string): boolean {
  return text.startsWith(`${HEADER};`);
}

/** Takes an encrypted text apart; a sentence says what is wrong with it. */
export function readEnvelope(text: string): Envelope | string {
  const [header = '', ...lines] = text.trim().split(/\s*\n\s*/);
  const [, version = '', cipher = '', id = 'default'] = header.trim().split(';');
  if (version !== '1.1' && version !== '1.2')
    return `the vault format ${version} is not known; there are 1.1 and 1.2`;
  if (cipher !== 'AES256') return `the vault cipher ${cipher} is not known; there is AES256`;
  const [salt, digest, data] = fromHex(lines.join('')).toString('latin1').split('\n').map(fromHex);
  if (!salt?.length || digest?.length !== 32 || !data?.length) return 'the vault text is not complete';
  return { id, salt, digest, data };
}

function fromHex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

/** The text within, or undefined when the password is another one. */
export function openEnvelope({ salt, digest, data }: Envelope, password: string): Buffer | undefined {
  const keys = deriveKeys(password, salt);
  if (!timingSafeEqual(createHmac('sha256', keys.digest).update(data).digest(), digest)) return undefined;
  const cipher = createDecipheriv('aes-256-ctr', keys.text, keys.counter);
  const padded = Buffer.concat([cipher.update(data), cipher.final()]);
  return padded.subarray(0, padded.length - (padded.at(-1) ?? 0));
}

/** Encrypts as ansible-vault does, with its line breaks. */
export function sealText(content: Buffer, password: string, id = 'default', salt = randomBytes(32)): string {
  const keys = deriveKeys(password, salt);
  const filling = 16 - (content.length % 16);
  const cipher = createCipheriv('aes-256-ctr', keys.text, keys.counter);
  const data = Buffer.concat([
    cipher.update(content),
    cipher.update(Buffer.alloc(filling, filling)),
    cipher.final(),
  ]);
  const digest = createHmac('sha256', keys.digest).update(data).digest();
  const inner = [salt, digest, data].map((part) => part.toString('hex')).join('\n');
  const outer = Buffer.from(inner).toString('hex');
  const lines = outer.match(new RegExp(`.{1,${LINE}}`, 'g')) ?? [];
  const header = id === 'default' ? `${HEADER};1.1;AES256` : `${HEADER};1.2;AES256;${id}`;
  return `${[header, ...lines].join('\n')}\n`;
}

function deriveKeys(password: string, salt: Buffer): { text: Buffer; digest: Buffer; counter: Buffer } {
  const derived = pbkdf2Sync(password, salt, ROUNDS, 2 * KEY + COUNTER, 'sha256');
  return {
    text: derived.subarray(0, KEY),
    digest: derived.subarray(KEY, 2 * KEY),
    counter: derived.subarray(2 * KEY),
  };
}
