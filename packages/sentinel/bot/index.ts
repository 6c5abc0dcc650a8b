export type { ChallengeStepOptions } from "./challenge-step.ts";
export { createChallengeStep } from "./challenge-step.ts";
export type { Challenges, ChallengesOptions } from "./challenges.ts";
export { createChallenges } from "./challenges.ts";
export { isTrapSprung } from "./honeypot.ts";
