/** Words that tell where something was found, and nothing of whom. */
const TELLING =
  /(address|addr|remote|peer|client|ip|host|forwarded|for|endpoint|connection|authorized|received|statement|insert|into|values|copy|select|where|parameters|detail|query|body|url|session|device|ghost|control|at|from|to|time|bytes)/gi;

/**
 * What stands around a match, safe to print: the match is named, of the rest letters, digits and all but a few telling
 * words are covered, since they may be somebody else's.
 */
export function excerptOf(around: Buffer, at: number, length: number, label: string): string {
  const before = covered(around.subarray(0, at));
  const behind = covered(around.subarray(at + length));
  return `${before}[${label}]${behind}`;
}

function covered(bytes: Buffer): string {
  const text = bytes.toString("latin1").replace(/[^\x20-\x7e]/g, "·");
  let shown = "";
  let end = 0;
  for (const { 0: word, index } of text.matchAll(TELLING)) {
    // A telling word is whole, or part of a name such as `remoteAddress`; not part of a text of letters and digits.
    const isPart = /[0-9]/.test(text[index - 1] ?? "") || /[0-9]/.test(text[index + word.length] ?? "");
    shown += cover(text.slice(end, index)) + (isPart ? cover(word) : word);
    end = index + word.length;
  }
  return shown + cover(text.slice(end));
}

function cover(text: string): string {
  return text.replace(/[A-Za-z]/g, "x").replace(/[0-9]/g, "9");
}
