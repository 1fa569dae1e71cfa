/** What the doctor finds: one thing that was looked at, how it is, and what to do now. */

/** How a thing is. `unchecked`: nobody could look, which says nothing of the thing. */
export type Condition = "ok" | "warning" | "wrong" | "unchecked";

/** One thing that was looked at. */
export type Finding = {
  readonly condition: Condition;
  /** The thing: `broker (mqtt://192.168.7.2:1883)`, `pi-3`, `keys/pi-1.pem`. */
  readonly where: string;
  /** How it is, in a few words if it is well, in a sentence if it is not. */
  readonly what: string;
  /** What to do now; `null` if there is nothing to do. */
  readonly advice: string | null;
  /** What a person should know of it all the same. */
  readonly remarks: readonly string[];
};

/** It is well. */
export function ok(where: string, what: string, remarks: readonly string[] = []): Finding {
  return { condition: "ok", where, what, advice: null, remarks };
}

/** It works, and will not always, or not well. */
export function warning(where: string, what: string, advice: string): Finding {
  return { condition: "warning", where, what, advice, remarks: [] };
}

/** It has to be put right before a run means something. */
export function wrong(where: string, what: string, advice: string | null): Finding {
  return { condition: "wrong", where, what, advice, remarks: [] };
}

/** Nobody could look. */
export function unchecked(where: string, what: string, advice: string | null): Finding {
  return { condition: "unchecked", where, what, advice, remarks: [] };
}

/** The words of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
