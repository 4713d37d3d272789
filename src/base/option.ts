/**
 * How a stage declares what can be configured: one row an option.
 *
 * A stage exports a table of options; `config.ts` joins the tables, checks a YAML file against them, and
 * `config/flowscribe.yaml` is generated from them, so that default, unit, range and comment stand once.
 *
 * In:  nothing. Out: the row type, and the type of the checked values of a table.
 */

interface OptionBase {
  /** Unit of a number, as it ends the key: 's', 'B', 'packets', 'ratio', …; '' for none. */
  unit: string
  /** One or two plain sentences for the configuration file. */
  comment: string
}

export interface NumberOption extends OptionBase {
  kind: 'number' | 'integer'
  default: number
  min: number
  max: number
}

export interface FlagOption extends OptionBase {
  kind: 'flag'
  default: boolean
}

export interface TextOption extends OptionBase {
  kind: 'text'
  default: string
  /** Allowed values; absent: any text. */
  oneOf?: readonly string[]
}

/** HOST:PORT; '' for none. */
export interface EndpointOption extends OptionBase {
  kind: 'endpoint'
  default: string
}

/** A list of networks in CIDR notation, or of single addresses. */
export interface NetworksOption extends OptionBase {
  kind: 'networks'
  default: readonly string[]
}

/** A list of numbers, each in [min, max]. */
export interface NumbersOption extends OptionBase {
  kind: 'numbers'
  default: readonly number[]
  min: number
  max: number
}

export interface RecordField {
  comment: string
  required: boolean
  kind: 'text' | 'network' | 'date'
  /** Allowed values of a text; absent: any. */
  oneOf?: readonly string[]
}

/** A list of mappings, each with the named text fields. */
export interface RecordsOption extends OptionBase {
  kind: 'records'
  default: readonly Readonly<Record<string, string>>[]
  fields: Readonly<Record<string, RecordField>>
}

export type Option = NumberOption | FlagOption | TextOption | EndpointOption | NetworksOption | NumbersOption | RecordsOption

/** Option rows by key; keys are snake_case and numbers end in their unit. */
export type OptionTable = Readonly<Record<string, Option>>

/** The checked values of a table. */
export type OptionValues<T extends OptionTable> = { readonly [K in keyof T]: ValueOf<T[K]> }

type ValueOf<O extends Option> = O extends { kind: 'number' | 'integer' }
  ? number
  : O extends { kind: 'flag' }
    ? boolean
    : O extends { kind: 'text' | 'endpoint' }
      ? string
      : O extends { kind: 'networks' }
        ? readonly string[]
        : O extends { kind: 'numbers' }
          ? readonly number[]
          : readonly Readonly<Record<string, string>>[]

/** The values that a table gives when nothing is configured. */
export function defaultsOf<T extends OptionTable>(table: T): OptionValues<T> {
  return Object.fromEntries(Object.entries(table).map(([key, option]) => [key, option.default])) as OptionValues<T>
}
