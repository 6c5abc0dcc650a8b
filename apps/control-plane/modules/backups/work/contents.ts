import { type Manifest, openContent, type Target } from "@securewave/backup";
import { CONTROL_NAME } from "../order.ts";

/** Opens what is in a backup of settings or of nodes, and looks whether it is what it should be. */
export async function checkContents(
  identities: readonly string[],
  target: Target,
  manifest: Manifest,
): Promise<{ isGood: boolean; detail: string }> {
  const texts = await readTexts(identities, target, manifest);
  if (manifest.kind === "vpn") {
    const peersCount = texts.reduce(
      (sum, { text }) => sum + (text.match(/^(# )?\[Peer\]$/gm)?.length ?? 0),
      0,
    );
    const isGood = texts.length === manifest.counts.nodes && peersCount === manifest.counts.peers;
    return {
      isGood,
      detail: isGood
        ? `${texts.length} nodes with ${peersCount} peers are in it.`
        : `It has ${texts.length} nodes with ${peersCount} peers in place of ${manifest.counts.nodes} with ${manifest.counts.peers}.`,
    };
  }
  const [config] = texts;
  const { tables }: { tables: Record<string, unknown[]> } = JSON.parse(config?.text ?? "{}");
  const wrong = Object.entries(manifest.counts).filter(([table, count]) => tables[table]?.length !== count);
  if (wrong.length > 0)
    return { isGood: false, detail: `Rows are missing: ${wrong.map(([table]) => table).join(", ")}.` };
  return { isGood: true, detail: `${Object.keys(tables).length} tables of settings are in it, whole.` };
}

export interface OpenedText {
  readonly name: string;
  readonly text: string;
}

export async function readTexts(
  identities: readonly string[],
  target: Target,
  manifest: Manifest,
): Promise<OpenedText[]> {
  const texts: OpenedText[] = [];
  for (const object of manifest.objects) {
    const name = object.name.replace(/\.zst\.age$/, "");
    if (name === CONTROL_NAME) continue;
    const chunks = await Array.fromAsync(openContent(target, manifest, name, identities));
    texts.push({ name, text: Buffer.concat(chunks).toString("utf8") });
  }
  return texts;
}
