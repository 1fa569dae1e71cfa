/** What the load process asks of a cluster, whichever it is. */

/** A client that keeps on trying until an operation is acknowledged, or its patience ends. */
export type LoadClient = {
  /** Resolves when the cluster has acknowledged it. */
  write(key: string, value: string): Promise<void>;
  /** A linearizable read: `null` if the key is absent. */
  read(key: string): Promise<string | null>;
  close(): Promise<void>;
};

/** Where the cluster is. */
export type LoadTarget =
  | {
      readonly kind: "adrift";
      readonly cluster: string;
      readonly brokers: readonly string[];
      readonly inFlightMax: number;
    }
  /** The first endpoint is asked first: best the leader's. */
  | { readonly kind: "etcd"; readonly endpoints: readonly string[] };
