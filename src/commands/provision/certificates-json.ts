import { z } from 'zod';

import { certificateProblems, daysLeft, type CertificateStatus } from '../../site/certificate-status.ts';

// What `provision certificates` prints with --json.

const time = z.number().describe('milliseconds since 1970');

const balancerSchema = z.strictObject({
  name: z.string(),
  trouble: z.string().optional().describe('why the balancer does not say; the rest is missing then'),
  source: z.enum(['self-signed', 'acme', 'files']).optional().describe('`tls_certificates`'),
  names: z.array(z.string()).optional(),
  issuer: z.string().optional(),
  serial: z.string().optional(),
  notBefore: time.optional(),
  notAfter: time.optional(),
  daysLeft: z.number().optional(),
  served: z.boolean().optional().describe('HAProxy serves this one'),
  attempt: z
    .strictObject({
      at: time,
      error: z.string().nullable().describe('null: nothing went wrong'),
      failures: z.number().describe('how often it failed without a success between'),
      failingSince: time.nullable(),
    })
    .nullable()
    .optional()
    .describe('the last time that one was ordered, or given to HAProxy'),
  problems: z.array(z.string()).optional().describe('what is wrong, in sentences'),
});

export const certificatesSchema = z
  .strictObject({
    type: z.literal('certificates'),
    renewed: z
      .array(z.string())
      .optional()
      .describe('of `renew`: the balancers that serve another one than before'),
    balancers: z.array(balancerSchema),
  })
  .describe(
    'What `provision certificates --json` and `provision certificates renew --json` print: one object.',
  );
export type CertificatesShown = z.infer<typeof certificatesSchema>;

/** What a balancer says of its certificate, or why it does not. */
export type CertificateAnswer =
  | { readonly name: string; readonly status: CertificateStatus }
  | { readonly name: string; readonly trouble: string };

export function certificatesJson(
  answers: readonly CertificateAnswer[],
  now: number,
  renewed?: readonly string[],
): CertificatesShown {
  return {
    type: 'certificates',
    ...(renewed && { renewed: [...renewed] }),
    balancers: answers.map((answer) => {
      if ('trouble' in answer) return answer;
      const { name, status } = answer;
      const { servedSerial, attempt, ...certificate } = status;
      return {
        name,
        ...certificate,
        names: [...certificate.names],
        daysLeft: daysLeft(status, now),
        served: servedSerial !== undefined && servedSerial === certificate.serial.replace(/^0+(?=.)/, ''),
        attempt: attempt ?? null,
        problems: [...certificateProblems(status, now)],
      };
    }),
  };
}
