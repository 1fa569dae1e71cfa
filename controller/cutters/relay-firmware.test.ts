import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cyclesPerMs } from "./avr-chip.fixture.ts";
import { buttonPin, channels, RelayFirmware, relayHex, relayPin } from "./relay-firmware.fixture.ts";
import { decodeLine, encodeLine } from "./relay-line.ts";

const quietMs = 5_000;
const watchdogMs = 256;
const debounceMs = 20;
const answerMsMax = 60;
/** Nothing in the firmware takes longer than the rest of the millisecond in which it happens. */
const tickMs = 1;

describe("the committed firmware", () => {
  test("is the one that its manifest names", () => {
    const manifest: unknown = JSON.parse(
      readFileSync(new URL("../../hardware/firmware/relay.json", import.meta.url), "utf8"),
    );
    const sha256 = createHash("sha256").update(relayHex).digest("hex");
    expect(manifest).toMatchObject({ file: "relay.hex", sha256 });
  });
});

describe("the protocol's description", () => {
  test("shows requests and answers as the firmware has them, checksums and all", () => {
    const text = readFileSync(new URL("../../hardware/firmware/README.md", import.meta.url), "utf8");
    const relay = new RelayFirmware();
    const examples = Array.from(text.matchAll(/^> (.+)\n< (.+)$/gm));
    expect(examples.length).toBeGreaterThan(5);
    for (const [, request = "", answer = ""] of examples) {
      relay.chip.receive(Buffer.from(`${request}\n`));
      const expected = decodeLine(answer);
      relay.chip.runUntil(() => relay.said.at(-1) === expected, answerMsMax);
      expect(relay.said.at(-1)).toBe(expected);
    }
  });
});

describe("given the relay firmware", () => {
  test("when it starts, then all cables are whole, and it says why it started", () => {
    const relay = new RelayFirmware();
    expect(relay.cut).toBe("");
    for (const channel of channels) expect(relay.chip.pin(relayPin(channel))).toBe("low");
    expect(relay.said).toEqual(["! start adrift-relay 1.0.0 reset=power"]);
    expect(relay.ask("identify")).toBe("ok adrift-relay channels=6 reset=power damaged=0");
    expect(relay.ask("version")).toBe("ok 1.0.0 protocol=1");
  });

  test.each(channels)(
    "when channel %i is cut and healed, then its relay and its LED follow, and no other",
    (channel) => {
      const relay = new RelayFirmware();
      expect(relay.ask(`set ${channel} cut 4000`)).toBe(`ok ${channel} cut host 4000`);
      expect([relay.cut, relay.lit]).toEqual([String(channel), String(channel)]);
      expect(relay.ask(`set ${channel} whole`)).toBe(`ok ${channel} whole`);
      expect([relay.cut, relay.lit]).toEqual(["", ""]);
    },
  );

  test("when it is asked what it cannot do, then it refuses with a word, and nothing is cut", () => {
    const relay = new RelayFirmware();
    for (const channel of ["0", "7", "256", "-1", "1x", "65537"]) {
      expect(relay.ask(`set ${channel} cut 1000`)).toBe("no channel");
      expect(relay.ask(`read ${channel}`)).toBe("no channel");
    }
    for (const lease of ["0", "3600001", "4294967297", "1.5", "x"]) {
      expect(relay.ask(`set 1 cut ${lease}`)).toBe("no lease");
    }
    for (const request of ["", "cut 1", "set 1 cut", "set 1", "set 1 open 100", "read 1 2", "lease 1", "version 1"]) {
      expect(relay.ask(request === "" ? "nonsense" : request)).toBe("no request");
    }
    expect(relay.ask("set 6 cut 3600000")).toBe("ok 6 cut host 3600000");
    expect(relay.cut).toBe("6");
  });
});

describe("given a lease", () => {
  test("when nobody renews it, then the cable heals in its last millisecond, and it is told", () => {
    const relay = new RelayFirmware();
    relay.ask("set 3 cut 1000");
    const cutAtMs = relay.changedAtMs;
    relay.chip.runFor(1_010);
    expect(relay.cut).toBe("");
    expectBetween(relay.changedAtMs - cutAtMs, 1_000 - tickMs, 1_000);
    expect(relay.said.at(-1)).toBe("! healed 3 lease");
  });

  test("when it is renewed, then it runs from then on, and other channels do not mind", () => {
    const relay = new RelayFirmware();
    relay.ask("set 1 cut 400");
    relay.ask("set 2 cut 300");
    relay.chip.runFor(200);
    expect(relay.ask("lease 1 500")).toBe("ok 1 cut host 500");
    const renewedAtMs = relay.chip.cycles / cyclesPerMs;
    relay.chip.runFor(150);
    expect(relay.cut).toBe("1");
    relay.chip.runFor(400);
    expect(relay.cut).toBe("");
    expectBetween(relay.changedAtMs, renewedAtMs + 480, renewedAtMs + 500);
  });

  test("when it is renewed after its end, then nothing is cut again", () => {
    const relay = new RelayFirmware();
    relay.ask("set 1 cut 50");
    relay.chip.runFor(60);
    expect(relay.ask("lease 1 500")).toBe("no whole");
    expect(relay.cut).toBe("");
  });

  test("when the clock starts over while it runs, five seconds after the start, then it lasts as long as ever", () => {
    const relay = new RelayFirmware();
    relay.stayFor(4_500);
    relay.ask("set 4 cut 1000");
    const cutAtMs = relay.changedAtMs;
    expect(cutAtMs).toBeLessThan(5_000);
    relay.chip.runFor(700);
    expect(relay.cut).toBe("4");
    expect(relay.ask("read 4")).toMatch(/^ok 4 cut host 2\d\d$/);
    relay.chip.runFor(400);
    expectBetween(relay.changedAtMs - cutAtMs, 1_000 - tickMs, 1_000);
  });
});

