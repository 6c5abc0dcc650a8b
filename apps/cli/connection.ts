import { ApiError, type Client, createClient, type Session } from "@securewave/contracts";
import { type Credentials, credentialsPath, openCredentials, type SavedLogin } from "./credentials.ts";
import type { Environment } from "./environment.ts";
import { usageError } from "./failure.ts";

const DEFAULT_URL = "http://127.0.0.1:8000";

export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  readonly client: Client;
  readonly credentials: Credentials;
  /** Where that comes from by which this command shows who it is; `environment` is a token there. */
  readonly loginSource: "environment" | "api_key" | "saved" | "none";
}

/** What a header can carry. */
const PRINTABLE = /^[\x21-\x7e]+$/;
/** As the service makes them. */
const API_KEY = /^swk_[\w-]+$/;

/**
 * Makes the client for the service that the option, the environment or the last log-in names.
 *
 * @throws CliError `cli.usage` for an address that is none or a credential that cannot be one,
 *   `cli.credentials_unreadable`
 */
export async function connect(environment: Environment, urlOption: string | undefined): Promise<Connection> {
  const { env, homeDir } = environment;
  const credentials = openCredentials(credentialsPath(env, homeDir));
  const given = givenCredential(env);
  const givenUrl = urlOption ?? (env.SECUREWAVE_URL ? env.SECUREWAVE_URL : undefined);
  const isSavedNeeded = given === undefined || givenUrl === undefined;
  const saved = isSavedNeeded ? await credentials.read() : { logins: {} };
  const url = parseUrl(givenUrl ?? saved.url ?? DEFAULT_URL);
  if (given !== undefined) {
    const { text, loginSource } = given;
    const client = createClient({ baseUrl: url, token: () => text });
    return { url, client, credentials, loginSource };
  }
  const login = saved.logins[url];
  const renewal = createRenewal(credentials, url, login);
  const client = createClient({ baseUrl: url, ...renewal });
  return { url, client, credentials, loginSource: login === undefined ? "none" : "saved" };
}

/** What the environment holds to be used in place of a saved log-in. */
function givenCredential({ SECUREWAVE_TOKEN: token, SECUREWAVE_API_KEY: apiKey }: Environment["env"]) {
  if (token && apiKey) {
    throw usageError("SECUREWAVE_TOKEN and SECUREWAVE_API_KEY are both set.", "Take one of them away.");
  }
  if (apiKey) {
    if (!API_KEY.test(apiKey)) {
      throw usageError(
        "What SECUREWAVE_API_KEY holds is no API key: those begin with swk_.",
        "Make one: securewave api-keys create --help",
      );
    }
    return { text: apiKey, loginSource: "api_key" } as const;
  }
  if (!token) return undefined;
  if (!PRINTABLE.test(token)) throw usageError("What SECUREWAVE_TOKEN holds is no access token.");
  return { text: token, loginSource: "environment" } as const;
}

function parseUrl(text: string): string {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw usageError("The address of the service is not a URL.", "Write it as https://vpn.example.org");
  }
  return (parsed.origin + parsed.pathname).replace(/\/+$/, "");
}

/**
 * Exchanges the refresh token when the access token was refused. A refresh token works once, and using it again ends
 * the log-in; so the exchange happens once at a time within this process and under the file's lock between processes,
 * and what another process has saved meanwhile is taken instead.
 */
function createRenewal(credentials: Credentials, url: string, login: SavedLogin | undefined) {
  let accessToken = login?.accessToken;
  let running: Promise<boolean> | undefined;
  const renewOnce = () =>
    credentials.locked(async (change) => {
      const saved = (await change.read()).logins[url];
      if (saved === undefined) return false;
      if (saved.accessToken !== accessToken) {
        accessToken = saved.accessToken;
        return true;
      }
      const session = await exchange(url, saved.refreshToken);
      if (session === undefined) return false;
      accessToken = session.access_token;
      const renewed = loginOf(session);
      if (renewed !== undefined) await change.save(url, renewed);
      return true;
    });
  return {
    token: () => accessToken,
    renewToken() {
      if (login === undefined) return Promise.resolve(false);
      running ??= renewOnce().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}

/** Undefined when the log-in has ended. */
async function exchange(url: string, refreshToken: string): Promise<Session | undefined> {
  try {
    return await createClient({ baseUrl: url }).sessions.refresh({ body: { refresh_token: refreshToken } });
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return undefined;
    throw error;
  }
}

/** What is kept of a session; undefined when it holds no refresh token. */
export function loginOf(session: Session): SavedLogin | undefined {
  const { access_token, refresh_token, account } = session;
  if (refresh_token === undefined) return undefined;
  return { email: account.email, accessToken: access_token, refreshToken: refresh_token };
}
