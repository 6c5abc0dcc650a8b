import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from "fastify";
import { fastifyPlugin } from "fastify-plugin";

/**
 * One check in front of a route: throws a refusal to stop the request; returns a promise only where it must wait.
 * One that answers by itself returns the reply, as a promise, so that nothing goes on before the answer is out.
 */
export type Step = (request: FastifyRequest, reply: FastifyReply) => void | Promise<void>;

/** Makes a plugin of a step, for services that use it alone. */
export function pluginOf(name: string, step: Step): FastifyPluginCallback {
  return fastifyPlugin(
    (app, _options, done) => {
      app.addHook("onRequest", hookOf(step));
      done();
    },
    { name: `sentinel-${name}`, fastify: "5.x" },
  );
}

/** Makes one step of several, run in the order given. What need not wait does not. */
export function inOrder(steps: readonly Step[]): Step {
  async function waitAndGoOn(
    waiting: Promise<void>,
    next: number,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    await waiting;
    for (const step of steps.slice(next)) {
      if (reply.sent) return;
      await step(request, reply);
    }
  }
  return (request, reply) => {
    for (let at = 0; at < steps.length; at++) {
      const waiting = steps[at]?.(request, reply);
      if (waiting) return waitAndGoOn(waiting, at + 1, request, reply);
      if (reply.sent) return undefined; // a preflight is answered
    }
    return undefined;
  };
}

/** Runs a step as Fastify's callback hook, which costs nothing where the step need not wait. */
export function hookOf(step: Step) {
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    let waiting: void | Promise<void>;
    try {
      waiting = step(request, reply);
    } catch (thrown) {
      done(errorOf(thrown));
      return;
    }
    if (waiting) {
      waiting.then(
        () => reply.sent || done(),
        (thrown) => done(errorOf(thrown)),
      );
    } else if (!reply.sent) done();
  };
}

/** `done(undefined)` would let the request through. */
function errorOf(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error("a step threw what is no error");
}
