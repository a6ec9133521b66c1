// What a template is once it is parsed.

export interface At {
  readonly line: number;
  readonly column: number;
  /** As Go prints the node in its errors: `<.Config.Env>`. */
  readonly source: string;
}

export type Operand =
  | (At & { readonly kind: 'dot' })
  | (At & { readonly kind: 'literal'; readonly value: unknown })
  | (At & { readonly kind: 'variable'; readonly name: string })
  | (At & { readonly kind: 'function'; readonly name: string })
  | (At & { readonly kind: 'pipeline'; readonly pipe: Pipe })
  /** `of.Name.Name`; `.Name` is a chain on the dot. */
  | (At & { readonly kind: 'chain'; readonly of: Operand; readonly fields: readonly string[] });

export interface Pipe {
  readonly variables: readonly string[];
  readonly assign: boolean;
  readonly commands: readonly (readonly Operand[])[];
}

export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipe: Pipe;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | (At & { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | undefined })
  | { readonly kind: 'break' | 'continue' };

export interface Tree {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly defines: ReadonlyMap<string, readonly Node[]>;
}
