/**
 * What is demanded of a real bench when everything works again, as far as it can be asked from outside: every client is
 * answered, and all boards that vote come to the same log. The simulator demands the same, and also looks inside.
 */

import { boardOf } from "../../device/replica/identity.ts";
import type { BoardStatus } from "../../device/transport/envelope.ts";
import { agreementWithinUs, type LivenessFailure, serviceWithinUs } from "../../sim/liveness.ts";
import type { ExperimentBench } from "../bench/bench.ts";
import { type Time, waitUntil } from "./time.ts";
import type { WorkingClient } from "./working-client.ts";

/** Whom it is demanded of. */
export type Recovering = {
  readonly bench: ExperimentBench;
  readonly clients: readonly WorkingClient[];
  readonly time: Time;
  /** Whether somebody wants it to end at once; then nothing is demanded any more. */
  readonly isInterrupted: () => boolean;
};

/** Demands service, then agreement. The clients, who work when it begins, stop on the way. */
export async function demandRecovery(recovering: Recovering): Promise<LivenessFailure | null> {
  const { clients, time, isInterrupted } = recovering;
  const answered = clients.map((client) => client.answered);
  const waiting = (): readonly WorkingClient[] =>
    clients.filter((client, place) => client.answered === answered[place]);
  const isServed = await waitUntil(() => isInterrupted() || waiting().length === 0, serviceWithinUs, time);
  const unserved = waiting().map((client) => client.name);
  for (const client of clients) client.stopWork();
  if (!isServed) {
    return {
      demand: "every client is served",
      withinUs: serviceWithinUs,
      detail: `${unserved.join(", ")} got no answer; ${describe(await recovering.bench.statuses())}`,
    };
  }
  return demandAgreement(recovering);
}

async function demandAgreement({ bench, clients, time, isInterrupted }: Recovering): Promise<LivenessFailure | null> {
  let statuses: ReadonlyMap<string, BoardStatus> = new Map();
  const agree = async (): Promise<boolean> => {
    if (isInterrupted()) return true;
    if (!clients.every((client) => client.isQuiet)) return false;
    statuses = await bench.statuses();
    return isAgreed(statuses);
  };
  if (await waitUntil(agree, agreementWithinUs, time)) return null;
  return {
    demand: "all boards that vote come to the same log",
    withinUs: agreementWithinUs,
    detail: describe(statuses),
  };
}

/** Whether all who vote, as their leader says, follow it and have committed and applied all that it holds. */
export function isAgreed(statuses: ReadonlyMap<string, BoardStatus>): boolean {
  const [leader] = [...statuses.values()]
    .filter(({ role }) => role === "leader")
    .toSorted((one, other) => other.term - one.term);
  if (leader === undefined || leader.commitIndex !== leader.lastIndex) return false;
  return leader.voters.every((voter) => {
    const status = statuses.get(boardOf(voter));
    return (
      status?.member === voter &&
      status.term === leader.term &&
      status.leader === leader.member &&
      status.commitIndex === leader.commitIndex &&
      status.appliedIndex === leader.commitIndex &&
      status.lastIndex === leader.lastIndex
    );
  });
}

/** What the boards say of themselves, for messages. */
export function describe(statuses: ReadonlyMap<string, BoardStatus>): string {
  if (statuses.size === 0) return "no board says anything";
  return [...statuses.values()]
    .map(
      ({ member, role, term, leader, appliedIndex, lastIndex }) =>
        `${member} ${role} term ${term} leader ${leader ?? "none"} applied ${appliedIndex} of ${lastIndex}`,
    )
    .join("; ");
}
