import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { EmailField, Form, type FormValues, PasswordField, SelectField } from "../../components/form.tsx";
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
    onClose();
    notify(`${account.email} can log in.`);
  }

  return (
    <Dialog isOpen={isOpen} title="Add a user" onClose={onClose}>
      <Form onSubmit={add}>
        {({ isPending }) => (
          <>
            <EmailField autoComplete="off" hint="Counts as confirmed." />
            <PasswordField isNew hint="At least 10 characters. Hand it over in a safe way." />
            <SelectField name="role" label="Role" defaultValue="customer">
              {ROLES.map((role) => (
                <option key={role} value={role}>
                  {ROLE_NAMES[role]}
                </option>
              ))}
            </SelectField>
            <div className="mt-1 flex flex-wrap justify-end gap-3 max-sm:*:grow">
              <Button onClick={onClose}>Cancel</Button>
              <Button type="submit" tone="primary" isPending={isPending}>
                Add user
              </Button>
            </div>
          </>
        )}
      </Form>
    </Dialog>
  );
}
