import { Outlet } from "@tanstack/react-router";
import { Toaster } from "../components/toast.tsx";
import { MaintenanceBanner } from "./maintenance-banner.tsx";
import { OfflineBanner } from "./offline-banner.tsx";

export function Root() {
  return (
    <>
      <a
        href="#main"
        className="sr-only rounded-md bg-accent px-4 py-2 font-medium text-on-accent focus:not-sr-only focus:fixed focus:top-3 focus:left-3 focus:z-20 focus:px-4 focus:py-2"
      >
        Skip to content
      </a>
      <OfflineBanner />
      <MaintenanceBanner />
      <Outlet />
      <Toaster />
    </>
  );
}
