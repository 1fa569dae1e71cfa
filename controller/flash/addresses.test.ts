import { describe, expect, it } from "vitest";
import { parseBench } from "../../hardware/bench.ts";
import { checkAddresses } from "./addresses.ts";

function check(boards: readonly string[], brokers: string): void {
  const list = boards.map((address, at) => `{ name: pi-${at + 1}, inbox: broker, address: "${address}" }`);
  checkAddresses(parseBench(`boards: [${list.join(", ")}]\nbrokers: [${brokers}]\n`, "b.yaml"));
}
const broker = (address: string): string => `{ name: broker, address: "${address}" }`;

describe("the addresses of a bench", () => {
  it.each([
    [["192.168.7.11", "192.168.7.12"], broker("192.168.7.2:8884")],
    [["pi-1.local", "192.168.7.12"], broker("broker.local")],
    [["pi-1.local", "pi-2.local"], broker("10.0.0.1")],
    [["192.168.7.11", "192.168.7.12"], `${broker("192.168.7.2")}, { name: inbox-1, board: pi-1 }`],
    [["192.168.7.11", "fd00::12"], `{ name: broker, board: pi-1, address: "192.168.7.11:8884" }`],
  ])("are fine: %j and %s", (boards, brokers) => {
    expect(() => check(boards, brokers)).not.toThrow();
  });

  it.each([
    [
      ["192.168.7.11", "192.168.7.11"],
      broker("192.168.7.2"),
      "the board pi-2 and the board pi-1 have the same address",
    ],
    [["pi.local", "PI.local"], broker("192.168.7.2"), "have the same address, PI.local"],
    [["192.168.7.2"], broker("192.168.7.2:8884"), "the board pi-1 and the broker broker have the same address"],
    [["192.168.7.300"], broker("192.168.7.2"), "the board pi-1 has the address 192.168.7.300, which is no IP address"],
    [["192.168.7.11"], broker("192.168.7"), "the broker broker has the address 192.168.7, which is no IP address"],
    [["192.168.7.255"], broker("192.168.7.2"), "stands for its whole network"],
    [["192.168.7.11"], broker("192.168.8.2"), "pi-1 at 192.168.7.11 cannot reach the broker broker at 192.168.8.2"],
  ])("are refused: %j and %s", (boards, brokers, message) => {
    expect(() => check(boards, brokers)).toThrow(message);
  });
});
