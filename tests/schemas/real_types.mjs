/**
 * Reads the endpoint types of @fal-ai/client with TypeScript's own parser and writes them as schemas:
 * `node real_types.mjs FOLDER` puts `endpoints.json` there, `{schemas, endpoints: {id: [input, output]}, unread}`.
 */
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const folder = resolve(process.argv[2]);
const js = resolve(import.meta.dirname, "../../js");
const require = createRequire(join(js, "package.json"));
const from = async (name) => import(pathToFileURL(require.resolve(name)).href);
const { API } = await from("typescript/unstable/sync");
const { SyntaxKind } = await from("typescript/unstable/ast");

const unread = [];

/** A type as JSON Schema; what this knows no words for is told of and stands for anything. */
function schemaOf(type, where) {
  switch (type.kind) {
    case SyntaxKind.StringKeyword:
      return { type: "string" };
    case SyntaxKind.NumberKeyword:
      return { type: "number" };
    case SyntaxKind.BooleanKeyword:
      return { type: "boolean" };
    case SyntaxKind.VoidKeyword:
      return { type: "null" };
    case SyntaxKind.AnyKeyword:
    case SyntaxKind.UnknownKeyword:
      return {};
    case SyntaxKind.LiteralType:
      return literal(type.literal, where);
    case SyntaxKind.ParenthesizedType:
      return schemaOf(type.type, where);
    case SyntaxKind.ArrayType:
      return { type: "array", items: schemaOf(type.elementType, where) };
    case SyntaxKind.UnionType:
      return union([...type.types], where);
    case SyntaxKind.TypeLiteral:
      return objectOf(type, where);
    case SyntaxKind.TypeReference:
      return reference(type, where);
    default:
      return unknown(type, where);
  }
}

function unknown(node, where) {
  unread.push(`${where}: ${node.getText?.() ?? SyntaxKind[node.kind]}`);
  return {};
}

function literal(node, where) {
  if (node.kind === SyntaxKind.StringLiteral) return { enum: [node.text] };
  if (node.kind === SyntaxKind.NumericLiteral) return { enum: [Number(node.text)] };
  if (node.kind === SyntaxKind.TrueKeyword || node.kind === SyntaxKind.FalseKeyword) {
    return { enum: [node.kind === SyntaxKind.TrueKeyword] };
  }
  return node.kind === SyntaxKind.NullKeyword ? { type: "null" } : unknown(node, where);
}

/** `string | Blob | File` is what the client uploads; several literals are one choice. */
function union(types, where) {
  const names = types.map((type) => (type.kind === SyntaxKind.TypeReference ? type.typeName.text : ""));
  if (names.includes("Blob")) {
    const rest = types.filter(
      (type, at) => type.kind !== SyntaxKind.StringKeyword && !["Blob", "File"].includes(names[at]),
    );
    const file = { type: "string", format: "uri" };
    return rest.length === 0 ? file : { anyOf: [file, ...rest.map((type) => schemaOf(type, where))] };
  }
  const options = types.map((type) => schemaOf(type, where));
  const values = options.filter((option) => option.enum).flatMap((option) => option.enum);
  const others = options.filter((option) => !option.enum);
  const all = values.length > 0 ? [...others, { enum: values }] : others;
  return all.length === 1 ? all[0] : { anyOf: all };
}

function objectOf(type, where) {
  const properties = {};
  const required = [];
  for (const member of type.members) {
    const name = member.name?.text;
    if (member.kind !== SyntaxKind.PropertySignature || name === undefined || !member.type) {
      unknown(member, where);
      continue;
    }
    properties[name] = { ...schemaOf(member.type, `${where}.${name}`), ...words(member) };
    if (!isOptional(member)) required.push(name);
  }
  return { type: "object", properties, required };
}

function isOptional(member) {
  return (member.questionToken ?? member.postfixToken)?.kind === SyntaxKind.QuestionToken;
}

/** What the comment before a member says: its words, and the default they end with. */
function words(member) {
  const comment = /\/\*\*([\s\S]*?)\*\//.exec(text.slice(member.pos, member.end))?.[1];
  if (!comment) return {};
  const description = comment.replace(/^\s*\* ?/gm, "").trim();
  const found = /Default value: `([\s\S]*)`$/.exec(description);
  if (!found) return { description };
  try {
    return { description, default: JSON.parse(found[1]) };
  } catch {
    // The names of choices stand there without quotes, objects as what JavaScript makes of them.
    return /^[\w.:-]+$/.test(found[1]) ? { description, default: found[1] } : { description };
  }
}

function reference(type, where) {
  const name = type.typeName.text;
  const [inner, value] = type.typeArguments ?? [];
  if (name === "Array") return { type: "array", items: schemaOf(inner, where) };
  if (name === "Record") {
    const others = value.kind === SyntaxKind.NeverKeyword ? false : schemaOf(value, where);
    return { type: "object", properties: {}, additionalProperties: others };
  }
  if (name in declared) return { $ref: `#/components/schemas/${name}` };
  return unknown(type, where);
}

const file = join(js, "node_modules/@fal-ai/client/src/types/endpoints.d.ts");
const config = join(folder, "tsconfig.json");
writeFileSync(config, JSON.stringify({ files: [file], compilerOptions: { noLib: true, types: [] } }));
const api = new API();
const source = api.updateSnapshot({ openProjects: [config] }).getProject(config).program.getSourceFile(file);
const text = source.text;
const declared = Object.fromEntries(
  source.statements
    .filter((statement) => statement.kind === SyntaxKind.TypeAliasDeclaration)
    .map((statement) => [statement.name.text, statement.type]),
);
const { EndpointTypeMap: map, ...types } = declared;
const schemas = Object.fromEntries(
  Object.entries(types).map(([name, type]) => [name, schemaOf(type, name)]),
);
const endpoints = Object.fromEntries(
  map.members.map((entry) => {
    const parts = objectOf(entry.type, entry.name.text).properties;
    return [entry.name.text, [parts.input, parts.output]];
  }),
);
writeFileSync(join(folder, "endpoints.json"), JSON.stringify({ schemas, endpoints, unread }));
api.close();
