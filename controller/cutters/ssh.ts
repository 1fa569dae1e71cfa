/**
 * Commands over SSH, by the user's own client, keys and configuration. The first command opens a connection, which stays
 * open for a while, so that a later one takes milliseconds. Nothing is ever asked: what would need an answer is a failure.
 */

import { spawn } from "node:child_process";
import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CutterFailure } from "./cutter.ts";
import type { CommandResult, HostPlace } from "./surroundings.ts";

type SshPlace = Extract<HostPlace, { readonly kind: "ssh" }>;

/** The command line of this machine that runs a command on that one. */
export function commandOverSsh(place: SshPlace, command: readonly string[]): readonly string[] {
  return ["ssh", ...options(), ...destination(place), command.map(quoted).join(" ")];
}

/** Ends the connection that was left open. */
export async function leaveSsh(place: SshPlace): Promise<void> {
  const child = spawn("ssh", ["-O", "exit", ...options(), ...destination(place)], { stdio: "ignore" });
  await new Promise<void>((resolve) => {
    child.once("error", () => resolve());
    child.once("close", () => resolve());
  });
}

/** Why SSH itself failed, and what to do about it; `null` if it did its part. */
export function explainSsh({ status, err }: CommandResult, place: SshPlace): string | null {
  if (status !== sshFailed) return null;
  const said = err.trim().split("\n").at(-1) ?? "";
  const known = reasons.find(([pattern]) => pattern.test(err));
  const login = `"ssh ${destination(place).join(" ")}"`;
  return known === undefined ? `SSH failed (${said}). Try ${login}.` : `${known[1](login)} (SSH said: ${said})`;
}

/** The status of the client if it is not the command's. */
const sshFailed = 255;

const reasons: readonly (readonly [RegExp, (login: string) => string])[] = [
  [
    /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    (login) =>
      `SSH finds another host key than it knows: the card was written anew, or this is another machine. Remove the old key with ssh-keygen -R, then try ${login}.`,
  ],
  [
    /Host key verification failed/,
    (login) => `SSH does not know this host's key yet. Log in once with ${login}, and accept it.`,
  ],
  [
    /Permission denied/,
    (login) =>
      `SSH refuses this user or key. Put your key there with ssh-copy-id, then ${login} must not ask for a password.`,
  ],
  [/Could not resolve/, () => "Its name is not known on this network. Write its IP address into the bench's file."],
  [/No route to host|Network is unreachable/, () => "There is no way to it. Is it switched on, and its cable whole?"],
  [/Connection refused/, () => "It is there, but no SSH server listens. Start one there: systemctl enable --now ssh"],
  [/timed out|Timeout/i, () => "It does not answer. Is it switched on, and its cable whole?"],
];

function options(): readonly string[] {
  return [
    ...["-o", "BatchMode=yes", "-o", "ConnectTimeout=3"],
    ...["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=3"],
    ...["-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", `ControlPath=${join(socketFolder(), "%C")}`],
  ];
}

function destination({ host, user }: SshPlace): readonly string[] {
  return user === null ? ["--", host] : ["-l", user, "--", host];
}

/** Where the open connections are found, by all processes of this user; a short path, as sockets need one. */
function socketFolder(): string {
  const uid = process.getuid?.() ?? 0;
  const folder = join(tmpdir(), `adrift-ssh-${uid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const found = lstatSync(folder);
  if (found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0) return folder;
  throw new CutterFailure(`${folder} must be a folder that is yours alone. Remove what is in its place.`);
}

/** As a shell reads it as one word. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
