/** The checker of histories: were clients lied to? All of it but `file.ts` runs in a browser too. */

export { type CheckLimits, checkLimits } from "./budget.ts";
export { type CheckOptions, type CheckResult, checkHistory, judge, type Verdict, type VerdictName } from "./check.ts";
export { findMiscounts, type Miscount } from "./exactly-once.ts";
export { describe, diagramOf } from "./explain.ts";
export { checkHistoryFile, readHistory } from "./file.ts";
export { type EventType, HistoryError, type HistoryEvent, type OperationName, parseEvent } from "./history.ts";
export { type History, HistoryBuilder, historyOf, type Operation } from "./operations.ts";
export { type Progress, progressOf, type Recovery, recoveryAfter } from "./progress.ts";
