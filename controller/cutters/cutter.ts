/** What a cutter is to the rest of the controller: one interface, whatever opens the cables. */

import type { Cable } from "../../hardware/bench.ts";
import type { CutDirection } from "../../sim/network-types.ts";
import { BenchFailure } from "../bench/bench.ts";

/**
 * A cutter whose device has been found and answers. Every driver is one; `openCutter` opens it.
 *
 * All promises end within a few seconds, also when the device is slow, wrong or gone: they reject with a `CutterFailure`,
 * and a later call tries again. Calls may overlap; a driver does one thing after the other where its device must.
 */
export type OpenCutter = {
  /** As the bench calls it. */
  readonly name: string;
  /** Whether the device heals a cut by itself when nobody renews it, so that a controller that died leaves nothing cut. */
  readonly healsByItself: boolean;
  /** Whether it can cut one direction of a cable alone. */
  readonly cutsOneWay: boolean;
  /**
   * Opens a cable; resolves when the device itself says that it is open. Of a cable that is cut already it renews the
   * lease, and changes the direction if another one is given.
   *
   * @param leaseMs after so long without another call a device that can heals the cable by itself
   * @throws {CutterFailure} if the device did not do it, cannot do it, or nobody can tell.
   */
  cut(cable: Cable, direction: CutDirection, leaseMs: number): Promise<void>;
  /** Closes a cable; resolves when the device says that it is closed. Whole cables stay whole. */
  heal(cable: Cable): Promise<void>;
  /** How it really is: asked from the device, never remembered. */
  read(cable: Cable): Promise<CircuitState>;
  /**
   * Whether the device sees a link on the cable, so that something is plugged in and switched on at the other end; missing
   * where the device cannot tell. Asked again and again.
   *
   * @throws {CutterFailure} if the device does not answer
   */
  readonly hasLink?: (cable: Cable) => Promise<boolean>;
  /** Which device this is, asked from it: for people, before they trust it with a cable. */
  identify(): Promise<CutterIdentity>;
  /** Lets go of the device. What is cut stays cut, as far as the device has it so. */
  close(): Promise<void>;
};

/** A cable as its cutter sees it: whole, or cut in these directions. */
export type CircuitState = "whole" | CutDirection;

/** What a device says of itself. */
export type CutterIdentity = {
  /** In a line: product, version, name. */
  readonly device: string;
  /** What a person should know before trusting it: it does not read back, it does not heal by itself, ... */
  readonly remarks: readonly string[];
};

/** A cutter that takes boards apart which no cable parts: it withholds what one says to another. */
export type PairCutter = OpenCutter & {
  /** Withholds what `from` says to `to`, one way; resolves when the broker of `to`'s inbox says so. Renews as `cut` does. */
  withhold(from: string, to: string, leaseMs: number): Promise<void>;
  deliver(from: string, to: string): Promise<void>;
  /** The pairs withheld at present, asked from the brokers. */
  readPairs(): Promise<readonly BoardPair[]>;
};

/** What `from` says to `to`. */
export type BoardPair = { readonly from: string; readonly to: string };

/** What takes the power from boards. A board without power has crashed: that is no cut. */
export type OpenPowerSource = {
  readonly name: string;
  /** Resolves when the device says that it is off. @throws {CutterFailure} */
  switchOff(channel: string): Promise<void>;
  switchOn(channel: string): Promise<void>;
  /** Asked from the device. */
  isOn(channel: string): Promise<boolean>;
  identify(): Promise<CutterIdentity>;
  close(): Promise<void>;
};

/** A cutter's device that is not there, does not answer, or does not do what it was told. Says what to do about it. */
export class CutterFailure extends BenchFailure {}
