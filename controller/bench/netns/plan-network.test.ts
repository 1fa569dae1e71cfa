import { describe, expect, test } from "vitest";
import { type Bench, parseBench } from "../../../hardware/bench.ts";
import { readyBench } from "../../experiment/ready.ts";
import { managedBench } from "./managed-bench.ts";
import { type NetworkPlan, planNetwork } from "./plan-network.ts";

function benchOf(text: string): Bench {
  return parseBench(text, "bench.yaml");
}

function ready(name: string): Bench {
  return benchOf(readyBench(name)?.text ?? "");
}

/** By which interfaces a machine finds the brokers of another, the best first. */
function waysTo(plan: NetworkPlan, from: string, broker: string): readonly string[] {
  const address = plan.machines.find(({ node }) => node === broker)?.brokerAddress;
  const routes = plan.machines.find(({ node }) => node === from)?.routes ?? [];
  return routes
    .filter(({ to }) => to === address)
    .toSorted((one, other) => one.metric - other.metric)
    .map((route) => route.interface);
}

describe("the network of a bench", () => {
  test("given five boards on a switch, then each has one address, and one way to the broker", () => {
    const plan = planNetwork(ready("five-boards"));
    const addresses = plan.machines.flatMap(({ interfaces, brokerAddress }) => [
      ...interfaces.map(({ address }) => address),
      ...(brokerAddress === null ? [] : [brokerAddress]),
    ]);
    expect(addresses).toHaveLength(8);
    expect(new Set(addresses).size).toBe(8);
    expect(waysTo(plan, "pi-1", "broker")).toEqual(["eth0"]);
    expect(plan.cables.get("pi-2")).toEqual([
      { node: "pi-2", interface: "eth0" },
      { node: "switch", interface: "port2" },
    ]);
    expect(plan.hasRing).toBe(false);
  });

  test("given a controller on both switches, then it goes to each broker over that broker's own switch first", () => {
    const plan = planNetwork(ready("two-switches"));
    expect(waysTo(plan, "controller", "broker-a")).toEqual(["eth0", "eth1"]);
    expect(waysTo(plan, "controller", "broker-b")).toEqual(["eth1", "eth0"]);
    expect(plan.hasRing).toBe(false);
  });

  const ring = benchOf(`
name: ring
switches: [a, b, c]
brokers: [{ name: inbox-1, board: pi-1 }, { name: inbox-2, board: pi-2 }]
boards: [{ name: pi-1 }, { name: pi-2 }]
cables:
  - { name: one, ends: ["pi-1:eth0", "a:ge-0/0/1"] }
  - { name: two, ends: ["pi-2:eth0", "b:1"] }
  - { name: direct, ends: ["pi-1:eth1", "pi-2:eth1"] }
  - { name: ab, ends: ["a:8", "b:8"] }
  - { name: bc, ends: ["b:9", "c:8"] }
  - { name: ca, ends: ["c:9", "a:9"] }
`);

  test("given boards with a cable between them, then it is their first way, and the switches are the second", () => {
    const plan = planNetwork(ring);
    expect(waysTo(plan, "pi-1", "pi-2")).toEqual(["eth1", "eth0"]);
    expect(waysTo(plan, "pi-1", "pi-1")).toEqual([]);
  });

  test("given switches in a ring, then they need a spanning tree", () => {
    expect(planNetwork(ring).hasRing).toBe(true);
  });

  test("given the way to another machine, then it leaves by the interface whose address it carries", () => {
    const plan = planNetwork(ring);
    for (const { interfaces, routes } of plan.machines) {
      const addresses = new Map(interfaces.map(({ name, address }) => [name, address]));
      for (const route of routes) expect(route.source).toBe(addresses.get(route.interface));
    }
  });

  test("given virtual cables, then switches close their ports, and what has no switch stays virtual", () => {
    const plan = planNetwork(ring);
    const management = { protocol: "snmp-v3", address: "10.79.0.1", user: "adrift", passwordFile: "/secret" } as const;
    const managements = new Map(plan.switches.map(({ node }) => [node, management]));
    const managed = managedBench(ring, plan, managements);
    const cutters = new Map(managed.cables.map(({ name, cutter }) => [name, cutter.name]));
    expect(cutters.get("direct")).toBe("interfaces of machines");
    expect(cutters.get("ab")).toBe("ports of a");
    expect(managed.cables.find(({ name }) => name === "one")?.ends[1]).toEqual({ node: "a", port: "port-1" });
    expect(managed.cutters.find(({ name }) => name === "ports of a")).toMatchObject({
      driver: "switch",
      switch: "a",
      protectedPorts: ["br0", "mgmt0", "controller"],
    });
  });

  test("given the file of a real rack, then none of its devices is left, and what needs no device is", () => {
    const rack = benchOf(`
name: rack
boards: [{ name: pi-1, power: "poe:1" }, { name: pi-2 }, { name: pi-3 }, { name: pi-4 }, { name: pi-5 }, { name: pi-6 }]
switches: [switch]
cables:
  - { name: one, ends: ["pi-1:eth0", "switch:1"], cutter: "relays:1" }
  - { name: two, ends: ["pi-2:eth0", "switch:2"], cutter: "lcus:1" }
  - { name: three, ends: ["pi-3:eth0", "switch:3"], cutter: "pins:17" }
  - { name: four, ends: ["pi-4:eth0", "switch:4"], cutter: ports }
  - { name: five, ends: ["pi-5:eth0", "switch:5"], cutter: firewall }
  - { name: six, ends: ["pi-6:eth0", "switch:6"], cutter: hand }
  - { name: inbox, ends: ["broker:eth0", "switch:7"] }
cutters:
  - { name: relays, driver: relay, serialPort: /dev/ttyACM0 }
  - { name: lcus, driver: usb-relay, serialPort: /dev/ttyUSB0 }
  - { name: pins, driver: gpio, chip: gpiochip0 }
  - { name: ports, driver: switch, switch: switch, address: 192.168.7.2, user: adrift, passwordFile: secret }
powerSources:
  - { name: poe, driver: poe, address: 192.168.7.2, user: adrift, passwordFile: secret }
`);
    const plan = planNetwork(rack);
    const management = { protocol: "snmp-v3", address: "10.79.0.1", user: "adrift", passwordFile: "/secret" } as const;
    const managed = managedBench(rack, plan, new Map([["switch", management]]));
    expect(managed.cutters.map(({ name }) => name).toSorted()).toEqual(["firewall", "hand", "ports of switch"]);
    const cutters = new Map(managed.cables.map(({ name, cutter }) => [name, cutter.name]));
    expect(["one", "two", "three", "four"].map((name) => cutters.get(name))).toEqual(Array(4).fill("ports of switch"));
    expect(managed.powerSources).toEqual([]);
    expect(managed.boards.every(({ power }) => power === null)).toBe(true);
  });
});
