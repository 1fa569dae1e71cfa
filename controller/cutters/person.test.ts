import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { personAt } from "./person.ts";

const never = new AbortController().signal;

test("given a terminal, when Enter is pressed, then the person has done it", async () => {
  const { input, output, person } = terminal();
  const asked = person.ask("Pull the cable pi-1, then press Enter.", never);
  input.write("\n");
  expect(await asked).toBe(true);
  expect(String(output.read())).toBe("Pull the cable pi-1, then press Enter.\n");
});

test("given a terminal, when others have seen it, then the question is over, and the next one works", async () => {
  const { input, person } = terminal();
  const seen = new AbortController();
  const asked = person.ask("Pull it.", seen.signal);
  seen.abort();
  expect(await asked).toBe(true);
  const next = person.ask("Plug it in.", never);
  input.write("\n");
  expect(await next).toBe(true);
});

test("given a terminal that is closed, then nobody is there", async () => {
  const { input, person } = terminal();
  const asked = person.ask("Pull it.", never);
  input.end();
  expect(await asked).toBe(false);
});

test("given no terminal, then nobody is there", async () => {
  const { person } = terminal(false);
  expect(await person.ask("Pull it.", never)).toBe(false);
});

function terminal(isTTY = true) {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = Object.assign(new PassThrough(), { isTTY });
  return { input, output, person: personAt(input, output) };
}
