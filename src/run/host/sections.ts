import { randomBytes } from 'node:crypto';

/** What one section of a script did. A section that was not reached has no result. */
export interface SectionResult {
  readonly status: number;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

export interface SectionedScript {
  readonly script: string;
  /** Splits what the whole script printed. */
  split(stdout: Buffer, stderr: Buffer): readonly (SectionResult | undefined)[];
}

export interface Section {
  readonly script: string;
  /** Leave the rest out when this section ends with another status than 0. */
  readonly required: boolean;
}

/**
 * Puts several scripts into one, so that they share a round trip, with their statuses and outputs kept apart.
 * Each runs in a subshell of its own. After each, a line with a nonce that no output can guess ends its part of both
 * streams; the newline before the nonce is ours, so that output without a last newline comes back as it was.
 */
export function joinSections(sections: readonly Section[]): SectionedScript {
  const nonce = randomBytes(16).toString('hex');
  const lines: string[] = [];
  for (const section of sections) {
    lines.push(
      '(',
      section.script,
      ')',
      `us_status=$?`,
      `printf '\\n${nonce} %s\\n' "$us_status"`,
      `printf '\\n${nonce}\\n' >&2`,
    );
    if (section.required) lines.push('[ "$us_status" -eq 0 ] || exit "$us_status"');
  }
  return {
    script: `${lines.join('\n')}\n`,
    split(stdout, stderr) {
      const outputs = splitStream(stdout, nonce);
      const errors = splitStream(stderr, nonce);
      return sections.map((_, index) => {
        const output = outputs[index];
        if (!output) return undefined;
        return {
          status: output.status,
          stdout: output.content,
          stderr: errors[index]?.content ?? Buffer.alloc(0),
        };
      });
    },
  };
}

function splitStream(stream: Buffer, nonce: string): { content: Buffer; status: number }[] {
  const marker = Buffer.from(`\n${nonce}`);
  const parts: { content: Buffer; status: number }[] = [];
  let from = 0;
  for (;;) {
    const at = stream.indexOf(marker, from);
    if (at < 0) return parts;
    const lineEnd = stream.indexOf(0x0a, at + marker.length);
    const status = stream
      .subarray(at + marker.length, lineEnd)
      .toString()
      .trim();
    parts.push({ content: stream.subarray(from, at), status: status === '' ? 0 : Number(status) });
    from = lineEnd + 1;
  }
}
