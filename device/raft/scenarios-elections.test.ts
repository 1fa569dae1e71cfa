import { expect, test } from "vitest";
import { simpleConfiguration } from "./configuration.ts";
import { Cluster } from "./testing/cluster.ts";

const three = simpleConfiguration(["a", "b", "c"]);

function keepTranscript(cluster: Cluster, name: string): Promise<void> {
  return expect(cluster.transcript).toMatchFileSnapshot(`./transcripts/${name}.txt`);
}

test("given three boards that know no leader, when one's timer runs out, then it asks, campaigns, and leads by an empty entry", async () => {
  const cluster = new Cluster({ initial: three });
  cluster.tell(
    "An election from nothing (§3.4). Board a asks first whether it would win (pre-vote, §9.6), then votes for itself, saves that, and asks for votes. With one other vote it leads, and appends an empty entry of its own term, because only an entry of its own term tells it what is committed (§3.6.2).",
  );
  cluster.timeout("a");
  cluster.settle();
  cluster.tell("The followers learn with the next heartbeat that the entry is committed.");
  cluster.heartbeat("a");
  cluster.settle();
  cluster.status();

  expect(cluster.raft("a").role).toBe("leader");
  expect([...cluster.boards.values()].map(({ raft }) => [raft.term, raft.leader, raft.commitIndex])).toEqual([
    [1, "a", 1],
    [1, "a", 1],
    [1, "a", 1],
  ]);
  await keepTranscript(cluster, "campaign");
});

test("given a learner that was promoted but does not know it yet, when it is asked for its vote, then it votes", async () => {
  const cluster = new Cluster({ initial: simpleConfiguration(["a", "b"], ["c"]) });
  cluster.tell(
    "Board a promotes the learner c, and only b hears of it before a dies. Three voters need two votes: b needs the vote of c, which still takes itself for a learner. It must answer all the same: the candidate's log may know better than the voter's who votes (§4.2.1, §4.1).",
  );
  cluster.elect("a");
  cluster.changeMembers("a", { voters: ["a", "b", "c"], learners: [] });
  cluster.deliver({ to: "b" });
  cluster.crash("a");
  cluster.drop();
  expect(cluster.raft("b").configuration.voters).toEqual(["a", "b", "c"]);
  expect(cluster.raft("c").configuration.learners).toEqual(["c"]);

  cluster.tell("c has not heard from a for an election time-out, so it owes a no protection. b campaigns.");
  cluster.pass("c", 300);
  cluster.timeout("b");
  cluster.settle();
  cluster.status();

  expect(cluster.raft("b").role).toBe("leader");
  expect(cluster.raft("c").configuration.voters).toEqual(["a", "b", "c"]);
  await keepTranscript(cluster, "campaign-learner-must-vote");
});

test("given a leader that hears from nobody, when an election time-out has passed, then it steps down by itself", async () => {
  const cluster = new Cluster({ initial: three });
  cluster.tell(
    "Check-quorum (§6.2). The cable of the leader a is cut. Nobody tells it; but a leader that has not heard from a majority for an election time-out leads nobody, and its clients had better look elsewhere.",
  );
  cluster.elect("a");
  cluster.isolate("a");
  for (let beat = 1; beat < 6; beat += 1) cluster.heartbeat("a");
  expect(cluster.raft("a").role).toBe("leader");
  cluster.heartbeat("a");
  expect(cluster.raft("a").role).toBe("follower");
  expect(cluster.raft("a").term).toBe(1);

  cluster.tell(
    "Meanwhile, b and c protect the leader that they heard from: b's timer runs out, but c heard from a less than an election time-out ago and passes its question over (§4.2.3). Once c has waited too, b is elected.",
  );
  cluster.timeout("b");
  cluster.settle();
  expect(cluster.raft("b").role).toBe("preCandidate");
  cluster.pass("c", 300);
  cluster.timeout("b");
  cluster.settle();
  expect(cluster.raft("b").role).toBe("leader");

  cluster.tell("Healed, a hears the new leader's next heartbeat and follows.");
  cluster.heal();
  cluster.heartbeat("b");
  cluster.settle();
  expect(cluster.raft("a").leader).toBe("b");
  await keepTranscript(cluster, "checkquorum");
});

test("given followers that are told that their leader is gone, when one asks, then it is elected without the usual wait", async () => {
  const cluster = new Cluster({ initial: three });
  cluster.tell(
    "A hint from outside: the leader's process is known to be gone. A follower that forgets its leader neither waits for it nor protects it (§4.2.3), but every rule of elections still holds. A hint about a board that does not lead changes nothing.",
  );
  cluster.elect("a");
  cluster.forgetLeader("b", "c");
  expect(cluster.raft("b").leader).toBe("a");
  cluster.crash("a");
  cluster.forgetLeader("b", "a");
  expect(cluster.raft("b").leader).toBe(null);
  expect(cluster.raft("b").nextDeadline() - cluster.board("b").now).toBeLessThanOrEqual(50_000);

  cluster.tell("b alone is not enough: c, without the hint, still protects a.");
  cluster.timeout("b");
  cluster.settle();
  expect(cluster.raft("b").role).toBe("preCandidate");

  cluster.tell("With c's help b leads at once.");
  cluster.forgetLeader("c", "a");
  cluster.timeout("b");
  cluster.settle();
  expect(cluster.raft("b").role).toBe("leader");
  expect(cluster.raft("b").term).toBe(2);
  await keepTranscript(cluster, "forget-leader");
});

