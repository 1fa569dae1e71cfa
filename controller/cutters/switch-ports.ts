/** The ports of a managed switch, as the driver `switch` needs them: one interface for every way to speak to a switch. */

import type { CutterIdentity } from "./cutter.ts";

/** The ports of a managed switch, however it is spoken to. Everything is asked from it; all reject with `CutterFailure`. */
export type ManagedPorts = {
  /** Whether the port is open, as far as its administrator wants: a cable need not be plugged in. */
  isOpen(port: string, untilMs: number): Promise<boolean>;
  /** Whether the port has a link: something is plugged in and switched on at the other end, and the port is open. */
  hasLink(port: string, untilMs: number): Promise<boolean>;
  /** Opens or closes a port; resolves when the switch says that it is so. Refuses to close the one that carries this. */
  setOpen(port: string, open: boolean, untilMs: number): Promise<void>;
  /** Which switch it is, what is to be known of it, and the labels of its ports. */
  describe(untilMs: number): Promise<ManagedSwitch>;
  close(): void;
};

/** What a managed switch says of itself. */
export type ManagedSwitch = CutterIdentity & { readonly ports: readonly string[] };
