// Renders one template for several settings, with stand-ins for the helpers that upstream's own engine adds to Handlebars.
//
//   node render.js MODULES < {"template": "...", "settings": [{...}, ...]}   prints a JSON list of texts
//
// Only what ends up in the text matters here: a stand-in prints some value of the right form where upstream asks the
// machine (reserved CPU and memory).
"use strict";

const path = require("path");
const Handlebars = require(path.join(process.argv[2], "node_modules", "handlebars"));

const given = (value) => value !== undefined && value !== null;

// Upstream's engine prints a list as [a, b]; JavaScript would leave the brackets out.
class List extends Array {
  toString() {
    return `[${this.join(", ")}]`;
  }
}

function listed(value) {
  if (Array.isArray(value)) return List.from(value.map(listed));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, listed(inner)]));
}

const helpers = {
  default: (fallback, value) => (given(value) ? value : fallback),
  any_enabled: (map) => Object.values(map || {}).some((entry) => entry.enabled),
  eq: (left, right) => left === right,
  and: (left, right) => Boolean(left) && Boolean(right),
  join_array: (separator, list) => (list || []).join(separator),
  join_map: (inner, outer, _missing, map) =>
    Object.entries(map || {}).map(([key, value]) => key + inner + value).join(outer),
  join_node_taints: (taints) =>
    Object.entries(taints || {}).map(([key, values]) => values.map((value) => `${key}=${value}`).join(",")).join(","),
  kube_reserve_cpu: (value) => (given(value) ? value : "70m"),
  kube_reserve_memory: (pods, value) => (given(value) ? value : `${255 + 11 * Number(pods)}Mi`),
  if_not_null(value, options) {
    return given(value) ? options.fn(this) : options.inverse(this);
  },
};

const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
const engine = Handlebars.create();
for (const [name, helper] of Object.entries(helpers)) engine.registerHelper(name, helper);
const template = engine.compile(input.template, { noEscape: true });
process.stdout.write(JSON.stringify(input.settings.map((settings) => template({ settings: listed(settings) }))));
