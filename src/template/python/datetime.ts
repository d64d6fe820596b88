import { Float } from '../../lib/value.ts';
import { NativeFunction, PythonObject, typeFault, type CallArguments, type Data } from './objects.ts';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** A Python `datetime` without a zone, kept as if its clock showed UTC. */
export class DateTime extends PythonObject {
  readonly typeName = 'datetime';
  /** Shows the date and time in its UTC fields. */
  readonly #fields: Date;
  /** Milliseconds since 1970. */
  readonly #moment: number;
  readonly #zone: string;

  constructor(fields: Date, moment: number, zone = '') {
    super();
    this.#fields = fields;
    this.#moment = moment;
    this.#zone = zone;
  }

  override attribute(name: string): Data | undefined {
    const at = this.#fields;
    switch (name) {
      case 'year':
        return at.getUTCFullYear();
      case 'month':
        return at.getUTCMonth() + 1;
      case 'day':
        return at.getUTCDate();
      case 'hour':
        return at.getUTCHours();
      case 'minute':
        return at.getUTCMinutes();
      case 'second':
        return at.getUTCSeconds();
      case 'microsecond':
        return at.getUTCMilliseconds() * 1000;
      case 'strftime':
        return new NativeFunction(({ positional }) => {
          if (typeof positional[0] !== 'string') throw typeFault('strftime() needs a format');
          return this.strftime(positional[0]);
        });
      case 'isoformat':
        return new NativeFunction(({ positional }) =>
          this.text().replace(' ', typeof positional[0] === 'string' ? positional[0] : 'T'),
        );
      case 'timestamp':
        return new NativeFunction(() => new Float(this.#moment / 1000));
      case 'weekday':
        return new NativeFunction(() => (at.getUTCDay() + 6) % 7);
      case 'isoweekday':
        return new NativeFunction(() => at.getUTCDay() || 7);
      case 'operator -':
        return new NativeFunction((args) => this.#minus(args));
      default:
        return undefined;
    }
  }

  #minus({ positional: [other] }: CallArguments): Data {
    if (other instanceof DateTime) return new TimeDelta(this.#fields.getTime() - other.#fields.getTime());
    throw typeFault('only a datetime can be subtracted from a datetime');
  }

  override text(): string {
    const micro = this.#fields.getUTCMilliseconds();
    const date = this.strftime('%Y-%m-%d %H:%M:%S');
    return micro === 0 ? date : `${date}.${String(micro * 1000).padStart(6, '0')}`;
  }

  override order(): number {
    return this.#fields.getTime();
  }

  strftime(format: string): string {
    return formatDate(this.#fields, format, { zone: this.#zone, moment: this.#moment });
  }
}

class TimeDelta extends PythonObject {
  readonly typeName = 'timedelta';
  readonly #milliseconds: number;

  constructor(milliseconds: number) {
    super();
    this.#milliseconds = milliseconds;
  }

  override attribute(name: string): Data | undefined {
    const days = Math.floor(this.#milliseconds / 86_400_000);
    const rest = this.#milliseconds - days * 86_400_000;
    switch (name) {
      case 'days':
        return days;
      case 'seconds':
        return Math.floor(rest / 1000);
      case 'microseconds':
        return (rest % 1000) * 1000;
      case 'total_seconds':
        return new NativeFunction(() => new Float(this.#milliseconds / 1000));
      default:
        return undefined;
    }
  }

  override order(): number {
    return this.#milliseconds;
  }

  override text(): string {
    const days = this.attribute('days') as number;
    const seconds = this.attribute('seconds') as number;
    const micro = this.attribute('microseconds') as number;
    const two = (value: number): string => String(value).padStart(2, '0');
    const clock = `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
    const fraction = micro === 0 ? '' : `.${String(micro).padStart(6, '0')}`;
    return `${days === 0 ? '' : `${days} day${Math.abs(days) === 1 ? '' : 's'}, `}${clock}${fraction}`;
  }
}

/** A moment as a Python `datetime`, in this machine's zone or in UTC. */
export function datetime(moment: Date, utc: boolean): DateTime {
  if (utc) return new DateTime(new Date(moment), moment.getTime());
  return new DateTime(new Date(moment.getTime() - moment.getTimezoneOffset() * 60_000), moment.getTime());
}

/** Python's `strftime`. `fields` shows the date and time in its UTC fields. */
export function formatDate(
  fields: Date,
  format: string,
  extra: { zone: string; moment: number; offset?: string },
): string {
  const pad = (value: number, width = 2, fill = '0'): string => String(value).padStart(width, fill);
  const startOfYear = Date.UTC(fields.getUTCFullYear(), 0, 1);
  const dayOfYear = Math.floor((fields.getTime() - startOfYear) / 86_400_000);
  const hour12 = fields.getUTCHours() % 12 || 12;
  const weekday = fields.getUTCDay();
  const directive = (letter: string): string => {
    switch (letter) {
      case 'Y':
        return String(fields.getUTCFullYear());
      case 'y':
        return pad(fields.getUTCFullYear() % 100);
      case 'm':
        return pad(fields.getUTCMonth() + 1);
      case 'd':
        return pad(fields.getUTCDate());
      case 'e':
        return pad(fields.getUTCDate(), 2, ' ');
      case 'H':
        return pad(fields.getUTCHours());
      case 'I':
        return pad(hour12);
      case 'M':
        return pad(fields.getUTCMinutes());
      case 'S':
        return pad(fields.getUTCSeconds());
      case 'f':
        return pad(fields.getUTCMilliseconds() * 1000, 6);
      case 'p':
        return fields.getUTCHours() < 12 ? 'AM' : 'PM';
      case 'A':
        return DAYS[weekday]!;
      case 'a':
        return DAYS[weekday]!.slice(0, 3);
      case 'B':
        return MONTHS[fields.getUTCMonth()]!;
      case 'b':
      case 'h':
        return MONTHS[fields.getUTCMonth()]!.slice(0, 3);
      case 'j':
        return pad(dayOfYear + 1, 3);
      case 'w':
        return String(weekday);
      case 'u':
        return String(weekday || 7);
      case 'U':
        return pad(Math.floor((dayOfYear + 7 - weekday) / 7));
      case 'W':
        return pad(Math.floor((dayOfYear + 7 - ((weekday + 6) % 7)) / 7));
      case 's':
        return String(Math.floor(extra.moment / 1000));
      case 'F':
        return expand('%Y-%m-%d');
      case 'T':
      case 'X':
        return expand('%H:%M:%S');
      case 'R':
        return expand('%H:%M');
      case 'D':
      case 'x':
        return expand('%m/%d/%y');
      case 'c':
        return expand('%a %b %e %H:%M:%S %Y');
      case 'Z':
        return extra.zone;
      case 'z':
        return extra.offset ?? '';
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case '%':
        return '%';
      default:
        throw typeFault(`strftime: %${letter} is not supported`);
    }
  };
  const expand = (text: string): string =>
    text.replaceAll(/%([\s\S])/g, (_whole, letter: string) => directive(letter));
  return expand(format);
}

/** Reads a text by a format of Python's `strptime`. */
export function parseDate(text: string, format: string): DateTime {
  const names: string[] = [];
  const patterns: Readonly<Record<string, string>> = {
    Y: '\\d{4}',
    m: '\\d{1,2}',
    d: '\\d{1,2}',
    H: '\\d{1,2}',
    M: '\\d{1,2}',
    S: '\\d{1,2}',
    f: '\\d{1,6}',
    y: '\\d{2}',
    b: '[A-Za-z]{3}',
    B: '[A-Za-z]+',
    Z: '[A-Z]*',
  };
  const source = format.replaceAll(/%([\s\S])|[.*+?^${}()|[\]\\]/g, (whole: string, letter?: string) => {
    if (letter === undefined) return `\\${whole}`;
    if (letter === '%') return '%';
    const pattern = Object.hasOwn(patterns, letter) ? patterns[letter] : undefined;
    if (!pattern) throw typeFault(`to_datetime: %${letter} is not supported`);
    names.push(letter);
    return `(${pattern})`;
  });
  const match = new RegExp(`^${source}$`).exec(text);
  if (!match) throw typeFault(`time data '${text}' does not match format '${format}'`);
  const get = (letter: string): string | undefined =>
    names.includes(letter) ? match[names.indexOf(letter) + 1] : undefined;
  const month = get('b') ?? get('B');
  const monthIndex =
    month === undefined
      ? Number(get('m') ?? 1) - 1
      : MONTHS.findIndex((one) => one.toLowerCase().startsWith(month.toLowerCase()));
  const year =
    get('Y') ?? (get('y') === undefined ? '1900' : Number(get('y')) < 69 ? `20${get('y')}` : `19${get('y')}`);
  const milliseconds = Math.floor(Number((get('f') ?? '0').padEnd(6, '0')) / 1000);
  const fields = new Date(
    Date.UTC(
      Number(year),
      monthIndex,
      Number(get('d') ?? 1),
      Number(get('H') ?? 0),
      Number(get('M') ?? 0),
      Number(get('S') ?? 0),
      milliseconds,
    ),
  );
  if (fields.getUTCMonth() !== monthIndex) throw typeFault(`time data '${text}' is no date`);
  return new DateTime(fields, fields.getTime() + new Date(fields).getTimezoneOffset() * 60_000);
}
