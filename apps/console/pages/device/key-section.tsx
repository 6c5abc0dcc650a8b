import type { DeviceWithTunnel } from "@securewave/contracts";
import { KeyRound } from "lucide-react";
import { useMemo, useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { Form, type FormValues } from "../../components/form.tsx";
import { KeyChoice, keyWishOf } from "../../components/key-choice.tsx";
import { Section } from "../../components/page.tsx";
import { Terms } from "../../components/terms.tsx";
import { formatDay } from "../../format.ts";
import { createKeyMaker, type KeyedDevice } from "../../own-keys.ts";
import { queryClient } from "../../queries.ts";
import { formerKeyUntil } from "./former-days.ts";
import { RotationForm } from "./rotation-form.tsx";

interface KeySectionProps {
  readonly device: DeviceWithTunnel;
  readonly onChanged: (keyed: KeyedDevice) => void;
}

/** A device's key: how old it is, when it is changed, and the change. */
export function KeySection({ device, onChanged }: KeySectionProps) {
  const makeKeys = useMemo(() => createKeyMaker(client), []);
  const [isChanging, setChanging] = useState(false);
  const isAgreed = device.tunnel?.preshared_key_agreed === true;

  async function change(values: FormValues): Promise<void> {
    const params = { id: device.id };
    const keyed = await makeKeys(keyWishOf(values), (body) => client.devices.rotate({ params, body }));
    setChanging(false);
    onChanged(keyed);
    await queryClient.invalidateQueries({ queryKey: ["devices"] });
  }

  return (
    <Section title="Key" lead="A key that is changed now and then is worth less to who might get hold of it.">
      <div className="grid gap-6">
        <KeyFacts device={device} />
        {isChanging ? (
          <Form onSubmit={change}>
            {({ isPending }) => (
              <>
                <KeyChoice initial={device.key_origin} mustAgree={isAgreed} />
                <div className="flex flex-wrap gap-3 max-sm:*:grow">
                  <Button type="submit" tone="primary" isPending={isPending}>
                    Make the new key
                  </Button>
                  <Button onClick={() => setChanging(false)}>Cancel</Button>
                </div>
              </>
            )}
          </Form>
        ) : (
          <div>
            <Button icon={KeyRound} onClick={() => setChanging(true)}>
              Change the key now…
            </Button>
          </div>
        )}
        <RotationForm key={String(device.rotation_days)} device={device} />
      </div>
    </Section>
  );
}

function KeyFacts({ device }: { device: DeviceWithTunnel }) {
  const { key_version, key_made_on, key_origin, next_rotation_on } = device;
  const former = formerKeyUntil(device);
  const next = next_rotation_on === null ? "Never" : formatDay(next_rotation_on);
  const facts: (readonly [term: string, text: string])[] = [
    ["Version", String(key_version)],
    ["Made on", formatDay(key_made_on)],
    [
      "Made by",
      key_origin === "customer"
        ? "You; the service does not have it"
        : "The service, which keeps it encrypted",
    ],
    [key_origin === "customer" ? "Next reminder" : "Next change", next],
  ];
  if (device.tunnel?.preshared_key_agreed) facts.push(["Preshared key", "Agreed by ML-KEM-1024"]);
  if (former !== undefined) facts.push(["Former key", `Works until ${formatDay(former)}`]);
  return <Terms lines={facts} />;
}
