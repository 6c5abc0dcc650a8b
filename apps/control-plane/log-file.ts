import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { type DestinationStream, pino } from "pino";

export interface LogFileOptions {
  readonly path: string;
  /** No file grows past it. */
  readonly bytesMax?: number;
  /** Files kept, the present one among them: `path`, `path.1` (the newest) and so on. */
  readonly filesMax?: number;
  /** Where lines go while the file cannot be written; standard output when not given. */
  readonly fallback?: DestinationStream;
  /** How long a file that could not be written is left alone. */
  readonly retryMs?: number;
}

export interface LogFile extends DestinationStream {
  /** Lines that come later go to the fallback. */
  close(): void;
}

const BYTES_MAX = 100 * 1024 * 1024;
const FILES_MAX = 5;
const RETRY_MS = 10_000;
const PRIVATE_MODE = 0o600;
const PRIVATE_DIR_MODE = 0o700;
const LINE_FEED = 0x0a;
const STDOUT = 1;

interface OpenFile {
  readonly fd: number;
  size: number;
}

/**
 * Opens a log file that is rotated by size. Each line is with the kernel when `write` returns, so a killed process
 * loses none; after a full disk no line is left half written. Trouble never reaches the caller: the first line that
 * cannot be kept is preceded by one that says so, and the file is tried again later.
 */
export function openLogFile(options: LogFileOptions): LogFile {
  const { path, bytesMax = BYTES_MAX, filesMax = FILES_MAX, retryMs = RETRY_MS } = options;
  let fallback = options.fallback;
  let file: OpenFile | undefined;
  let isClosed = false;
  let retryAtMs = 0;

  function writeElsewhere(line: string): void {
    try {
      fallback ??= pino.destination({ dest: STDOUT, sync: true });
      fallback.write(line);
    } catch {
      // There is nowhere left to say it.
    }
  }

  function append(line: string): void {
    const bytes = Buffer.from(line);
    file ??= openFile(path);
    if (file.size > 0 && file.size + bytes.length > bytesMax) {
      closeSync(file.fd);
      file = undefined;
      rotate(path, filesMax);
      file = openFile(path);
    }
    appendWhole(file, bytes);
  }

  function giveUp(error: unknown): void {
    const wasInUse = retryAtMs === 0;
    retryAtMs = performance.now() + retryMs;
    if (file) closeQuietly(file.fd);
    file = undefined;
    if (wasInUse) writeElsewhere(troubleLine(error));
  }

  return {
    write(line) {
      if (isClosed || performance.now() < retryAtMs) return writeElsewhere(line);
      try {
        append(line);
        retryAtMs = 0;
      } catch (error) {
        giveUp(error);
        writeElsewhere(line);
      }
    },
    close() {
      isClosed = true;
      if (!file) return;
      closeQuietly(file.fd);
      file = undefined;
    },
  };
}

function openFile(path: string): OpenFile {
  mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_DIR_MODE });
  const fd = openSync(path, "a+", PRIVATE_MODE);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) return { fd, size: 0 };
    if ((stats.mode & 0o777) !== PRIVATE_MODE) fchmodSync(fd, PRIVATE_MODE);
    const size = sizeOfWholeLines(fd, stats.size);
    if (size < stats.size) ftruncateSync(fd, size);
    return { fd, size };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** A process that was killed, or a machine that lost power, may have left the beginning of a line. */
function sizeOfWholeLines(fd: number, size: number): number {
  const block = Buffer.alloc(4096);
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - block.length);
    const length = readSync(fd, block, 0, end - start, start);
    const last = block.subarray(0, length).lastIndexOf(LINE_FEED);
    if (last !== -1) return start + last + 1;
    end = start;
  }
  return 0;
}

function appendWhole(file: OpenFile, bytes: Buffer): void {
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(file.fd, bytes, written);
    file.size += written;
  } catch (error) {
    if (written > 0) ftruncateSync(file.fd, file.size);
    throw error;
  }
}

/** `path` becomes `path.1`, `path.1` becomes `path.2`; the oldest goes. */
function rotate(path: string, filesMax: number): void {
  const nameOf = (age: number) => (age === 0 ? path : `${path}.${age}`);
  const oldest = filesMax - 1;
  ifThere(() => unlinkSync(nameOf(oldest)));
  for (let age = oldest - 1; age >= 0; age--) ifThere(() => renameSync(nameOf(age), nameOf(age + 1)));
}

function ifThere(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

/** What was written is on the disk then, where the disk takes it. */
function closeQuietly(fd: number): void {
  for (const act of [fsyncSync, closeSync]) {
    try {
      act(fd);
    } catch {
      // A file that fails to close is no reason to fail.
    }
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}

/** In the form of pino's lines; 40 is its number for a warning. */
function troubleLine(error: unknown): string {
  const line = { level: 40, time: new Date().toISOString(), error: codeOf(error), event: "log_file_failed" };
  return `${JSON.stringify(line)}\n`;
}
