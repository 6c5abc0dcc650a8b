import { requestErrors } from "./requests.ts";
import { type Access, listRoutes, type RouteSpec, type RouteTree } from "./route.ts";
import { Problem } from "./schemas.ts";
import { sentinelErrors } from "./sentinel.ts";

const ACCESS_TEXT: Record<Access, string> = {
  anyone: "Anyone may call it.",
  account: "For any logged-in account, about its own data.",
  staff: "For support agents and admins.",
  admin: "For admins.",
  node: "For VPN servers.",
};

/**
 * Describes a tree of routes as an OpenAPI 3.1 document. The schemas stand in it as they are, since both
 * are JSON Schema 2020-12.
 *
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export function describeApi(
  tree: RouteTree,
  info: { title: string; version: string; description: string },
): object {
  const routes = listRoutes(tree);
  const paths: Record<string, Record<string, object>> = {};
  for (const { name, route } of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: describeRoute(name, route) };
  }
  return {
    openapi: "3.1.0",
    info,
    servers: [{ url: "/" }],
    tags: [...new Set(routes.map(({ route }) => route.tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas: { Problem },
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "An access token (JWT), or an API key (`swk_…`) where the operation names a scope",
        },
        cookie: {
          type: "apiKey",
          in: "cookie",
          name: "securewave_session",
          description: "A browser's session; what changes something needs its X-CSRF-Token too",
        },
      },
    },
  };
}

function describeRoute(name: string, route: RouteSpec): object {
  const { success, params, query, body } = route;
  const content =
    success.status === 204
      ? {}
      : { content: { [success.contentType ?? "application/json"]: { schema: success.schema } } };
  return {
    operationId: name,
    tags: [route.tag],
    summary: route.summary,
    description: [ACCESS_TEXT[route.access], ...scopeText(route)].join(" "),
    "x-access": route.access,
    ...(route.scope ? { "x-scope": route.scope } : {}),
    ...(route.access === "anyone" ? {} : { security: [{ bearer: [] }, { cookie: [] }] }),
    parameters: [...parametersOf("path", params), ...parametersOf("query", query)],
    ...(body ? { requestBody: { required: true, content: { "application/json": { schema: body } } } } : {}),
    responses: {
      [success.status]: { description: "Success", ...content },
      ...describeErrors(route),
      ...Object.fromEntries(
        (success.alsoWith ?? []).map((status) => [status, { description: "Not well", ...content }]),
      ),
    },
  };
}

function scopeText({ access, scope }: RouteSpec): string[] {
  if (scope) return [`API keys need the scope \`${scope}\`.`];
  return access === "anyone" ? [] : ["API keys may not call it."];
}

function parametersOf(place: "path" | "query", schema: object | undefined): object[] {
  if (!schema || !("properties" in schema)) return [];
  const required = "required" in schema && Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(schema.properties as Record<string, object>).map(([name, property]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: property,
  }));
}

/** Refusals by status: several codes can share one. */
function describeErrors(route: RouteSpec): Record<string, object> {
  const common = [
    requestErrors.invalid,
    requestErrors.malformedJson,
    sentinelErrors.tooManyRequests,
    sentinelErrors.blocked,
    ...(route.access === "anyone" ? [] : [requestErrors.notLoggedIn, sentinelErrors.forgedRequest]),
    ...(route.scope ? [sentinelErrors.scopeMissing] : []),
    ...(route.access === "staff" || route.access === "admin" ? [requestErrors.notAllowed] : []),
  ];
  const byStatus = Map.groupBy([...common, ...route.errors], ({ status }) => status);
  return Object.fromEntries(
    [...byStatus].map(([status, refusals]) => [
      String(status),
      {
        description: refusals.map(({ code, message }) => `\`${code}\`: ${message}`).join("\n\n"),
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    ]),
  );
}
