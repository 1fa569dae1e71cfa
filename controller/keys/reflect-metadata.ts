/**
 * Three functions of a proposal for JavaScript that never became part of it, and that the library for certificates asks
 * for before it loads. They keep what decorators note about classes; whoever has them already keeps theirs.
 */

type Metadata = Map<unknown, unknown>;

const metadataOf = new WeakMap<object, Metadata>();

function defineMetadata(key: unknown, value: unknown, target: object): void {
  const metadata: Metadata = metadataOf.get(target) ?? new Map();
  metadata.set(key, value);
  metadataOf.set(target, metadata);
}

function getOwnMetadata(key: unknown, target: object): unknown {
  return metadataOf.get(target)?.get(key);
}

/** Looks at the classes from which the target is derived, too. */
function getMetadata(key: unknown, target: object): unknown {
  for (let at: object | null = target; at !== null; at = Reflect.getPrototypeOf(at)) {
    if (metadataOf.get(at)?.has(key)) return getOwnMetadata(key, at);
  }
  return undefined;
}

if (!("getMetadata" in Reflect)) Object.assign(Reflect, { defineMetadata, getMetadata, getOwnMetadata });
