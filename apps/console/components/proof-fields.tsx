import { useQuery } from "@tanstack/react-query";
import { secondFactorQuery } from "../queries.ts";
import { CodeField, PasswordField } from "./fields.tsx";
import type { FormValues } from "./form.tsx";

interface ProofFieldsProps {
  readonly hint?: string;
  /** Of the password, where the form has another one besides. */
  readonly name?: string;
  readonly label?: string;
}

/** The password, and a code where a second factor is on: for what a thief of the log-in must not do. */
export function ProofFields(password: ProofFieldsProps) {
  const factor = useQuery(secondFactorQuery);
  return (
    <>
      <PasswordField {...password} />
      {factor.data?.is_enabled && <CodeField kind="either" />}
    </>
  );
}

export function proofOf(values: FormValues): { password: string; code?: string } {
  return { password: values.secret("password"), ...codeOf(values) };
}

export function codeOf(values: FormValues): { code?: string } {
  const code = values.text("code");
  return code === "" ? {} : { code };
}
