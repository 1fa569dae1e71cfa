/** The consensus core's public face. */

export { isJoint, isVoter, membersOf, simpleConfiguration, type Target } from "./configuration.ts";
export type { Effects, RaftEvent, ReadId, ReadResult, Save } from "./effects.ts";
export { InvariantViolation } from "./invariant.ts";
export { checkOptions, defaultRaftOptions, type RaftOptions } from "./options.ts";
export { type FollowerStatus, type Proposed, Raft, type RaftSettings } from "./raft.ts";
export { type Rules, rules } from "./rules.ts";
export type * from "./types.ts";
