import { LogOut } from "lucide-react";
import { useState } from "react";
import { logOut } from "../api.ts";
import { Button } from "./button.tsx";
import { notifyError } from "./toast.tsx";

/** Ends this browser's log-in. */
export function LogOutButton({ size }: { size?: "small" }) {
  const [isPending, setPending] = useState(false);

  async function logOutHere(): Promise<void> {
    setPending(true);
    try {
      await logOut("here");
    } catch (error) {
      notifyError(error);
      setPending(false);
    }
  }

  return (
    <Button icon={LogOut} isPending={isPending} onClick={logOutHere} {...(size && { size })}>
      Log out
    </Button>
  );
}
