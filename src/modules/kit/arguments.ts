import { z } from 'zod';

/** What was found instead, for messages: short, and recognisable to the one who wrote it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 57)}...` : value}'`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a dictionary';
  return String(value);
}

/** Makes zod say what was expected and found; a missing value is `required`. */
export function expected(what: string): { error: (issue: { readonly input?: unknown }) => string } {
  return {
    error: (issue) =>
      issue.input === undefined ? 'required' : `expected ${what}; found ${show(issue.input)}`,
  };
}

/** Ansible's spellings of yes and no. */
export const bool = z
  .union(
    [
      z.boolean(),
      z.literal([0, 1]),
      z.string().regex(/^(y|yes|on|1|true|t|1\.0|n|no|off|0|false|f|0\.0)$/i, expected('yes or no')),
    ],
    expected('yes or no'),
  )
  .transform((value) =>
    typeof value === 'string' ? /^(y|yes|on|1|true|t|1\.0)$/i.test(value) : Boolean(value),
  );

/** A whole number, also written as text. */
export const int = z
  .union(
    [z.int(), z.string().regex(/^\s*[+-]?\d+\s*$/, expected('a whole number'))],
    expected('a whole number'),
  )
  .transform(Number);

/** A number, also written as text. */
export const float = z
  .union(
    [z.number(), z.string().regex(/^\s*[+-]?(\d+(\.\d*)?|\.\d+)\s*$/, expected('a number'))],
    expected('a number'),
  )
  .transform(Number);

const text = z.union([z.string(), z.number(), z.boolean()], expected('text'));

/** Whether an argument is text, of whatever form: a path, say. */
export function isText(schema: unknown): boolean {
  const { def } = (schema ?? {}) as { def?: { innerType?: unknown; in?: unknown } };
  return schema === text || (def !== undefined && isText(def.innerType ?? def.in));
}

/** Text; numbers and booleans are written out as Python would. */
export const str = text.transform((value) =>
  typeof value === 'boolean' ? (value ? 'True' : 'False') : String(value),
);

/** Text that is not given when it is empty: roles fill in what they do not need with it. */
export const filled = str.transform((value) => (value === '' ? undefined : value));

/** What judges a file before it is replaced. */
export const validateArgument = filled
  .refine((value) => value === undefined || value.includes('%s'), { error: 'must contain %s' })
  .optional()
  .describe(
    "A command that judges the new file before it takes the old one's place; `%s` stands for its path.",
  );

/** A path on the target or the controller. */
export const path = str.refine((value) => value !== '' && !value.includes('\0'), {
  error: 'expected a path; found an empty one',
});

/** A list; text is cut at commas, as Ansible does. */
export function list<Element extends z.ZodType>(element: Element) {
  return z
    .union([z.array(z.unknown()), z.string(), z.number(), z.boolean()], expected('a list'))
    .transform((value) =>
      Array.isArray(value)
        ? value
        : String(value)
            .split(',')
            .map((item) => item.trim()),
    )
    .pipe(z.array(element));
}

/** A dictionary with text keys. */
export const dict = z.preprocess(
  (value) => (value instanceof Map ? Object.fromEntries(value) : value),
  z.record(z.string(), z.unknown(), expected('a dictionary')),
);

/** One of a few words. */
export function choice<const Values extends readonly [string, ...string[]]>(...values: Values) {
  return z.enum(values, expected(`one of ${values.join(', ')}`));
}

/** A whole number of seconds or so that must not be negative. */
export const count = int.refine((value) => value >= 0, { error: 'must not be negative' });

const SYMBOLIC = /^[ugoa]*([-+=]([rwxXst]*|[ugo]))+(,[ugoa]*([-+=]([rwxXst]*|[ugo]))+)*$/;

/** Permissions: `0644` as YAML reads it (420), `'0644'`, or `u=rw,g=r`. Becomes four octal digits or a symbolic mode. */
export const mode = modeArgument(false);

/** `mode` that may also be the word `preserve`. */
export const modeOrPreserve = modeArgument(true);

