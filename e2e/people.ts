import { type Client, createClient, type Session } from "@securewave/contracts";
import { eventually, readOutbox } from "@securewave/testing";

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
  await createClient({ baseUrl }).service.setUp({ body });
  return logIn(baseUrl, body.email);
}

/** Registers as a visitor does: the mail is read from the outbox and its link followed. */
export async function register(baseUrl: string, email: string, outboxDir: string): Promise<Person> {
  const visitor = createClient({ baseUrl });
  await visitor.accounts.register({ body: { email, password: PASSWORD } });
  await visitor.accounts.verifyEmail({ body: { token: tokenOf(await mailedLink(outboxDir, email)) } });
  return logIn(baseUrl, email);
}

/** The link in the newest mail to an address, once it leads to the page that is waited for. */
export function mailedLink(outboxDir: string, email: string, page = "/verify"): Promise<string> {
  return eventually(
    async () => {
      const mails = (await readOutbox(outboxDir)).filter(({ to }) => to.includes(email));
      const links = mails.flatMap((mail) => mail.links.filter((found) => new URL(found).pathname === page));
      const newest = links.at(-1);
      if (newest === undefined) throw new Error(`no mail leads to ${page}`);
      return newest;
    },
    { timeoutMs: 20_000 },
  );
}

/** What stands behind `#token=` in a link. */
export function tokenOf(link: string): string {
  const token = new URLSearchParams(new URL(link).hash.slice(1)).get("token");
  if (token === null) throw new Error("the link holds no token");
  return token;
}
