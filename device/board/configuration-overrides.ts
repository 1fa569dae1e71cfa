/**
 * What the environment says in the place of `board.yaml`, for containers, services and benches that start many boards
 * from one file: `ADRIFT_DATA`, `ADRIFT_LOG_LEVEL`, `ADRIFT_METRICS_PORT` and `ADRIFT_BROKER_<NAME>`.
 */

import { resolve } from "node:path";
import type { BoardConfiguration } from "./configuration.ts";
import { brokerUrl, dataFolder, logLevel, metricsPort } from "./configuration-schema.ts";

/** A configuration under the overrides of an environment. */
export type Overridden = {
  readonly configuration: BoardConfiguration;
  /** The variable that rules a place of the configuration, by the place's name, as in `brokers[0].url`. */
  readonly variables: ReadonlyMap<string, string>;
  /** What is wrong with the variables. */
  readonly problems: readonly string[];
};

const brokerPrefix = "ADRIFT_BROKER_";

/** Puts what the environment says in the place of what the file says. An empty variable says nothing. */
export function readOverrides(
  fromFile: BoardConfiguration,
  environment: Readonly<Record<string, string | undefined>>,
): Overridden {
  const variables = new Map<string, string>();
  const problems: string[] = [];

  function read<Value>(variable: string, place: string, schema: Schema<Value>, usual: Value, input = textOf): Value {
    const text = environment[variable];
    if (text === undefined || text === "") return usual;
    const result = schema.safeParse(input(text));
    if (!result.success) {
      problems.push(`${variable}: The variable is ${JSON.stringify(text)}, but ${result.error.issues[0]?.message}.`);
      return usual;
    }
    variables.set(place, variable);
    return result.data;
  }

  const names = new Map(fromFile.brokers.map(({ name }) => [brokerVariable(name), name]));
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith(brokerPrefix) || names.has(variable)) continue;
    problems.push(`${variable}: There is no such broker; the variables are ${[...names.keys()].join(", ")}.`);
  }
  const configuration: BoardConfiguration = {
    ...fromFile,
    data: resolve(read("ADRIFT_DATA", "data", dataFolder, fromFile.data)),
    logLevel: read("ADRIFT_LOG_LEVEL", "logLevel", logLevel, fromFile.logLevel),
    metricsPort:
      environment["ADRIFT_METRICS_PORT"] === "none"
        ? null
        : read<number | null>("ADRIFT_METRICS_PORT", "metricsPort", metricsPort, fromFile.metricsPort, numberIn),
    brokers: fromFile.brokers.map(({ name, url }, at) => ({
      name,
      url: read(brokerVariable(name), `brokers[${at}].url`, brokerUrl, url),
    })),
  };
  return { configuration, variables, problems };
}

/** The variable that says where a broker is: `ADRIFT_BROKER_LEFT_HAND` for `left-hand`. */
export function brokerVariable(broker: string): string {
  return `${brokerPrefix}${broker.toUpperCase().replaceAll("-", "_")}`;
}

/** As much of a schema of zod as is needed here. */
type Schema<Value> = {
  safeParse(
    input: unknown,
  ):
    | { readonly success: true; readonly data: Value }
    | { readonly success: false; readonly error: { readonly issues: readonly { readonly message: string }[] } };
};

function textOf(text: string): unknown {
  return text;
}

function numberIn(text: string): unknown {
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}
