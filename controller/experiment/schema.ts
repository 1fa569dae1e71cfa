/** The shape of `experiment.yaml`. `experiment.ts` turns it into an `Experiment`; editors get it as JSON Schema. */

import { z } from "zod";
import { durationPattern } from "../../sim/duration.ts";
import { promisePattern } from "./expectations.ts";
import { targetWords } from "./target.ts";

const aName = "a name (small letters, digits and dashes, a letter first, at most 32 characters)";
const name = z.string({ error: aName }).regex(/^[a-z][a-z0-9-]{0,31}$/, { error: aName });

const aDuration = "a duration, such as 300ms, 5s or 2m";
const duration = z.string({ error: aDuration }).regex(durationPattern, { error: aDuration });
const aShift = "a duration, perhaps with a minus before it, such as 90s or -2m";
const shift = z.string({ error: aShift }).regex(new RegExp(`^-?${durationPattern.source.slice(1)}`), { error: aShift });

function number(min: number, max: number) {
  const error = `a number, ${min} to ${max}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
}

function wholeNumber(min: number, max: number) {
  const error = `a whole number, ${min} to ${max}`;
  return z.int({ error }).min(min, { error }).max(max, { error });
}

const weight = wholeNumber(0, 1000).optional();

const workload = z.strictObject({
  clients: wholeNumber(1, 100)
    .optional()
    .describe("How many clients; each has one operation open at a time. 5 by default"),
  operationsPerSecond: number(0.1, 10_000)
    .optional()
    .describe("How many operations all of them begin a second, while they are answered. 20 by default"),
  keys: wholeNumber(1, 1000)
    .optional()
    .describe("Over how many keys of each kind (register, number, text). 2 by default"),
  mix: z
    .strictObject({ read: weight, write: weight, cas: weight, append: weight, add: weight, delete: weight })
    .optional()
    .describe("How often each is drawn, relative to the others; what is not named is never drawn"),
  readMode: z
    .enum(["linearizable", "lease", "stale"])
    .optional()
    .describe("Reads ask a majority, trust clocks (needs raft.leaseReads), or ask nobody. linearizable by default"),
  timeout: duration.optional().describe("When an operation is given up, 10ms to 10m. 5s by default"),
  retryAfter: duration.optional().describe("When an unanswered request is repeated, 1ms to 10m. 300ms by default"),
});

const raft = z.strictObject({
  leaseReads: z
    .boolean({ error: "true or false" })
    .optional()
    .describe("Answer lease reads by the leader's clock alone"),
  clockDriftPercentMax: number(0, 99)
    .optional()
    .describe("With lease reads: how wrong every clock is trusted to run at most"),
  snapshotAfterEntries: wholeNumber(1, 1_000_000)
    .optional()
    .describe("After how many entries a board takes a snapshot"),
  trailingEntries: wholeNumber(1, 1_000_000).optional().describe("How many entries before a snapshot are kept"),
});

const aTarget = `one of ${targetWords.join(", ")}, a name, or a list of names`;
const target = z
  .union([z.string().min(1), z.array(name).min(1, { error: "a list that names at least one" }).max(64)], {
    error: aTarget,
  })
  .describe(`What it hits: ${aTarget}`);

/** When: what every fault has. */
const moments = {
  at: duration.optional().describe("When it happens, or happens first"),
  every: duration
    .optional()
    .describe("Again and again, so far apart; first at `at`, or else after the first such time"),
  until: duration.optional().describe("With `every`: none begins from here on"),
  times: wholeNumber(1, 10_000).optional().describe("With `every`: at most so often"),
};
const lasting = { ...moments, for: duration.describe("How long it lasts each time") };

const partsPercent = number(0, 100).optional();

const aSplit = 'groups of boards with "|" between them, such as "pi-1, pi-2 | pi-3, pi-4, pi-5"';
const fault = z.discriminatedUnion("fault", [
  z.strictObject({ fault: z.literal("cut"), ...lasting, target }).describe("Opens cables, by name or of boards"),
  z
    .strictObject({
      fault: z.literal("flap"),
      ...lasting,
      target,
      period: duration.describe("Of which the cables are open for one half and whole for the other"),
    })
    .describe("Opens and closes cables again and again"),
  z
    .strictObject({ fault: z.literal("one-way"), ...lasting, target, loses: z.enum(["incoming", "outgoing"]) })
    .describe("Boards whose cables carry one way only"),
  z
    .strictObject({
      fault: z.literal("split"),
      ...lasting,
      groups: z
        .union(
          [
            z.string(),
            z
              .array(z.union([z.string(), z.array(name).min(1)]))
              .min(1)
              .max(64),
          ],
          { error: aSplit },
        )
        .describe(aSplit),
    })
    .describe("No board hears a board of another group"),
  z.strictObject({ fault: z.literal("isolate"), ...lasting, target }).describe("These boards here, all others there"),
  z.strictObject({ fault: z.literal("switch-off"), ...lasting, target }).describe("Switches, by name or all"),
  z
    .strictObject({
      fault: z.literal("broker-down"),
      ...lasting,
      target,
      loses: z
        .array(z.enum(["sessions", "retained"]))
        .max(2)
        .optional()
        .describe("What it does not remember afterwards; both by default"),
    })
    .describe("Brokers, by name or all"),
  z
    .strictObject({
      fault: z.literal("noise"),
      ...lasting,
      lossPercent: partsPercent,
      duplicationPercent: partsPercent,
      delayPercent: partsPercent.describe("Held back, so that later messages overtake"),
      delayMax: duration.optional().describe("By how much at most; 50ms by default"),
    })
    .describe("Messages lost, doubled, late and out of order, as MQTT never would: simulated benches only"),
  z
    .strictObject({ fault: z.literal("power-cut"), ...lasting, target })
    .describe("Boards lose power and what was not flushed"),
  z
    .strictObject({ fault: z.literal("crash"), ...lasting, target })
    .describe("Boards' processes are killed, then started"),
  z.strictObject({ fault: z.literal("pause"), ...lasting, target }).describe("Boards' processes stand still"),
  z.strictObject({ fault: z.literal("disk-stall"), ...lasting, target }).describe("Nothing becomes durable"),
  z
    .strictObject({
      fault: z.literal("disk-slow"),
      ...lasting,
      target,
      flush: duration.describe("How long each flush takes"),
    })
    .describe("It takes long until something is durable"),
  z.strictObject({ fault: z.literal("disk-full"), ...lasting, target }).describe("Nothing more fits on the card"),
  z.strictObject({ fault: z.literal("bit-rot"), ...moments, target }).describe("One stored bit turns over"),
  z.strictObject({ fault: z.literal("wipe"), ...moments, target }).describe("Boards restart with an empty card"),
  z.strictObject({ fault: z.literal("replace"), ...lasting, target }).describe("Away, then back with an empty card"),
  z
    .strictObject({
      fault: z.literal("clock-drift"),
      ...lasting,
      target,
      driftPercent: number(-50, 50).describe("By how much clocks run too fast or, below 0, too slow"),
    })
    .describe("Clocks run wrong"),
  z
    .strictObject({ fault: z.literal("clock-jump"), ...moments, target, by: shift })
    .describe("Wall clocks are set wrong"),
  z
    .strictObject({ fault: z.literal("transfer-leadership"), ...moments, target: target.optional() })
    .describe("The leader hands over to the target, by default a follower"),
  z.strictObject({ fault: z.literal("add-member"), ...moments, target }).describe("Boards join the cluster"),
  z.strictObject({ fault: z.literal("remove-member"), ...moments, target }).describe("Boards leave the cluster"),
]);

const aPromise = "linearizable, exactly-once, or as in: available within 2s of heal, leader within 1s of fault";
const promise = z.string({ error: aPromise }).regex(promisePattern, { error: aPromise });

/** `experiment.yaml` as it is written. */
export const experimentFile = z
  .strictObject({
    name: name.optional().describe("What the experiment is called; by default the name of the file"),
    description: z.string().max(4000).optional().describe("What it shows, for people"),
    bench: name.optional().describe("The ready bench that it needs, if no other is named when it is run"),
    duration: duration.describe("How long clients work; at the end everything is healed"),
    seed: wholeNumber(0, 4_294_967_295)
      .optional()
      .describe("The seed of simulated runs; by default a new one each time"),
    workload: workload.optional(),
    raft: raft.optional(),
    faults: z.array(fault).max(1000).optional().describe("What happens to the bench, and when"),
    expect: z
      .array(
        z.union([promise, z.strictObject({ fails: promise })], { error: `${aPromise}, or "fails:" and one of these` }),
      )
      .max(100)
      .optional()
      .describe("What the run must keep or, after `fails`, break; linearizable and exactly-once by default"),
  })
  .meta({ title: "An Adrift experiment", description: "A workload, faults and what is expected" });

/** What `experimentFile` lets through. */
export type ExperimentFile = z.output<typeof experimentFile>;

/** One of its faults. */
export type FaultEntry = z.output<typeof fault>;

/** The same shape for editors: the text of `experiment.schema.json`. */
export function experimentJsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(experimentFile, { io: "input" }), null, 2)}\n`;
}