test("given a hint that was wrong, when the leader is heard again, then it is followed and protected as before", async () => {
  const cluster = new Cluster({ initial: three });
  cluster.tell(
    "A wrong hint costs little: b forgets a leader that is well, but the next heartbeat brings it back, and the others never noticed (§4.2.3).",
  );
  cluster.elect("a");
  cluster.forgetLeader("b", "a");
  cluster.heartbeat("a");
  cluster.settle();
  expect(cluster.raft("b").leader).toBe("a");

  cluster.tell("b protects a again: a question from c is passed over.");
  cluster.timeout("c");
  cluster.settle();
  expect(cluster.raft("a").role).toBe("leader");
  expect(cluster.raft("c").role).toBe("preCandidate");
  await keepTranscript(cluster, "forget-leader-by-mistake");
});

test("given a board with a short log, when it asks for pre-votes, then it is refused and no term changes", async () => {
  const cluster = new Cluster({ initial: three });
  cluster.tell(
    "Pre-vote (§9.6). Board c was cut off and lacks an entry. When its timer runs out it asks whether it would win, is refused because its log is behind (§3.6.1), and so never raises its term. Board b, whose log is whole, is then elected.",
  );
  cluster.elect("a");
  cluster.isolate("c");
  cluster.propose("a", "x=1");
  cluster.settle();
  cluster.crash("a");
  cluster.heal();
  cluster.pass("b", 300);
  cluster.timeout("c");
  cluster.settle();
  expect(cluster.raft("c").role).not.toBe("leader");
  expect([cluster.raft("b").term, cluster.raft("c").term]).toEqual([1, 1]);

  cluster.tell("b's log is up to date.");
  cluster.timeout("b");
  cluster.settle();
  expect(cluster.raft("b").role).toBe("leader");
  expect(cluster.raft("c").lastIndex).toBe(3);
  await keepTranscript(cluster, "prevote");
});

test("given a board that was cut off for long, when it comes back and asks, then those who hear their leader pass it over", async () => {
  const cluster = new Cluster({ initial: three });
  cluster.tell(
    "Pre-vote and check-quorum together (§4.2.3, §9.6). Board c was cut off; its timer ran out again and again, but its term did not grow. When it is back, a and b do not even answer: they are well served. A heartbeat takes it in again.",
  );
  cluster.elect("a");
  cluster.isolate("c");
  cluster.timeout("c");
  cluster.timeout("c");
  cluster.timeout("c");
  cluster.heal();
  cluster.timeout("c");
  cluster.settle();
  expect([...cluster.boards.values()].map(({ raft }) => raft.term)).toEqual([1, 1, 1]);
  cluster.heartbeat("a");
  cluster.settle();
  expect(cluster.raft("c").leader).toBe("a");

  cluster.tell("When the leader is really gone, and b has waited long enough too, c's question is answered.");
  cluster.crash("a");
  cluster.pass("b", 300);
  cluster.timeout("c");
  cluster.settle();
  expect(cluster.raft("c").role).toBe("leader");
  await keepTranscript(cluster, "prevote-checkquorum");
});

test("given one board alone, when its timer runs out, then it leads and commits by itself, but only what is on its disk", async () => {
  const cluster = new Cluster({ initial: simpleConfiguration(["a"]), slowDisks: ["a"] });
  cluster.tell(
    "A cluster of one (§3.4). Its own vote is a majority, and its own disk is a quorum: but neither counts before it is durable.",
  );
  cluster.timeout("a");
  expect(cluster.raft("a").role).toBe("candidate");
  cluster.saved("a");
  expect(cluster.raft("a").role).toBe("leader");
  expect(cluster.raft("a").commitIndex).toBe(0);
  cluster.saved("a");
  expect(cluster.raft("a").commitIndex).toBe(1);
  cluster.propose("a", "x=1");
  cluster.read("a", 1);
  cluster.saved("a");
  expect(cluster.raft("a").appliedIndex).toBe(2);

  cluster.tell(
    "It loses its power with a proposal on its way to the disk: that proposal is gone, the others are there.",
  );
  cluster.propose("a", "x=2");
  cluster.crash("a");
  cluster.restart("a");
  expect(cluster.raft("a").lastIndex).toBe(2);
  expect(cluster.board("a").reads).toEqual([{ id: 1, ready: true, index: 1 }]);
  await keepTranscript(cluster, "single-node");
});