describe("given a host that falls silent", () => {
  test("when the line has been quiet for five seconds, then all that it cut heals, whatever the leases; noise is no word", () => {
    const relay = new RelayFirmware();
    relay.ask("set 1 cut 60000");
    relay.ask("set 5 cut 3600000");
    const heardAtMs = relay.changedAtMs;
    for (let time = 0; time < 4; time++) {
      relay.chip.runFor(1_000);
      relay.chip.receive(Buffer.from("9 version*0000\n9 read 1\n\n\xff\x00*"));
    }
    expect(relay.cut).toBe("15");
    relay.chip.runFor(1_100);
    expect(relay.cut).toBe("");
    expectBetween(relay.changedAtMs - heardAtMs, quietMs - 10, quietMs + 10);
    expect(relay.said.slice(-2)).toEqual(["! healed 1 quiet", "! healed 5 quiet"]);
  });
});

describe("given a chip that hangs while a cable is cut", () => {
  test.each([true, false])(
    "when it hangs (interrupts on: %s), then the watchdog starts it healed, and it says so",
    (on) => {
      const relay = new RelayFirmware();
      relay.ask("set 2 cut 60000");
      const hungAtMs = relay.chip.cycles / cyclesPerMs;
      relay.chip.hang({ withInterrupts: on });
      relay.chip.runFor(watchdogMs + 60);
      expect(relay.cut).toBe("");
      expectBetween(relay.changedAtMs - hungAtMs, watchdogMs - 5, watchdogMs + 5);
      expect(relay.said.at(-1)).toBe("! start adrift-relay 1.0.0 reset=watchdog");
      expect(relay.ask("set 2 cut 100")).toBe("ok 2 cut host 100");
    },
  );

  test("when a boot loader keeps the cause to itself, then it is still told apart from a reset and from a start", () => {
    const relay = new RelayFirmware({ flagsAreTaken: true });
    expect(relay.said.at(-1)).toMatch(/reset=power$/);
    relay.chip.reset("external");
    relay.start();
    expect(relay.said.at(-1)).toMatch(/reset=external$/);
    relay.chip.hang({ withInterrupts: true });
    relay.chip.runFor(watchdogMs + 60);
    expect(relay.said.at(-1)).toMatch(/reset=watchdog$/);
  });

  test.each(["external", "brown-out", "power"] as const)(
    "when it is reset instead (%s), then its pins let go at once",
    (cause) => {
      const relay = new RelayFirmware();
      relay.ask("set 2 cut 60000");
      relay.chip.reset(cause);
      expect(relay.chip.pin(relayPin(2))).toBe("floating");
      relay.start();
      expect([relay.cut, relay.said.at(-1)]).toEqual(["", `! start adrift-relay 1.0.0 reset=${cause}`]);
    },
  );
});

