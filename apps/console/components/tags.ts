/** Of a field with tags: as the contract has them, with commas between. */
export const TAGS_PATTERN = "\\s*([a-z0-9\\-]{1,30}(\\s*,\\s*[a-z0-9\\-]{1,30})*)?\\s*";

/** What was typed, each once. */
export function tagsOf(text: string): string[] {
  const tags = text.split(",").map((tag) => tag.trim());
  return [...new Set(tags.filter((tag) => tag !== ""))];
}
