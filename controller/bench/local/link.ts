/**
 * One TCP connection through a forwarder, whose two ways open and close as the cables between its ends are whole or cut.
 *
 * A closed way swallows nothing and ends nothing: what comes is held back, first here, then in the kernel's buffers, until
 * the sender itself cannot write any more. When the way opens, everything goes on in order. An end that closed meanwhile
 * is passed on then: a farewell (FIN) after the bytes before it; a reset (RST) instead of them, since a host that has
 * forgotten a connection does not send its bytes again.
 */

import { connect, type Socket } from "node:net";

/** Which ways of a path are open: from who connects to the broker, and back. */
export type Ways = { readonly there: boolean; readonly back: boolean };

/** The end that connected, and the end at the broker. */
export type EndName = "near" | "far";

/** So many bytes of a closed way are held here. Reading them, rather than leaving them, shows a reset when it comes. */
const heldBytesMax = 1024 * 1024;

type End = {
  /** `null`: not connected yet. */
  socket: Socket | null;
  /** Whether the way from here to the other end is open. */
  isOpen: boolean;
  /** `ended`: it said farewell. `gone`: it was reset, or its machine lost power. */
  state: "there" | "ended" | "gone";
  held: Buffer[];
  heldBytes: number;
};

/** See the head of this file. */
export class Link {
  readonly #near: End;
  readonly #far: End;
  readonly #connectFar: () => Socket;
  readonly #onOver: () => void;

  /**
   * @param near the connection that came in
   * @param port where the broker listens, asked when a connection to it is made
   * @param onOver called once, when nothing is left of the link
   */
  constructor(near: Socket, ways: Ways, port: () => number, onOver: () => void) {
    this.#near = { socket: near, isOpen: ways.there, state: "there", held: [], heldBytes: 0 };
    this.#far = { socket: null, isOpen: ways.back, state: "there", held: [], heldBytes: 0 };
    this.#connectFar = () => connect({ host: "127.0.0.1", port: port(), noDelay: true, allowHalfOpen: true });
    this.#onOver = onOver;
    this.#listen(this.#near, near);
    this.#connectIfOpen();
  }

  /** From now on these ways are open. */
  setWays({ there, back }: Ways): void {
    this.#near.isOpen = there;
    this.#far.isOpen = back;
    this.#connectIfOpen();
    this.#passOn(this.#near);
    this.#passOn(this.#far);
  }

  /** The machine of this end lost its power: what it had sent and what is under way to it is lost with it. */
  losePower(name: EndName): void {
    const end = name === "near" ? this.#near : this.#far;
    if (end.socket === null) return;
    this.#lose(end);
    end.socket.resetAndDestroy();
  }

  /** Ends both connections at once. */
  destroy(): void {
    this.#near.socket?.resetAndDestroy();
    this.#far.socket?.resetAndDestroy();
  }

  /** A connection is made by a packet there and a packet back. */
  #connectIfOpen(): void {
    const [near, far] = [this.#near, this.#far];
    if (far.socket !== null || far.state !== "there" || near.state === "gone" || !near.isOpen || !far.isOpen) return;
    far.socket = this.#connectFar();
    this.#listen(far, far.socket);
    this.#passOn(near);
  }

  #listen(end: End, socket: Socket): void {
    socket.on("data", (bytes) => this.#onData(end, bytes));
    socket.on("drain", () => this.#passOn(this.#otherOf(end)));
    socket.on("end", () => {
      end.state = "ended";
      this.#passOn(end);
    });
    // What went wrong is told by "close", which always follows.
    socket.on("error", () => undefined);
    socket.on("close", (hadError) => {
      if (end.state === "there" || hadError) this.#lose(end);
      this.#noteIfOver();
    });
  }

  #onData(end: End, bytes: Buffer): void {
    const { socket: other, state } = this.#otherOf(end);
    if (end.isOpen && other !== null && state !== "gone" && end.held.length === 0) {
      if (!other.write(bytes)) end.socket?.pause();
      return;
    }
    end.held.push(bytes);
    end.heldBytes += bytes.length;
    if (end.heldBytes > heldBytesMax) end.socket?.pause();
  }

  #lose(end: End): void {
    end.state = "gone";
    end.held = [];
    end.heldBytes = 0;
    this.#passOn(end);
  }

  /** Passes on what came from this end, as far as the way is open. */
  #passOn(end: End): void {
    const other = this.#otherOf(end);
    if (!end.isOpen || other.socket === null) {
      this.#noteIfOver();
      return;
    }
    if (end.state === "gone") {
      other.socket.resetAndDestroy();
      return;
    }
    if (other.state === "gone") return;
    for (const bytes of end.held) other.socket.write(bytes);
    end.held = [];
    end.heldBytes = 0;
    if (end.state === "ended") other.socket.end();
    else if (!other.socket.writableNeedDrain) end.socket?.resume();
  }

  #otherOf(end: End): End {
    return end === this.#near ? this.#far : this.#near;
  }

  #noteIfOver(): void {
    const nearIsOver = this.#near.socket?.closed ?? true;
    const farIsOver = this.#far.socket?.closed ?? this.#near.state === "gone";
    if (nearIsOver && farIsOver) this.#onOver();
  }
}