describe("given the buttons", () => {
  test("when one is pressed, then its cable is cut, and at the next press healed, however long it is held", () => {
    const relay = new RelayFirmware();
    relay.press(4);
    relay.chip.runFor(200);
    expect([relay.cut, relay.lit, relay.said.at(-1)]).toEqual(["4", "4", "! cut 4 hand"]);
    expect(relay.ask("buttons")).toBe("ok up up up down up up");
    relay.release(4);
    relay.chip.runFor(50);
    expect(relay.ask("read 4")).toMatch(/^ok 4 cut hand 2\d{5}$/);
    relay.press(4);
    relay.chip.runFor(50);
    expect([relay.cut, relay.said.at(-1)]).toEqual(["", "! healed 4 hand"]);
  });

  test("when one bounces for less than its 20 ms, then nothing happens", () => {
    const relay = new RelayFirmware();
    for (let bounce = 1; bounce < debounceMs; bounce += 3) {
      relay.press(1);
      relay.chip.runFor(bounce);
      relay.release(1);
      relay.chip.runFor(1.1);
    }
    expect(relay.cut).toBe("");
    relay.press(1);
    relay.chip.runFor(debounceMs + tickMs);
    expect(relay.cut).toBe("1");
  });

  test("when one is pressed during a lease, then the cable heals, and the lease is over", () => {
    const relay = new RelayFirmware();
    relay.ask("set 6 cut 4000");
    relay.press(6);
    relay.chip.runFor(40);
    expect(relay.cut).toBe("");
    expect(relay.ask("lease 6 4000")).toBe("no whole");
    expect(relay.cut).toBe("");
    expect(relay.ask("set 6 cut 4000")).toBe("ok 6 cut host 4000");
  });

  test("when a hand has cut, then the quiet line heals nothing, and the host can take the cut over", () => {
    const relay = new RelayFirmware();
    relay.press(2);
    relay.chip.runFor(quietMs + 100);
    expect(relay.cut).toBe("2");
    expect(relay.ask("lease 2 100")).toBe("ok 2 cut host 100");
    relay.chip.runFor(110);
    expect(relay.cut).toBe("");
  });

  test("when one is stuck at the start, then it cuts nothing until it has been let go and pressed", () => {
    const relay = new RelayFirmware();
    relay.press(3);
    relay.chip.reset("external");
    relay.chip.hold(buttonPin(3), true);
    relay.chip.runFor(200);
    expect(relay.cut).toBe("");
    relay.release(3);
    relay.chip.runFor(50);
    relay.press(3);
    relay.chip.runFor(50);
    expect(relay.cut).toBe("3");
  });
});

describe("given a noisy line", () => {
  test("when any bytes come in, then nothing is ever cut, and the next good line is answered", () => {
    const relay = new RelayFirmware();
    const noise = fc.oneof(fc.uint8Array({ maxLength: 60 }), damagedRequests());
    fc.assert(
      fc.property(noise, (bytes) => {
        relay.chip.receive(bytes);
        relay.chip.receive(Buffer.from("\n"));
        relay.chip.runFor(0.27 * (bytes.length + 1) + 2);
        expect(relay.cut).toBe("");
        expect(relay.ask("read 1")).toBe("ok 1 whole");
      }),
      { numRuns: 60 },
    );
    expect(relay.damaged).toBe(0);
  });

  test("when a line is longer than any request, then it is thrown away whole, also if it ends like one", () => {
    const relay = new RelayFirmware();
    relay.chip.receive(Buffer.from(`${"x".repeat(300)}${encodeLine("1 set 1 cut 5000")}`));
    relay.chip.receive(Buffer.from(encodeLine(`1 set 1 cut ${"0".repeat(40)}5000`)));
    relay.chip.runFor(120);
    expect(relay.cut).toBe("");
    expect(relay.ask("identify")).toBe("ok adrift-relay channels=6 reset=power damaged=2");
  });

  test("when requests come faster than answers can leave, then some are lost whole and none is mistaken", () => {
    const relay = new RelayFirmware();
    const count = 150;
    for (let tag = 1_001; tag <= 1_000 + count; tag++) relay.send(`${tag} read ${1 + (tag % 6)}`);
    relay.chip.runFor(count * 6);
    const answers = relay.said.slice(1);
    expect(answers.length).toBeGreaterThan(count / 2);
    for (const answer of answers) {
      const tag = Number(answer.split(" ")[0]);
      expect(answer).toBe(`${tag} ok ${1 + (tag % 6)} whole`);
    }
    expect(relay.damaged).toBe(0);
    expect(relay.ask("read 1")).toBe("ok 1 whole");
  });

  /** A request to cut in which one byte was changed, lost or added. */
  function damagedRequests(): fc.Arbitrary<Uint8Array> {
    const line = encodeLine("7 set 1 cut 5000");
    return fc
      .tuple(fc.integer({ min: 0, max: line.length - 2 }), fc.integer({ min: 1, max: 255 }), fc.constantFrom(0, 1, 2))
      .map(([at, change, kind]) => {
        const bytes = [...Buffer.from(line)];
        const damaged = (bytes[at] ?? 0) ^ change;
        bytes.splice(at, kind === 2 ? 0 : 1, ...(kind === 1 ? [] : [damaged]));
        return Uint8Array.from(bytes);
      })
      .filter((bytes) => !Buffer.from(bytes).toString("latin1").startsWith(line));
  }
});

describe("the chip in virtual time", () => {
  test("given time that is jumped over while the CPU sleeps, then all happens in the same cycle as if it was walked", () => {
    const [jumped, walked] = [true, false].map((jumpsIdleTime) => {
      const relay = new RelayFirmware({ jumpsIdleTime });
      relay.ask("set 1 cut 30");
      relay.press(2);
      relay.chip.runFor(60);
      return { changes: relay.changes, said: relay.said, cycles: relay.chip.cycles };
    });
    expect(jumped).toEqual(walked);
    expect(jumped?.changes.map(({ cut }) => cut)).toEqual(["", "1", "12", "2"]);
  });
});

function expectBetween(value: number, min: number, max: number): void {
  expect(value).toBeGreaterThanOrEqual(min);
  expect(value).toBeLessThanOrEqual(max);
}
