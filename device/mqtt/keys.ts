/** The keys with which somebody proves to be who they say, in TLS with certificates on both sides. */

/** PEM texts. The certificate's common name is the name under which its owner publishes. */
export type Keys = {
  /** The certificate authority of the bench: who is not certified by it is nobody here. */
  readonly authority: string;
  readonly certificate: string;
  readonly privateKey: string;
};
