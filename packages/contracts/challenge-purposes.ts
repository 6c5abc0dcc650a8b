/** What a proof of work can be for; a solution holds for one of them. */
export const CHALLENGE_PURPOSES = ["login", "register", "password-reset"] as const;
export type ChallengePurpose = (typeof CHALLENGE_PURPOSES)[number];
