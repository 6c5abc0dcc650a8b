import { createPublicKey, randomBytes, sign, verify } from "node:crypto";
import {
  authenticationText,
  Hello,
  NODE_PROTOCOL_VERSION,
  type PlaneFrame,
  Proof,
  REFUSALS,
} from "@securewave/contracts/node-protocol";
import type { Static } from "typebox";
import type { WebSocket } from "ws";
import type { ServiceKey } from "../service-keys/index.ts";
import { createCheck } from "./frames.ts";
import type { NodeRow } from "./node.ts";

/** A node that has proved that it holds its credential. */
export interface ProvedNode {
  readonly node: NodeRow;
  readonly proof: Static<typeof Proof>;
}

export interface AuthenticationOptions {
  readonly identity: ServiceKey;
  readonly findNode: (nodeId: string) => Promise<NodeRow | undefined>;
  /** Hears in which other version an agent asks that has not proved itself. */
  readonly onOtherProtocol: (nodeId: string, protocol: number) => void;
}

/** What an agent is told that is not let in. */
export const CLONED =
  "Two machines had the credential of this node, so it works for neither. Join the right one anew with a fresh token.";
export const REMOVED = "This node was removed.";

const PROOF_WITHIN_MS = 10_000;
/** Before the proof nobody may make us read much. */
const FRAME_BYTES_MAX = 4_096;
const checkHello = createCheck(Hello);
const checkProof = createCheck(Proof);

/**
 * Challenge and response: both sides sign both nonces with their Ed25519 keys, so neither answer can be
 * replayed or relayed to another node. Closes the socket and gives undefined when the other side fails.
 */
export async function authenticateNode(
  socket: WebSocket,
  { identity, findNode, onOtherProtocol }: AuthenticationOptions,
): Promise<ProvedNode | undefined> {
  const hello = await readFrame(socket);
  if (!checkHello(hello)) return refuseNode(socket, "nodes.bad_frame", "A hello was expected.");
  if (hello.protocol !== NODE_PROTOCOL_VERSION) {
    onOtherProtocol(hello.node_id, hello.protocol);
    return refuseNode(
      socket,
      REFUSALS.protocol,
      `The agent speaks version ${hello.protocol}, this control plane ${NODE_PROTOCOL_VERSION}. Update ${
        hello.protocol < NODE_PROTOCOL_VERSION ? "the agent" : "the control plane"
      }.`,
    );
  }
  const nonce = randomBytes(32).toString("base64url");
  const textOf = (signer: "control-plane" | "node") =>
    Buffer.from(authenticationText(signer, hello.node_id, hello.nonce, nonce));
  const signature = sign(null, textOf("control-plane"), identity.privateKey).toString("base64url");
  const answer = readFrame(socket);
  sendFrame(socket, { type: "challenge", nonce, signature });
  const proof = await answer;
  const node = await findNode(hello.node_id);
  if (node?.credential === null && node.cloned_on !== null) {
    return refuseNode(socket, REFUSALS.cloned, CLONED);
  }
  const isProved =
    checkProof(proof) &&
    typeof node?.credential === "string" &&
    verify(null, textOf("node"), publicKeyOf(node.credential), Buffer.from(proof.signature, "base64url"));
  if (!isProved) {
    return refuseNode(
      socket,
      REFUSALS.unknown,
      "This node is not known here, or its credential was replaced.",
    );
  }
  if (node.removed_on !== null) return refuseNode(socket, REFUSALS.removed, REMOVED);
  return { node, proof };
}

/** @returns how long it is, in characters */
export function sendFrame(socket: WebSocket, frame: PlaneFrame): number {
  const text = JSON.stringify(frame);
  socket.send(text);
  return text.length;
}

/** Says why, and ends the connection. */
export function refuseNode(socket: WebSocket, code: string, detail: string): undefined {
  if (socket.readyState === socket.OPEN) sendFrame(socket, { type: "refused", code, detail });
  socket.close(1008, code);
  return undefined;
}

/** @returns undefined when none came in time, the socket closed, or it was no JSON of fit size */
function readFrame(socket: WebSocket): Promise<unknown> {
  return new Promise((resolve) => {
    const finish = (value: unknown) => {
      clearTimeout(timer);
      socket.off("message", onMessage).off("close", onClose);
      resolve(value);
    };
    const onClose = () => finish(undefined);
    const onMessage = (data: Buffer, isBinary: boolean) => {
      finish(isBinary || data.length > FRAME_BYTES_MAX ? undefined : parseJson(data));
    };
    const timer = setTimeout(onClose, PROOF_WITHIN_MS);
    socket.on("message", onMessage).on("close", onClose);
  });
}

export function parseJson(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString("utf8"));
  } catch {
    return undefined;
  }
}

function publicKeyOf(credential: string) {
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: credential }, format: "jwk" });
}
