/**
 * The event queue: what happens next in virtual time.
 *
 * Events happen in the order of their time, and those of the same time in the order in which they were scheduled, so a
 * run follows from its inputs alone. Scheduling an event allocates nothing: a 4-ary heap over parallel arrays holds the
 * times and orders; what an event does stands in a slot, which is used again.
 */

/** What an event does. `a` and `b` are whatever whole numbers (32 bits, signed) it was scheduled with. */
export type EventHandler = (a: number, b: number) => void;

/** A scheduled event, for `cancel`. It means nothing once the event has happened. */
export type Ticket = number;

/** A ticket that no event has: cancelling it does nothing. */
export const noTicket: Ticket = -1;

/** More events than this never wait at once; a run that needs more has a leak. A ticket is slot + version * this. */
const slotsMax = 1 << 20;

/** The events of one world, and its clock. */
export class EventQueue {
  private timeUs = 0;
  private scheduledCount = 0;
  private happenedCount = 0;

  // The heap: one line per waiting event, cancelled ones included.
  private size = 0;
  private heapTimes = new Float64Array(1024);
  private heapOrders = new Float64Array(1024);
  private heapSlots = new Int32Array(1024);

  // The slots. A slot's version counts its uses, so that an old ticket cannot cancel a later event.
  private readonly handlers: EventHandler[] = [];
  private as = new Int32Array(1024);
  private bs = new Int32Array(1024);
  private versions = new Uint32Array(1024);
  private freeSlots = new Int32Array(1024);
  private freeCount = 0;

  /** The present: the time of the event that happens, or happened last, in microseconds. */
  get nowUs(): number {
    return this.timeUs;
  }

  /** How many events have happened. */
  get happened(): number {
    return this.happenedCount;
  }

  /** When the next event happens; `Infinity` if none waits. */
  get nextUs(): number {
    this.dropCancelled();
    return this.size === 0 ? Number.POSITIVE_INFINITY : (this.heapTimes[0] ?? 0);
  }

  /** Has `handler(a, b)` happen at `atUs`, a whole number that has not passed. Make the handler once, not per event. */
  schedule(atUs: number, handler: EventHandler, a: number, b: number): Ticket {
    if (!(atUs >= this.timeUs)) {
      throw new RangeError(`An event was scheduled for ${atUs} µs, but it is ${this.timeUs} µs already.`);
    }
    const slot = this.takeSlot();
    this.handlers[slot] = handler;
    this.as[slot] = a;
    this.bs[slot] = b;
    this.push(atUs, slot);
    return slot + (this.versions[slot] ?? 0) * slotsMax;
  }

  /** Has `happening` happen at `atUs`. For what is rare; `schedule` is for what happens all the time. */
  at(atUs: number, happening: () => void): Ticket {
    return this.schedule(atUs, happening, 0, 0);
  }

  /** Takes an event back. Does nothing if it has happened or was taken back before. */
  cancel(ticket: Ticket): void {
    if (ticket < 0) return;
    const slot = ticket % slotsMax;
    if (this.versions[slot] === (ticket - slot) / slotsMax) this.handlers[slot] = cancelled;
  }

  /** Lets the next event happen. False if none waits. */
  step(): boolean {
    this.dropCancelled();
    if (this.size === 0) return false;
    this.takeFirst();
    return true;
  }

  /** The first event, which is there and was not taken back, happens. */
  private takeFirst(): void {
    const slot = this.heapSlots[0] ?? 0;
    this.timeUs = this.heapTimes[0] ?? 0;
    this.happenedCount += 1;
    this.removeFirst();
    const handler = this.handlers[slot] ?? cancelled;
    const a = this.as[slot] ?? 0;
    const b = this.bs[slot] ?? 0;
    this.releaseSlot(slot);
    handler(a, b);
  }

  /** Lets the next event happen, unless it is later than `untilUs`. False if there is none by then. */
  stepUntil(untilUs: number): boolean {
    this.dropCancelled();
    if (this.size === 0 || (this.heapTimes[0] ?? 0) > untilUs) return false;
    this.takeFirst();
    return true;
  }

