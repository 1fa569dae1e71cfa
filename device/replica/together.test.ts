import { expect, test } from "vitest";
import { createKeyValue } from "../machine/key-value.ts";
import type { Save } from "../raft/index.ts";
import { createRandom } from "../random.ts";
import { formatStorage } from "../storage/index.ts";
import { MemoryDisk } from "../storage/memory-disk.fixture.ts";
import type { Reply } from "../transport/protocol.ts";
import { defaultReplicaOptions } from "./options.ts";
import { Replica } from "./replica.ts";

/** A cluster of one board, which leads. */
function leader() {
  const disk = new MemoryDisk();
  const saves: Save[] = [];
  const replies: Reply[] = [];
  let nowUs = 0;
  formatStorage(disk, { cluster: "c", board: "pi-1", member: "pi-1" }, () => undefined);
  disk.settle();
  const replica = new Replica({
    board: "pi-1",
    cluster: "c",
    founders: ["pi-1"],
    boards: ["pi-1"],
    clock: { monotonicUs: () => nowUs, wallMs: () => 0 },
    disk,
    wire: {
      send: () => undefined,
      reply: (_via, reply) => replies.push(reply),
      takeRequests: () => undefined,
      publishStatus: () => undefined,
    },
    random: createRandom(1),
    options: defaultReplicaOptions,
    machines: () => [createKeyValue()],
    observer: {
      event: () => undefined,
      saving: (save) => saves.push(save),
      saved: () => undefined,
      restored: () => undefined,
      applied: () => undefined,
      compacted: () => undefined,
    },
  });
  replica.start();
  disk.settle();
  nowUs = replica.nextWakeUs();
  replica.wake();
  disk.settle();
  expect(replica.raft?.role).toBe("leader");
  saves.length = 0;
  return { replica, disk, saves, replies };
}

function register(request: number) {
  return { type: "register", client: "alice", request } as const;
}

test("given a leader, when requests come one by one, then each is saved by itself", () => {
  const { replica, saves } = leader();
  for (const request of [1, 2, 3]) replica.request(register(request), 0);
  expect(saves.map(({ entries }) => entries.length)).toEqual([1, 1, 1]);
});

test("given a leader, when requests come together, then one save holds them all, and all are answered", () => {
  const { replica, disk, saves, replies } = leader();
  replica.together(() => {
    for (const request of [1, 2, 3]) replica.request(register(request), 0);
    expect(saves).toEqual([]);
  });
  expect(saves.map(({ entries }) => entries.length)).toEqual([3]);
  disk.settle();
  expect(replies.map(({ request, outcome }) => [request, outcome.kind])).toEqual([
    [1, "ok"],
    [2, "ok"],
    [3, "ok"],
  ]);
});

test("given inputs that come together within others that do, then all of them are settled once, at the end", () => {
  const { replica, saves } = leader();
  replica.together(() => {
    replica.request(register(1), 0);
    replica.together(() => replica.request(register(2), 0));
    expect(saves).toEqual([]);
  });
  expect(saves.map(({ entries }) => entries.length)).toEqual([2]);
});

test.each([
  [{ type: "transfer", to: "pi-1" } as const, "pi-1 leads already."],
  [
    { type: "changeMembers", voters: ["pi-1"], learners: [] } as const,
    "Nothing would change: that is the configuration in force.",
  ],
])("given a leader, when it refuses %j, then the operator reads a sentence", (asked, error) => {
  const { replica, replies } = leader();
  replica.request({ ...asked, client: "controller", request: 1 }, 0);
  expect(replies).toEqual([{ client: "controller", request: 1, outcome: { kind: "refused", error } }]);
});
