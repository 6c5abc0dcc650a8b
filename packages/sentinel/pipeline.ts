import type { Clock } from "@securewave/foundation";
import type { FastifyPluginCallback } from "fastify";
import { fastifyPlugin } from "fastify-plugin";
import { type Blocklist, createBlocklistStep } from "./blocklist/index.ts";
import { type CorsOptions, createCorsStep } from "./cors/index.ts";
import { createHeadersStep, type HeadersOptions } from "./headers/index.ts";
import { createHostStep, type Hosts } from "./hosts/index.ts";
import { createLimitsStep, type LimitsOptions } from "./limits/index.ts";
import { createOriginStep, type Origin } from "./origins/index.ts";
import { createRateLimitStep, type RateLimitStepOptions } from "./rate-limit/index.ts";
import { createReputationStep, type Reputation } from "./reputation/index.ts";
import { inOrder, pluginOf, type Step } from "./step.ts";

/** What stands in front of every route. What is left out does not happen. */
export interface PipelineOptions {
  readonly clock: Clock;
  readonly originOf: (address: string) => Origin;
  readonly headers: HeadersOptions;
  readonly limits?: LimitsOptions;
  readonly hosts?: Hosts;
  readonly cors?: CorsOptions;
  readonly reputation?: Reputation;
  readonly blocklist?: Blocklist;
  readonly rateLimit?: RateLimitStepOptions;
}

/**
 * The order of the checks, and the only place that has it: headers first, so that refusals carry them too; then
 * what costs nothing to refuse; then who it is, who is shut out, and how much they ask. What depends on the route
 * (credentials, CSRF, limits of a caller, scopes, challenges) comes behind, in the route's own hooks.
 */
export function createPipeline(options: PipelineOptions): Step {
  const { clock, originOf, headers, limits, hosts, cors, reputation, blocklist, rateLimit } = options;
  const steps: (Step | undefined)[] = [
    createHeadersStep(headers),
    limits && createLimitsStep(limits),
    hosts && createHostStep(hosts),
    createOriginStep(originOf),
    cors && createCorsStep(cors),
    reputation && createReputationStep(reputation),
    blocklist && createBlocklistStep(blocklist, clock),
    rateLimit && createRateLimitStep(rateLimit),
  ];
  return inOrder(steps.filter((step) => step !== undefined));
}

/** The same as a plugin for the whole server: `app.register(sentinel(options))`. */
export function sentinel(options: PipelineOptions): FastifyPluginCallback {
  const plugin = pluginOf("pipeline", createPipeline(options));
  return fastifyPlugin(
    (app, _options, done) => {
      if (!app.hasRequestDecorator("origin")) app.decorateRequest("origin");
      app.register(plugin);
      done();
    },
    { name: "sentinel", fastify: "5.x" },
  );
}
