import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ArgumentFacts, CallFacts, FileFacts } from "@securewave/privacy/guard/source-facts";
import { parseSync } from "@swc/core";

/** A node of the syntax tree; which members it has depends on its type. */
type Node = Readonly<Record<string, unknown>>;

/** Reads what the catalogue's guard must know of a file of code. */
export function readSourceFacts(root: string, path: string): FileFacts {
  return sourceFactsOf(path, readFileSync(join(root, path), "utf8"));
}

export function sourceFactsOf(path: string, text: string): FileFacts {
  const tree: unknown = parseSync(text, {
    syntax: "typescript",
    tsx: path.endsWith(".tsx"),
    target: "esnext",
  });
  const names = new Map<string, unknown>();
  const imports = new Map<string, string[]>();
  const types = new Map<string, readonly string[]>();
  const lists = new Map<string, readonly string[]>();
  const calls: { callee: string; node: Node }[] = [];

  visit(tree, (node) => {
    if (node.type === "ImportDeclaration") addImport(imports, node);
    if (node.type === "VariableDeclarator") names.set(textOf(node.id), node.init);
    if (node.type === "TsInterfaceDeclaration") types.set(textOf(node.id), membersOfType(node.body, "body"));
    if (node.type === "TsTypeAliasDeclaration") addAlias(node, types, lists);
    if (node.type === "CallExpression" || node.type === "NewExpression") {
      const callee = pathOf(node.callee);
      if (callee !== "") calls.push({ callee, node });
    }
    // `options.fetch ?? fetch`
    if (node.type === "BinaryExpression" && pathOf(node.right) === "fetch")
      calls.push({ callee: "fetch", node });
  });
  for (const [name, value] of names) {
    const words = wordsOf(value);
    if (words.length > 0) lists.set(name, words);
  }
  const start = offsetOf(tree, "start");
  const bytes = Buffer.from(text);
  const lineOf = (node: Node) =>
    bytes
      .subarray(0, offsetOf(node, "start") - start)
      .toString()
      .split("\n").length;
  return {
    path,
    imports,
    headers: headersIn(tree),
    types,
    lists,
    calls: calls.map(
      ({ callee, node }): CallFacts => ({
        callee,
        line: lineOf(node),
        args: nodesIn(node.arguments).map((argument) => argumentOf(argument.expression, names)),
        typeMembers: typeMembersOf(node, types),
      }),
    ),
  };
}

function visit(value: unknown, see: (node: Node) => void): void {
  if (Array.isArray(value)) for (const each of value) visit(each, see);
  if (!isNode(value)) return;
  if (typeof value.type === "string") see(value);
  for (const inner of Object.values(value)) if (typeof inner === "object") visit(inner, see);
}

/** Names of headers that are set one by one, or stand in an object that is called so. */
function headersIn(tree: unknown): string[] {
  const names = new Set<string>();
  visit(tree, (node) => {
    if (node.type === "VariableDeclarator" && textOf(node.id) === "headers") addKeys(names, node.init);
    if (node.type === "KeyValueProperty" && textOf(node.key) === "headers") addKeys(names, node.value);
    if (
      node.type === "CallExpression" &&
      /(^|\.)headers\.(set|append)$|\.setHeader$/i.test(pathOf(node.callee))
    )
      names.add(textOf(nodesIn(node.arguments)[0]?.expression));
  });
  return [...names].filter(Boolean);
}

