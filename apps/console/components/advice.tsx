/** A sentence with commands between backticks, which are shown as such. */
export function Advice({ text }: { readonly text: string }) {
  return text.split("`").map((part, at) =>
    at % 2 === 0 ? (
      part
    ) : (
      <code key={part} className="rounded-sm bg-sunken px-1 py-0.5 font-mono text-xs">
        {part}
      </code>
    ),
  );
}
