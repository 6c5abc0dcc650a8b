import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";

const PAUSE_MS = 250;

interface SearchFieldProps {
  readonly label: string;
  readonly value: string;
  /** Called when typing has paused. */
  readonly onSearch: (text: string) => void;
  /** Takes the width it is given: for one among other fields. */
  readonly isWide?: boolean;
}

export function SearchField({ label, value, onSearch, isWide = false }: SearchFieldProps) {
  const [text, setText] = useState(value);
  const sent = useRef(value);

  useEffect(() => {
    // Searched for by something else on the page.
    if (value !== sent.current) setText(value);
    sent.current = value;
  }, [value]);

  useEffect(() => {
    if (text === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = text;
      onSearch(text);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text, onSearch]);

  return (
    <search className={isWide ? "relative block self-end" : "relative block w-full sm:w-72"}>
      <Search
        className="pointer-events-none absolute inset-y-0 left-3 my-auto size-4 text-muted"
        aria-hidden="true"
      />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        maxLength={100}
        value={text}
        onChange={(event) => setText(event.target.value)}
        // What is typed is searched for already; within a form, Enter would send that.
        onKeyDown={(event) => event.key === "Enter" && event.preventDefault()}
        className="control pl-9"
      />
    </search>
  );
}
