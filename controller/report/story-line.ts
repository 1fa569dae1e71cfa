/** One sentence of a run's story, or a few that belong together. */
export type StoryLine = {
  readonly atUs: number;
  /** What it is about, for its colour. */
  readonly kind: "fault" | "heal" | "elected" | "board" | "clients";
  readonly text: string;
};
