import { Redis } from "ioredis";

/** Asks one Redis or sentinel one thing. */
export async function askRedis(
  { host, port }: { readonly host: string; readonly port: number },
  password: string,
  [command = "", ...args]: readonly string[],
): Promise<unknown> {
  const connection = new Redis({
    ...{ host, port, password },
    lazyConnect: true,
    connectTimeout: 1000,
    commandTimeout: 2000,
    enableReadyCheck: false,
    retryStrategy: () => null,
  });
  connection.on("error", () => undefined); // the command says it too
  try {
    await connection.connect();
    return await connection.call(command, ...args);
  } finally {
    connection.disconnect();
  }
}
