import { isIP } from 'node:net';

import { z } from 'zod';

import { Secret } from './secret.ts';

// What the inventory says of name servers. The values end up in commands of nsupdate and dig, so their forms allow no
// quote and no line feed.

const LABELS = /^(?:[A-Za-z0-9_](?:[\w-]{0,61}[A-Za-z0-9_])?\.?)+$/;

/** A name as DNS has it, in small letters and without the last dot. */
export const domainName = z
  .string()
  .max(254)
  .regex(LABELS, 'expected a name as DNS has it')
  .transform((text) => text.replace(/\.$/, '').toLowerCase());

export const ipAddress = z.string().refine((text) => isIP(text) !== 0, 'expected an IP address');

export const portNumber = z.int().min(1).max(65_535);

/** The TSIG key that updates are signed with. */
export const tsigKey = {
  key_name: domainName.describe('of the TSIG key'),
  key_algorithm: z.enum(['hmac-sha256', 'hmac-sha384', 'hmac-sha512']).default('hmac-sha256'),
  key_secret: z
    .base64()
    .min(1)
    .transform((text) => new Secret(text))
    .describe('as the name server has it; keep it where the other secrets are'),
};
