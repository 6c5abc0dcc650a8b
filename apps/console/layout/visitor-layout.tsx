import { Outlet } from "@tanstack/react-router";
import { Swell, Wordmark } from "../components/brand.tsx";

const PROMISES = [
  ["No logs", "Who is connected is held in memory and gone when they leave. It is never written down."],
  ["Your keys stay yours", "This page makes them. The private one never travels."],
  ["Plain WireGuard", "Works with the apps you have, on every device."],
] as const;

/** The frame of the pages before the log-in. */
export function VisitorLayout() {
  return (
    <div className="grid min-h-dvh lg:grid-cols-[minmax(0,1fr)_minmax(0,34rem)] xl:grid-cols-2">
      <div className="flex flex-col px-6 py-6 sm:px-12 lg:py-8">
        <header className="flex">
          <Wordmark />
        </header>
        <main id="main" className="mx-auto flex w-full max-w-sm grow flex-col justify-center py-12">
          <Outlet />
        </main>
      </div>
      <aside
        aria-label="What SecureWave promises"
        className="relative isolate flex flex-col overflow-hidden bg-deep p-12 text-on-deep max-lg:hidden"
      >
        <Swell className="absolute inset-x-0 bottom-0 -z-10 h-[58%] w-full text-deep-line" />
        <p className="max-w-[16ch] text-balance font-semibold text-3xl tracking-tight">
          Private by how it is built.
        </p>
        <dl className="mt-9 grid max-w-sm gap-5">
          {PROMISES.map(([title, text]) => (
            <div key={title}>
              <dt className="font-semibold">{title}</dt>
              <dd className="text-on-deep-muted text-sm">{text}</dd>
            </div>
          ))}
        </dl>
      </aside>
    </div>
  );
}
