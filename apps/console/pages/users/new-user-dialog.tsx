import { client } from "../../api.ts";
import { EmailField, PasswordField, SelectField } from "../../components/fields.tsx";
import type { FormValues } from "../../components/form.tsx";
import { FormDialog } from "../../components/form-dialog.tsx";
import { notify } from "../../components/toast.tsx";
import { queryClient } from "../../queries.ts";
import { ROLE_NAMES, ROLES } from "./roles.ts";

export function NewUserDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  async function add(values: FormValues): Promise<void> {
    const role = ROLES.find((candidate) => candidate === values.text("role"));
    const account = await client.accounts.create({
      body: { email: values.text("email"), password: values.secret("password"), ...(role && { role }) },
    });
    await queryClient.invalidateQueries({ queryKey: ["accounts"] });
    notify(`${account.email} can log in.`);
  }

  return (
    <FormDialog isOpen={isOpen} title="Add a user" submitLabel="Add user" onClose={onClose} onSubmit={add}>
      <EmailField autoComplete="off" hint="Counts as confirmed." />
      <PasswordField isNew hint="At least 10 characters. Hand it over in a safe way." />
      <SelectField name="role" label="Role" defaultValue="customer">
        {ROLES.map((role) => (
          <option key={role} value={role}>
            {ROLE_NAMES[role]}
          </option>
        ))}
      </SelectField>
    </FormDialog>
  );
}
