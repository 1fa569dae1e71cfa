/** Time for whoever runs an experiment in real time; a test gives time of its own, in which nothing is waited for. */

/** Clocks of the controller, and a way to wait. */
export type Time = {
  /** Never goes back. Microseconds since some moment. */
  nowUs(): number;
  /** What a wall clock says at the same moment: microseconds since 1970. */
  wallUs(): number;
  sleep(us: number): Promise<void>;
};

/** The time of this machine. */
export const realTime: Time = {
  nowUs: () => Math.floor(performance.now() * 1_000),
  wallUs: () => Math.floor((performance.timeOrigin + performance.now()) * 1_000),
  sleep: (us) => new Promise((resolve) => setTimeout(resolve, us / 1_000)),
};

/** Waits until a condition holds, for so long at most. Says whether it does. */
export async function waitUntil(condition: () => boolean | Promise<boolean>, withinUs: number, time: Time) {
  const untilUs = time.nowUs() + withinUs;
  while (!(await condition())) {
    if (time.nowUs() >= untilUs) return false;
    await time.sleep(lookEveryUs);
  }
  return true;
}

const lookEveryUs = 50_000;
