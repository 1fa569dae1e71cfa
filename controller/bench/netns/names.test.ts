import { expect, test } from "vitest";
import { interfaceNames, namespaceOf, parseNamespace } from "./names.ts";

test("given the namespace of a machine, then its name tells whose it is", () => {
  const run = { pid: 4711, startTicks: "1234567890" };
  expect(namespaceOf(run, "pi-1")).toBe("adrift-4711-kf12oi-pi-1");
  expect(parseNamespace(namespaceOf(run, "pi-1"))).toEqual({ run, node: "pi-1" });
});

test.each(["adrift-test", "adrift-a-78caa1", "adrift-4711", "adrift-4711-kf12oi-", "other-4711-kf12oi-pi-1"])(
  "given the namespace %s, then it is none of ours",
  (name) => expect(parseNamespace(name)).toBeNull(),
);

test("given labels that the kernel or ip would not take, then their interfaces have other names, each its own", () => {
  const labels = ["eth0", "1", "ge-0/0/1", "br0", "lo", "a-label-of-31-characters-or-so.1", "port1"];
  const names = interfaceNames(labels, ["br0"]);
  expect(Object.fromEntries(names)).toEqual({
    eth0: "eth0",
    "1": "port1",
    "ge-0/0/1": "port-1",
    br0: "portbr0",
    lo: "portlo",
    "a-label-of-31-characters-or-so.1": "port-2",
    port1: "portport1",
  });
});
