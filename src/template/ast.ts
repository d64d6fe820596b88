import type { Float } from '../lib/value.ts';

/** A call's arguments. */
export interface Arguments {
  readonly positional: readonly Expression[];
  readonly keyword: readonly { readonly name: string; readonly value: Expression }[];
  /** `*args` and `**kwargs`. */
  readonly spread: Expression | undefined;
  readonly keywordSpread: Expression | undefined;
}

export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**';
export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'not in';

/** An expression; `at` is the offset in the source of what a message should point at. */
export type Expression =
  | {
      readonly type: 'constant';
      readonly value: null | boolean | number | bigint | Float | string;
      readonly at: number;
    }
  | { readonly type: 'name'; readonly name: string; readonly at: number }
  | { readonly type: 'list' | 'tuple'; readonly items: readonly Expression[]; readonly at: number }
  | {
      readonly type: 'dict';
      readonly items: readonly (readonly [Expression, Expression])[];
      readonly at: number;
    }
  | { readonly type: 'attribute'; readonly of: Expression; readonly name: string; readonly at: number }
  | { readonly type: 'item'; readonly of: Expression; readonly key: Expression; readonly at: number }
  | {
      readonly type: 'slice';
      readonly of: Expression;
      readonly start: Expression | undefined;
      readonly stop: Expression | undefined;
      readonly step: Expression | undefined;
      readonly at: number;
    }
  | { readonly type: 'call'; readonly callee: Expression; readonly args: Arguments; readonly at: number }
  /** Without `value` it applies to the text of a block. */
  | {
      readonly type: 'filter';
      readonly value: Expression | undefined;
      readonly name: string;
      readonly args: Arguments;
      readonly at: number;
    }
  | {
      readonly type: 'test';
      readonly value: Expression;
      readonly name: string;
      readonly args: Arguments;
      readonly at: number;
    }
  | { readonly type: 'not' | 'negative' | 'positive'; readonly value: Expression; readonly at: number }
  | {
      readonly type: 'and' | 'or';
      readonly left: Expression;
      readonly right: Expression;
      readonly at: number;
    }
  | {
      readonly type: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
      readonly at: number;
    }
  | { readonly type: 'concatenation'; readonly items: readonly Expression[]; readonly at: number }
  | {
      readonly type: 'comparison';
      readonly first: Expression;
      readonly rest: readonly { readonly operator: ComparisonOperator; readonly value: Expression }[];
      readonly at: number;
    }
  | {
      readonly type: 'conditional';
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression | undefined;
      readonly at: number;
    };

/** What a value is assigned to. */
export type Target =
  | { readonly type: 'name'; readonly name: string; readonly at: number }
  | { readonly type: 'tuple'; readonly items: readonly Target[]; readonly at: number }
  | { readonly type: 'namespace'; readonly name: string; readonly attribute: string; readonly at: number };

export interface Parameter {
  readonly name: string;
  readonly fallback: Expression | undefined;
}

export type Statement =
  | { readonly type: 'data'; readonly text: string; readonly at: number }
  | { readonly type: 'output'; readonly value: Expression; readonly at: number }
  | {
      readonly type: 'if';
      readonly branches: readonly { readonly condition: Expression; readonly body: readonly Statement[] }[];
      readonly otherwise: readonly Statement[];
      readonly at: number;
    }
  | {
      readonly type: 'for';
      readonly target: Target;
      readonly iterable: Expression;
      readonly condition: Expression | undefined;
      readonly recursive: boolean;
      readonly body: readonly Statement[];
      readonly otherwise: readonly Statement[];
      readonly at: number;
    }
  | { readonly type: 'break' | 'continue'; readonly at: number }
  | { readonly type: 'set'; readonly target: Target; readonly value: Expression; readonly at: number }
  | {
      readonly type: 'set-block';
      readonly target: Target;
      readonly filter: Expression | undefined;
      readonly body: readonly Statement[];
      readonly at: number;
    }
  | {
      readonly type: 'with';
      readonly bindings: readonly { readonly target: Target; readonly value: Expression }[];
      readonly body: readonly Statement[];
      readonly at: number;
    }
  | { readonly type: 'do'; readonly value: Expression; readonly at: number }
  | {
      readonly type: 'filter-block';
      readonly filter: Expression;
      readonly body: readonly Statement[];
      readonly at: number;
    }
  | {
      readonly type: 'macro';
      readonly name: string;
      readonly parameters: readonly Parameter[];
      readonly body: readonly Statement[];
      readonly at: number;
    }
  | {
      readonly type: 'call-block';
      readonly call: Extract<Expression, { type: 'call' }>;
      readonly parameters: readonly Parameter[];
      readonly body: readonly Statement[];
      readonly at: number;
    }
  | {
      readonly type: 'block';
      readonly name: string;
      readonly isScoped: boolean;
      readonly isRequired: boolean;
      readonly body: readonly Statement[];
      readonly at: number;
    }
  | { readonly type: 'extends'; readonly template: Expression; readonly at: number }
  /** Statements that stand together for no reason of their own. */
  | { readonly type: 'group'; readonly body: readonly Statement[]; readonly at: number }
  | {
      readonly type: 'include';
      readonly template: Expression;
      readonly ignoreMissing: boolean;
      readonly withContext: boolean;
      readonly at: number;
    }
  | {
      readonly type: 'import';
      readonly template: Expression;
      readonly name: string;
      readonly withContext: boolean;
      readonly at: number;
    }
  | {
      readonly type: 'from-import';
      readonly template: Expression;
      readonly names: readonly { readonly name: string; readonly as: string }[];
      readonly withContext: boolean;
      readonly at: number;
    };
