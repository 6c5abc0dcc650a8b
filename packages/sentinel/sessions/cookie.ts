const EQUALS = 61;
const SPACE = 32;
const TAB = 9;

/**
 * Reads one cookie of a `Cookie` header. Its name is compared byte by byte and its value is taken as it is.
 *
 * @returns undefined when it is absent, and when it comes twice: another host of the same domain can plant a
 *   second one, and which of them is meant cannot be told
 * @see https://www.rfc-editor.org/rfc/rfc6265#section-5.4
 */
export function readCookie(header: string, name: string): string | undefined {
  let value: string | undefined;
  let start = 0;
  while (start < header.length) {
    const semicolon = header.indexOf(";", start);
    const end = semicolon === -1 ? header.length : semicolon;
    while (start < end && isBlank(header.charCodeAt(start))) start++;
    const valueStart = start + name.length + 1;
    if (header.charCodeAt(valueStart - 1) === EQUALS && header.startsWith(name, start)) {
      if (value !== undefined) return undefined;
      value = header.slice(valueStart, end);
    }
    start = end + 1;
  }
  return value;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
