import type { DeviceWithTunnel } from "@securewave/contracts";
import { useState } from "react";
import { client } from "../../api.ts";
import { Button } from "../../components/button.tsx";
import { Form } from "../../components/form.tsx";
import { Section } from "../../components/page.tsx";
import { ServerName } from "../../components/server-name.tsx";
import { ServerPicker } from "../../components/server-picker.tsx";
import { StateBadge } from "../../components/state.tsx";
import { formatDay } from "../../format.ts";
import { queryClient } from "../../queries.ts";
import { type Place, placeInput } from "../../servers.ts";
import { whereabouts } from "../../whereabouts.ts";

interface ServerSectionProps {
  readonly device: DeviceWithTunnel;
  readonly onMoved: (moved: DeviceWithTunnel) => void;
}

/** Where a device is, where it still may be, and how it gets elsewhere. */
export function ServerSection({ device, onMoved }: ServerSectionProps) {
  const [isChoosing, setChoosing] = useState(false);

  async function move(place: Place): Promise<void> {
    const body = placeInput(place, whereabouts().country);
    const moved = await client.devices.move({ params: { id: device.id }, body });
    await queryClient.invalidateQueries({ queryKey: ["devices"] });
    setChoosing(false);
    onMoved(moved);
  }

  return (
    <Section
      title="Server"
      lead="A move changes the config. The former one works on, so that there is time to put the new one in."
    >
      <div className="grid gap-5">
        <ul className="overflow-hidden rounded-lg border border-line bg-surface *:border-line *:border-t *:first:border-t-0">
          <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 py-3">
            <span className="min-w-0 break-words">
              <ServerName server={device.server} />
            </span>
            <StateBadge tone="good">Its server</StateBadge>
          </li>
          {device.retiring.map(({ server, public_key, valid_until }) => (
            <li
              key={`${server?.id} ${public_key}`}
              className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-4 py-3"
            >
              <span className="min-w-0 break-words">
                <ServerName server={server} />
                {public_key !== device.public_key && (
                  <span className="text-muted">, with its former key</span>
                )}
              </span>
              <StateBadge tone="waiting">Works until {formatDay(valid_until)}</StateBadge>
            </li>
          ))}
        </ul>
        {isChoosing ? (
          <MoveForm device={device} onMove={move} onCancel={() => setChoosing(false)} />
        ) : (
          <div>
            <Button onClick={() => setChoosing(true)}>Move to another server…</Button>
          </div>
        )}
      </div>
    </Section>
  );
}

interface MoveFormProps {
  readonly device: DeviceWithTunnel;
  readonly onMove: (place: Place) => Promise<void>;
  readonly onCancel: () => void;
}

function MoveForm({ device, onMove, onCancel }: MoveFormProps) {
  const [place, setPlace] = useState<Place>({});
  return (
    <Form onSubmit={() => onMove(place)}>
      {({ isPending }) => (
        <>
          <ServerPicker legend="Move to" value={place} onChange={setPlace} presentId={device.server?.id} />
          <div className="flex flex-wrap gap-3 max-sm:*:grow">
            <Button type="submit" tone="primary" isPending={isPending}>
              Move
            </Button>
            <Button onClick={onCancel}>Cancel</Button>
          </div>
        </>
      )}
    </Form>
  );
}
