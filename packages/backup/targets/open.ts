import { targetErrors } from "../errors.ts";
import { openFolderTarget } from "./folder.ts";
import type { Target, TargetCredentials } from "./target.ts";

export interface TargetOptions {
  /**
   * A folder's path, `s3://bucket/prefix?region=…&endpoint=https://…` or
   * `azblob://account/container/prefix?endpoint=https://…`.
   */
  readonly url: string;
  readonly credentials?: TargetCredentials | undefined;
}

/** @throws backup_target.invalid_url */
export async function openTarget({ url, credentials = {} }: TargetOptions): Promise<Target> {
  const scheme = /^([a-z0-9]+):\/\//.exec(url)?.[1];
  if (scheme === undefined && url !== "") return openFolderTarget(url);
  if (scheme === "file" && URL.canParse(url)) return openFolderTarget(new URL(url).pathname);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || parsed.username !== "" || parsed.password !== "")
    throw targetErrors.invalidUrl();
  if (scheme === "s3") return (await import("./s3.ts")).openS3Target(parsed, credentials);
  if (scheme === "azblob") return (await import("./azure.ts")).openAzureTarget(parsed, credentials);
  throw targetErrors.invalidUrl();
}