/** Names of an object that is written out, with those that are added on a condition. */
function addKeys(names: Set<string>, value: unknown): void {
  visit(value, (node) => {
    if (node.type === "KeyValueProperty") names.add(textOf(node.key).toLowerCase());
  });
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nodesIn(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** Of an identifier or a text. */
function textOf(value: unknown): string {
  return isNode(value) && typeof value.value === "string" ? value.value : "";
}

function offsetOf(value: unknown, end: "start" | "end"): number {
  const span = isNode(value) ? value.span : undefined;
  return isNode(span) ? Number(span[end]) : 0;
}

/** `a.b.c`, also by way of `?.` */
function pathOf(value: unknown): string {
  if (!isNode(value)) return "";
  if (value.type === "Identifier") return textOf(value);
  if (value.type === "OptionalChainingExpression") return pathOf(value.base);
  if (value.type !== "MemberExpression") return "";
  const object = pathOf(value.object);
  const property = textOf(value.property);
  return object === "" ? property : `${object}.${property}`;
}

function addImport(imports: Map<string, string[]>, node: Node): void {
  if (node.typeOnly === true) return;
  const values = nodesIn(node.specifiers).filter(({ isTypeOnly }) => isTypeOnly !== true);
  const names = values.map(
    (each) => textOf(each.imported) || (each.type === "ImportSpecifier" ? textOf(each.local) : "*"),
  );
  const from = textOf(node.source);
  imports.set(from, [...(imports.get(from) ?? []), ...names]);
}

function addAlias(
  node: Node,
  types: Map<string, readonly string[]>,
  lists: Map<string, readonly string[]>,
): void {
  const { typeAnnotation } = node;
  if (!isNode(typeAnnotation)) return;
  if (typeAnnotation.type === "TsTypeLiteral")
    types.set(textOf(node.id), membersOfType(typeAnnotation, "members"));
  if (typeAnnotation.type === "TsUnionType")
    lists.set(
      textOf(node.id),
      nodesIn(typeAnnotation.types)
        .map(({ literal }) => textOf(literal))
        .filter(Boolean),
    );
}

function membersOfType(value: unknown, list: "body" | "members"): string[] {
  return isNode(value)
    ? nodesIn(value[list])
        .map(({ key }) => textOf(key))
        .filter(Boolean)
    : [];
}

/** Words of `["a", "b"]` and names of `{ a: …, b: … }`, also within `new Set([…])` and `… as const`. */
function wordsOf(value: unknown): string[] {
  if (!isNode(value)) return [];
  if (value.type === "ArrayExpression")
    return nodesIn(value.elements)
      .map(({ expression }) => textOf(expression))
      .filter(Boolean);
  if (value.type === "ObjectExpression")
    return nodesIn(value.properties)
      .map(({ key }) => textOf(key))
      .filter(Boolean);
  if (value.type === "NewExpression") return wordsOf(nodesIn(value.arguments)[0]?.expression);
  return isNode(value.expression) ? wordsOf(value.expression) : [];
}

function argumentOf(value: unknown, names: ReadonlyMap<string, unknown>): ArgumentFacts {
  const members =
    isNode(value) && value.type === "ObjectExpression"
      ? nodesIn(value.properties)
          .map((each) => (each.type === "Identifier" ? textOf(each) : textOf(each.key)))
          .filter(Boolean)
      : [];
  return { texts: textsOf(value, names), members };
}

/** All that an expression can be, when that stands in the code: a text, a constant of the file, or one of two such. */
function textsOf(value: unknown, names: ReadonlyMap<string, unknown>): string[] | undefined {
  if (!isNode(value)) return undefined;
  if (value.type === "StringLiteral") return [textOf(value)];
  if (value.type === "Identifier") {
    const named = names.get(textOf(value));
    return named === value
      ? undefined
      : isNode(named) && named.type === "StringLiteral"
        ? [textOf(named)]
        : undefined;
  }
  if (value.type !== "ConditionalExpression") return undefined;
  const [one, other] = [textsOf(value.consequent, names), textsOf(value.alternate, names)];
  return one && other && [...one, ...other];
}

function typeMembersOf(
  node: Node,
  types: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  const first = isNode(node.typeArguments) ? nodesIn(node.typeArguments.params)[0] : undefined;
  if (first === undefined) return undefined;
  return first.type === "TsTypeLiteral" ? membersOfType(first, "members") : types.get(textOf(first.typeName));
}
