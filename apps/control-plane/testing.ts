export {
  codeOf,
  openTestApp,
  PASSWORD,
  type Person,
  type RawAnswer,
  type TestApp,
} from "./testing/app.ts";
export {
  connectNode,
  createFakeNode,
  type FakeNode,
  joinNode,
  type NodeIdentity,
  openAgentSocket,
  signFor,
  useJoinToken,
} from "./testing/fake-node.ts";
