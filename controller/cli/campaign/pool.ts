/** The workers of a campaign, one a core. */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Answer, Job, WorkerSetup } from "./jobs.ts";

/** Runs leave much behind that was short-lived; with room for it, little of it is ever copied. */
const maxYoungGenerationSizeMb = 64;

const entry = new URL("./worker-entry.mjs", import.meta.url);

/** A worker a core. Nothing is shared with them but the flag that stops them. */
export class WorkerPool {
  readonly #workers: readonly CampaignWorker[];
  readonly #stop = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

  /** As many workers as there are cores, but not more than jobs. */
  constructor(jobsMax: number) {
    const size = Math.max(1, Math.min(availableParallelism(), jobsMax));
    this.#workers = Array.from({ length: size }, () => new CampaignWorker({ stop: this.#stop }));
  }

  get size(): number {
    return this.#workers.length;
  }

  /**
   * Has the workers do jobs, each as soon as one of them is free, until `next` gives no more.
   *
   * @param take Receives the answers as they come.
   */
  async work<Given extends Job>(next: () => Given | null, take: (answer: AnswerTo<Given>, job: Given) => void) {
    await Promise.all(
      this.#workers.map(async (worker) => {
        for (let job = next(); job !== null; job = next()) {
          const answer = await worker.ask(job);
          if (isAnswerTo(answer, job)) take(answer, job);
        }
      }),
    );
  }

  /** Has workers break off what takes long and can be broken off. */
  stop(): void {
    Atomics.store(this.#stop, 0, 1);
  }

  /** Ends the workers, whatever they do. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.end()));
  }
}

/** The answer that a job gets. */
export type AnswerTo<Given extends Job> = Extract<Answer, { readonly kind: Given["kind"] }>;

function isAnswerTo<Given extends Job>(answer: Answer, job: Given): answer is AnswerTo<Given> {
  return answer.kind === job.kind;
}

class CampaignWorker {
  readonly #worker: Worker;
  #settle: { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void } | null = null;

  constructor(setup: WorkerSetup) {
    this.#worker = new Worker(entry, { workerData: setup, resourceLimits: { maxYoungGenerationSizeMb } });
    this.#worker.on("message", (answer: Answer) => this.#settle?.resolve(answer));
    this.#worker.on("error", (error: Error) => this.#settle?.reject(error));
    this.#worker.on("exit", (code) =>
      this.#settle?.reject(new Error(`A worker ended by itself, with status ${code}.`)),
    );
  }

  /** One job at a time. */
  ask(job: Job): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#worker.postMessage(job);
    });
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
