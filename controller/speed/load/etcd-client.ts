/** etcd's key-value service over gRPC: one channel, on which calls travel side by side; another member's if it fails. */

import { setTimeout as wait } from "node:timers/promises";
import { Client, credentials } from "@grpc/grpc-js";
import { fromJSON, type MethodDefinition } from "@grpc/proto-loader";
import type { LoadClient, LoadTarget } from "./load-client.ts";

/** The few fields of etcd's public API that a measurement needs. */
const api: Parameters<typeof fromJSON>[0] = {
  nested: {
    etcdserverpb: {
      nested: {
        KV: {
          methods: {
            Range: { requestType: "RangeRequest", responseType: "RangeResponse", comment: "" },
            Put: { requestType: "PutRequest", responseType: "PutResponse", comment: "" },
          },
        },
        RangeRequest: { fields: { key: { type: "bytes", id: 1 } } },
        RangeResponse: { fields: { kvs: { rule: "repeated", type: "KeyValue", id: 2 } } },
        KeyValue: { fields: { value: { type: "bytes", id: 5 } } },
        PutRequest: { fields: { key: { type: "bytes", id: 1 }, value: { type: "bytes", id: 2 } } },
        PutResponse: { fields: {} },
      },
    },
  },
};

/** A call to a member that leads nobody any more is not answered for long: better ask another. */
const attemptTimeoutMs = 250;
const attemptTimeoutMsUnderLoad = 5_000;
const retryDelayMs = 10;
const patienceMs = 15_000;

type Method = MethodDefinition<object, object>;

/** Connects to the first endpoint, and to the others in turn as soon as one fails. */
export function connectToEtcd({ endpoints }: Extract<LoadTarget, { kind: "etcd" }>): LoadClient {
  const { put, range } = methods();
  const clients = endpoints.map((endpoint) => new Client(endpoint, credentials.createInsecure(), channelOptions));
  let at = 0;
  let underWay = 0;

  function attempt(client: Client, method: Method, request: object): Promise<object> {
    const timeoutMs = underWay === 1 ? attemptTimeoutMs : attemptTimeoutMsUnderLoad;
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        request,
        { deadline: Date.now() + timeoutMs },
        (error, response) => {
          if (error === null && response !== undefined) resolve(response);
          else reject(error ?? new Error("an empty answer"));
        },
      );
    });
  }

  async function call(method: Method, request: object): Promise<object> {
    const endMs = performance.now() + patienceMs;
    underWay += 1;
    try {
      for (;;) {
        const chosen = at;
        const client = clients[chosen % clients.length];
        if (client === undefined) throw new Error("etcd has no endpoints.");
        try {
          return await attempt(client, method, request);
        } catch (error) {
          if (performance.now() > endMs) throw error;
          if (at === chosen) at += 1;
          await wait(retryDelayMs);
        }
      }
    } finally {
      underWay -= 1;
    }
  }

  return {
    async write(key, value) {
      await call(put, { key: Buffer.from(key), value: Buffer.from(value) });
    },
    async read(key) {
      return valueIn(await call(range, { key: Buffer.from(key) }));
    },
    close() {
      for (const client of clients) client.close();
      return Promise.resolve();
    },
  };
}

/** A member that was down is tried again soon, as our own connections are. */
const channelOptions = {
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.min_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 200,
};

function methods(): { readonly put: Method; readonly range: Method } {
  const service = fromJSON(api)["etcdserverpb.KV"];
  if (service === undefined || !("Put" in service) || !("Range" in service))
    throw new Error("etcd's API is incomplete.");
  const { Put: put, Range: range } = service;
  if (!isMethod(put) || !isMethod(range)) throw new Error("etcd's API is incomplete.");
  return { put, range };
}

function isMethod(definition: unknown): definition is Method {
  return typeof definition === "object" && definition !== null && "requestSerialize" in definition;
}

function valueIn(response: object): string | null {
  const { kvs } = response as { readonly kvs?: readonly { readonly value?: Uint8Array }[] };
  const value = kvs?.[0]?.value;
  return value === undefined ? null : Buffer.from(value).toString();
}