  /** Lets everything happen up to and including `untilUs`, where the present then stands. */
  runUntil(untilUs: number): void {
    while (this.stepUntil(untilUs));
    if (untilUs > this.timeUs) this.timeUs = untilUs;
  }

  private dropCancelled(): void {
    while (this.size > 0) {
      const slot = this.heapSlots[0] ?? 0;
      if (this.handlers[slot] !== cancelled) return;
      this.removeFirst();
      this.releaseSlot(slot);
    }
  }

  private push(atUs: number, slot: number): void {
    if (this.size === this.heapTimes.length) this.growHeap();
    const order = this.scheduledCount;
    this.scheduledCount += 1;
    const { heapTimes, heapOrders, heapSlots } = this;
    let hole = this.size;
    this.size += 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 2;
      const parentTime = heapTimes[parent] ?? 0;
      // The new event has the highest order of all, so among equal times it stays below.
      if (parentTime <= atUs) break;
      heapTimes[hole] = parentTime;
      heapOrders[hole] = heapOrders[parent] ?? 0;
      heapSlots[hole] = heapSlots[parent] ?? 0;
      hole = parent;
    }
    heapTimes[hole] = atUs;
    heapOrders[hole] = order;
    heapSlots[hole] = slot;
  }

  /** Takes the first line out of the heap: the last one sinks from the top to its place. */
  private removeFirst(): void {
    const { heapTimes, heapOrders, heapSlots } = this;
    this.size -= 1;
    const size = this.size;
    const time = heapTimes[size] ?? 0;
    const order = heapOrders[size] ?? 0;
    let hole = 0;
    for (;;) {
      let child = hole * 4 + 1;
      if (child >= size) break;
      let first = child;
      let firstTime = heapTimes[child] ?? 0;
      const end = child + 4 < size ? child + 4 : size;
      for (child += 1; child < end; child += 1) {
        const childTime = heapTimes[child] ?? 0;
        if (childTime > firstTime) continue;
        if (childTime === firstTime && (heapOrders[child] ?? 0) > (heapOrders[first] ?? 0)) continue;
        first = child;
        firstTime = childTime;
      }
      if (firstTime > time || (firstTime === time && (heapOrders[first] ?? 0) > order)) break;
      heapTimes[hole] = firstTime;
      heapOrders[hole] = heapOrders[first] ?? 0;
      heapSlots[hole] = heapSlots[first] ?? 0;
      hole = first;
    }
    heapTimes[hole] = time;
    heapOrders[hole] = order;
    heapSlots[hole] = heapSlots[size] ?? 0;
  }

  private takeSlot(): number {
    if (this.freeCount > 0) {
      this.freeCount -= 1;
      return this.freeSlots[this.freeCount] ?? 0;
    }
    const slot = this.handlers.length;
    if (slot === slotsMax) throw new RangeError(`More than ${slotsMax} events wait at once: something never stops.`);
    if (slot === this.as.length) this.growSlots();
    return slot;
  }

  private releaseSlot(slot: number): void {
    this.versions[slot] = (this.versions[slot] ?? 0) + 1;
    this.handlers[slot] = done;
    this.freeSlots[this.freeCount] = slot;
    this.freeCount += 1;
  }

  private growHeap(): void {
    const length = this.heapTimes.length * 2;
    this.heapTimes = copied(this.heapTimes, new Float64Array(length));
    this.heapOrders = copied(this.heapOrders, new Float64Array(length));
    this.heapSlots = copied(this.heapSlots, new Int32Array(length));
  }

  private growSlots(): void {
    const length = this.as.length * 2;
    this.as = copied(this.as, new Int32Array(length));
    this.bs = copied(this.bs, new Int32Array(length));
    this.versions = copied(this.versions, new Uint32Array(length));
    this.freeSlots = copied(this.freeSlots, new Int32Array(length));
  }
}

/** What stands in the slot of an event that was taken back. */
function cancelled(): void {}

/** What stands in a free slot, so that nothing keeps alive what an event once held. */
function done(): void {}

function copied<Numbers extends Float64Array | Int32Array | Uint32Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from);
  return to;
}