function modeArgument(mayPreserve: boolean) {
  const what = `a mode such as '0644' or 'u=rw,g=r'${mayPreserve ? ', or preserve' : ''}`;
  return z.union([z.int(), z.string()], expected(what)).transform((value, context) => {
    const refuse = (message: string): never => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    if (typeof value === 'number') {
      // 644 without the leading zero is read as decimal, which is 01204: never what was meant.
      const isSlip = value > 0o777 && value < 0o1412 && /^[0-7]+$/.test(String(value));
      if (isSlip) return refuse(`${value} is a decimal number here; write '0${value}' with quotes`);
      if (value < 0 || value > 0o7777) return refuse(`expected ${what}; found the number ${value}`);
      return octal(value);
    }
    const text = value.trim();
    if (mayPreserve && text === 'preserve') return text;
    if (/^(0o)?[0-7]{1,5}$/.test(text)) return octal(Number.parseInt(text.replace(/^0o/, ''), 8));
    if (SYMBOLIC.test(text)) return text;
    return refuse(`expected ${what}; found ${show(value)}`);
  });
}

/** Four octal digits. */
export function octal(bits: number): string {
  return bits.toString(8).padStart(4, '0');
}

/** An argument of Ansible's that we refuse, with the reason. Leaving it away is fine. */
export function unsupported(reason: string) {
  return z.undefined({ error: () => `is not supported: ${reason}` }).optional();
}

/** A switch of Ansible's whose other position we refuse, with the reason. */
export function only(value: boolean, reason: string) {
  return bool.refine((given) => given === value, { error: `is not supported: ${reason}` }).optional();
}

/** A part of a file's SELinux context. `defineModule` sees to hosts that have SELinux. */
function contextPart(name: string) {
  return str
    .optional()
    .describe(
      `The ${name} of its SELinux context: without effect where there is no SELinux, an error where there is.`,
    );
}

/** Owner, group and mode, which all modules that write files take. */
export const fileArguments = {
  owner: str.optional().describe('The user who shall own it, by name or number.'),
  group: str.optional().describe('The group that shall own it, by name or number.'),
  mode: mode
    .optional()
    .describe(
      "The permissions, such as `'0644'` or `u=rw,g=r,o=r`; without it an existing file keeps its own, and a new one gets what the umask says.",
    ),
  seuser: contextPart('user'),
  serole: contextPart('role'),
  setype: contextPart('type'),
  selevel: contextPart('level'),
  attributes: unsupported('run chattr with ansible.builtin.command instead'),
  unsafe_writes: bool
    .default(false)
    .describe(
      'Where a file cannot be replaced in one step (a mount point, a directory that is read-only), write into it; readers may then see a part.',
    ),
} as const;

/** Other spellings that go with `fileArguments`. */
export const fileAliases = { attributes: ['attr'] } as const;

export interface Rules<Shape> {
  /** At most one of each list. */
  readonly exclusive?: readonly (readonly (keyof Shape & string)[])[];
  /** At least one of each list. */
  readonly oneOf?: readonly (readonly (keyof Shape & string)[])[];
  /** If the first is given, the others must be too. */
  readonly together?: readonly (readonly [keyof Shape & string, ...(keyof Shape & string)[]])[];
}

/** The arguments of a module: unknown ones are refused, and the rules hold. */
export function args<Shape extends z.ZodRawShape>(shape: Shape, rules: Rules<Shape> = {}) {
  return z.strictObject(shape).superRefine((given, context) => {
    const values: Readonly<Record<string, unknown>> = given;
    const isGiven = (name: string): boolean => values[name] !== undefined;
    for (const names of rules.exclusive ?? []) {
      // Defaults such as false and the empty list do not exclude anything.
      const isSet = (name: string): boolean =>
        isGiven(name) &&
        values[name] !== false &&
        !(Array.isArray(values[name]) && values[name].length === 0);
      const both = names.filter(isSet);
      if (both.length > 1) {
        context.addIssue({
          code: 'custom',
          message: `${both.join(' and ')} exclude each other; give one of them`,
        });
      }
    }
    for (const names of rules.oneOf ?? []) {
      if (!names.some(isGiven)) {
        context.addIssue({ code: 'custom', message: `one of ${names.join(', ')} is required` });
      }
    }
    for (const [name, ...others] of rules.together ?? []) {
      if (!isGiven(name)) continue;
      for (const other of others) {
        if (!isGiven(other)) context.addIssue({ code: 'custom', message: `${name} needs ${other} too` });
      }
    }
  });
}
