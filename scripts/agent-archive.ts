/** Packs the node agent for VPN servers of this machine's platform: one folder with all that it runs on. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gzip as gzipCompress } from "node:zlib";
import { ROOT } from "./commands.ts";

const gzip = promisify(gzipCompress);

export interface ArchiveOptions {
  /** The agent as one file. */
  readonly bundlePath: string;
  readonly version: string;
  /** Where `securewave-node.tar.gz` and `securewave-node.json` are put. */
  readonly outputDir: string;
  /** Keeps what takes long to compress. */
  readonly cacheDir: string;
}

const AGENT_DIR = join(ROOT, "apps/node-agent");
const FOLDER = "securewave-node";
const TAR_BLOCK_BYTES = 512;
/** A server with little memory unpacks any level alike; above this one, packing takes twice as long for 6 % less. */
const LEVEL = 4;

interface Member {
  readonly name: string;
  readonly content: Buffer;
  readonly mode: number;
}

/** Makes the archive and its description. The same input gives the same bytes. */
export async function makeAgentArchive(options: ArchiveOptions): Promise<void> {
  const { bundlePath, version, outputDir, cacheDir } = options;
  const read = (path: string) => readFileSync(path);
  const members: Member[] = [
    { name: "securewave-node", content: read(join(AGENT_DIR, "deploy/securewave-node")), mode: 0o755 },
    { name: "agent.mjs", content: read(bundlePath), mode: 0o644 },
    { name: "forget-flows.pl", content: read(join(AGENT_DIR, "forget-flows.pl")), mode: 0o644 },
    {
      name: "securewave-node.service",
      content: read(join(AGENT_DIR, "deploy/securewave-node.service")),
      mode: 0o644,
    },
    { name: "LICENSE", content: read(join(ROOT, "LICENSE")), mode: 0o644 },
  ];
  const rest = Buffer.concat([...members.map(entryOf), Buffer.alloc(2 * TAR_BLOCK_BYTES)]);
  // One gzip member after the other is one file to every program that unpacks it (RFC 1952 §2.2).
  const archive = Buffer.concat([await packedNode(cacheDir), await gzip(rest, { level: LEVEL })]);
  mkdirSync(outputDir, { recursive: true });
  replace(join(outputDir, `${FOLDER}.tar.gz`), archive);
  const description = {
    version,
    platform: `${process.platform}-${process.arch}`,
    sha256: createHash("sha256").update(archive).digest("hex"),
    size: archive.length,
  };
  replace(join(outputDir, `${FOLDER}.json`), JSON.stringify(description));
}

/** The Node that runs this, compressed, which takes seconds; it changes with Node only. */
async function packedNode(cacheDir: string): Promise<Buffer> {
  const content = readFileSync(process.execPath);
  const digest = createHash("sha256").update(content).digest("hex");
  const path = join(cacheDir, `node-${digest.slice(0, 32)}-${LEVEL}.gz`);
  if (existsSync(path)) return readFileSync(path);
  const packed = await gzip(entryOf({ name: "node", content, mode: 0o755 }), { level: LEVEL });
  mkdirSync(cacheDir, { recursive: true });
  replace(path, packed);
  return packed;
}

/** Who reads the file at this moment sees the whole of either. */
function replace(path: string, content: Buffer | string): void {
  const unfinished = join(dirname(path), `.${process.pid}.unfinished`);
  writeFileSync(unfinished, content);
  renameSync(unfinished, path);
}

/** A file of root's in an archive, without a time. @see POSIX.1-2017, pax, "ustar Interchange Format" */
function entryOf({ name, content, mode }: Member): Buffer {
  const header = Buffer.alloc(TAR_BLOCK_BYTES);
  const octal = (value: number, digits: number) => value.toString(8).padStart(digits, "0");
  header.write(`${FOLDER}/${name}`, 0);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108); // owner
  header.write(octal(0, 7), 116); // group
  header.write(octal(content.length, 11), 124);
  header.write(octal(0, 11), 136); // time
  header.write("        ", 148); // the checksum counts as spaces in itself
  header.write("0", 156); // a file
  header.write("ustar\0" + "00", 257);
  header.write("root", 265);
  header.write("root", 297);
  const checksum = header.reduce((sum, byte) => sum + byte, 0);
  header.write(`${octal(checksum, 6)}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc(-content.length & (TAR_BLOCK_BYTES - 1))]);
}
