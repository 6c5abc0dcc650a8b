import { type Client, createClient, type Session } from "@securewave/contracts";
import { latestMail } from "@securewave/testing";

export interface Person {
  readonly email: string;
  readonly password: string;
  readonly accountId: string;
  readonly client: Client;
}

export const PASSWORD = "correct horse battery staple";

function personOf(baseUrl: string, session: Session, password: string): Person {
  const client = createClient({ baseUrl, token: () => session.access_token });
  return { email: session.account.email, password, accountId: session.account.id, client };
}

export async function logIn(baseUrl: string, email: string, password = PASSWORD): Promise<Person> {
  const session = await createClient({ baseUrl }).sessions.logIn({ body: { email, password } });
  return personOf(baseUrl, session, password);
}

/** Makes the first admin by the link that the program printed. */
export async function setUpAdmin(baseUrl: string, setupLink: string | undefined): Promise<Person> {
  if (setupLink === undefined) throw new Error("the program printed no set-up link");
  const token = tokenOf(setupLink);
  const body = { token, email: "admin@example.org", password: PASSWORD };
  return personOf(baseUrl, await createClient({ baseUrl }).service.setUp({ body }), PASSWORD);
}

/** Registers as a visitor does: the mail is read from the outbox and its link followed. */
export async function register(baseUrl: string, email: string, outboxDir: string): Promise<Person> {
  const visitor = createClient({ baseUrl });
  await visitor.accounts.register({ body: { email, password: PASSWORD } });
  await visitor.accounts.verifyEmail({ body: { token: tokenOf(await mailedLink(outboxDir, email)) } });
  return logIn(baseUrl, email);
}

/** The link in the newest mail to an address. */
export async function mailedLink(outboxDir: string, email: string): Promise<string> {
  const { links } = await latestMail(outboxDir, email, { timeoutMs: 20_000 });
  const [link] = links;
  if (link === undefined) throw new Error("the mail holds no link");
  return link;
}

/** What stands behind `#token=` in a link. */
export function tokenOf(link: string): string {
  const token = new URLSearchParams(new URL(link).hash.slice(1)).get("token");
  if (token === null) throw new Error("the link holds no token");
  return token;
}
