import { Compass } from "lucide-react";
import { ButtonLink } from "../../components/button.tsx";
import { PageTitle } from "../../components/page.tsx";

/** Stands in for a page whose thing does not exist, within the page's frame. */
export function NothingHere() {
  return (
    <div className="mx-auto grid min-h-[60dvh] max-w-md place-content-center justify-items-center p-6 text-center">
      <Compass className="mb-4 size-9 text-accent" aria-hidden="true" />
      <PageTitle title="There is nothing here" lead="The page has moved, or the address is mistyped." />
      <ButtonLink to="/" tone="primary">
        To the start
      </ButtonLink>
    </div>
  );
}

/** For addresses that no page has. */
export function NotFoundPage() {
  return (
    <main id="main">
      <NothingHere />
    </main>
  );
}
