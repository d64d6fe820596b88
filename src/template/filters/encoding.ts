import { createHash, getHashes } from 'node:crypto';

import { Float } from '../../lib/value.ts';
import { formatDate, parseDate } from '../python/datetime.ts';
import { numeric, truth } from '../python/compare.ts';
import { typeFault, type Data } from '../python/objects.ts';
import { text } from '../python/string-methods.ts';
import { str } from '../python/text.ts';
import { filter, type Filters } from './define.ts';
import { sha512Crypt } from './sha512-crypt.ts';
import { parseFloatText } from './math.ts';

/** Filters about encodings, digests and dates. */
export const encodingFilters: Filters = {
  b64encode: filter('encoding?', (value, [encoding]) =>
    Buffer.from(str(value), bufferEncoding(encoding)).toString('base64'),
  ),
  b64decode: filter('encoding?', (value, [encoding]) => decodeBase64(str(value), bufferEncoding(encoding))),
  hash: filter('hashtype?', (value, [type = 'sha1']) => digest(text(type), str(value))),
  md5: filter('', (value) => digest('md5', str(value))),
  sha1: filter('', (value) => digest('sha1', str(value))),
  checksum: filter('', (value) => digest('sha1', str(value))),
  to_uuid: filter('namespace?', (value, [namespace = ANSIBLE_NAMESPACE]) =>
    uuid5(str(value), text(namespace)),
  ),
  password_hash: filter(
    'hashtype? salt? salt_size? rounds? ident?',
    (value, [type = 'sha512', salt, size, rounds, ident]) => {
      const kind = text(type);
      if (kind !== 'sha512' && kind !== 'sha512_crypt')
        throw typeFault(`password_hash: "${kind}" is not supported, only sha512`);
      if (ident !== undefined && ident !== null) throw typeFault('password_hash: ident is not supported');
      const count = rounds === undefined || rounds === null ? undefined : Number(numeric(rounds));
      const saltText = salt === undefined || salt === null ? undefined : str(salt);
      const saltSize = size === undefined || size === null ? 16 : Number(numeric(size));
      return sha512Crypt(str(value), saltText, count, saltSize);
    },
  ),
  strftime: filter('second? utc?', (value, [second, utc = false], call) => {
    const clock = call.environment.now ?? ((): Date => new Date());
    const moment = second === undefined || second === null ? clock().getTime() : seconds(second) * 1000;
    const isUtc = truth(utc);
    const offset = isUtc ? 0 : -new Date(moment).getTimezoneOffset();
    const sign = offset < 0 ? '-' : '+';
    const two = (number: number): string => String(number).padStart(2, '0');
    const zoneOffset = `${sign}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
    const zone = isUtc || offset === 0 ? (isUtc ? 'GMT' : 'UTC') : zoneOffset;
    return formatDate(new Date(moment + offset * 60_000), text(value), { zone, moment, offset: zoneOffset });
  }),
  to_datetime: filter('format?', (value, [format = '%Y-%m-%d %H:%M:%S']) =>
    parseDate(text(value), text(format)),
  ),
};

const ANSIBLE_NAMESPACE = '361E6D51-FAEC-444A-9079-341386DA8E2E';

function seconds(value: Data): number {
  const number =
    value instanceof Float
      ? value.value
      : typeof value === 'string'
        ? parseFloatText(value)?.value
        : numeric(value);
  if (number === undefined) throw typeFault(`Invalid value for epoch value (${str(value)})`);
  return Math.floor(Number(number));
}

function bufferEncoding(encoding: Data | undefined): BufferEncoding {
  const name = encoding === undefined ? 'utf-8' : text(encoding).toLowerCase();
  if (name === 'utf-8' || name === 'utf8') return 'utf8';
  if (name === 'utf-16-le' || name === 'utf-16le') return 'utf16le';
  if (name === 'latin-1' || name === 'latin1' || name === 'iso-8859-1') return 'latin1';
  if (name === 'ascii') return 'ascii';
  throw typeFault(`the encoding "${name}" is not supported`);
}

function decodeBase64(value: string, encoding: BufferEncoding): string {
  const data = value.replaceAll(/[^A-Za-z0-9+/=]/g, '');
  if (data.replace(/=+$/, '').length % 4 === 1 || data.length % 4 !== 0)
    throw typeFault('b64decode: Incorrect padding');
  const bytes = Buffer.from(data, 'base64');
  if (encoding !== 'utf8') return bytes.toString(encoding);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw typeFault('b64decode: the result is not text in UTF-8');
  }
}

function digest(type: string, value: string): string {
  const name = type.replace('_', '-');
  if (!getHashes().includes(name)) throw typeFault(`unsupported hash type ${type}`);
  return createHash(name).update(value).digest('hex');
}

function uuid5(value: string, namespace: string): string {
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(namespace)) {
    throw typeFault(`Invalid value '${namespace}' for 'namespace': badly formed hexadecimal UUID string`);
  }
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(value)
    .digest()
    .subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
