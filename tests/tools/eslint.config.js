// npx eslint@9 -c tests/tools/eslint.config.js turnchat/replay/page turnchat/check/formats/page
//
// The scripts of the replay page share one scope: each may use the top-level definitions of the
// others. Those of the checker are each for a page of its own.

const fs = require("node:fs");
const path = require("node:path");

const ROOT = path.join(__dirname, "..", "..");
const REPLAY = "turnchat/replay/page";
const CHECK = "turnchat/check/formats/page";
const DEFINES = /^(?:const|let|function|class) (?:\{ (.+?) \}|(\S+?))(?= =|\(|;| \{)/gm;
const BROWSER = [
  "ResizeObserver", "TextDecoder", "URLSearchParams", "clearInterval", "clearTimeout", "document",
  "DOMRect", "innerHeight", "innerWidth", "localStorage", "scrollX", "scrollY",
  "getComputedStyle", "history", "location", "matchMedia", "performance", "setInterval",
  "setTimeout", "window",
];

function scriptsOf(folder) {
  return fs.readdirSync(path.join(ROOT, folder)).filter((name) => name.endsWith(".js"));
}

function definedAtTop(name) {
  const script = fs.readFileSync(path.join(ROOT, REPLAY, name), "utf8");
  return [...script.matchAll(DEFINES)].flatMap(([, several, one]) => one ?? several.split(", "));
}

const shared = Object.fromEntries(scriptsOf(REPLAY).map((name) => [name, definedAtTop(name)]));

function readonly(names) {
  return Object.fromEntries(names.map((name) => [name, "readonly"]));
}

// The recommended rules of the eslint that runs this, wherever it is installed.
const main = require.main?.path ?? process.argv[1];
const js = require(require.resolve("@eslint/js", { paths: [fs.realpathSync(main), __dirname] }));

function settings(file, others) {
  return {
    files: [file],
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: "script",
      globals: readonly([...BROWSER, ...others]),
    },
    rules: {
      ...js.configs.recommended.rules,
      "no-unused-vars": ["error", { vars: others.length ? "local" : "all" }],
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "max-len": ["error", { code: 100 }],
    },
  };
}

function othersOf(name) {
  return Object.keys(shared).filter((other) => other !== name).flatMap((other) => shared[other]);
}

module.exports = [
  ...scriptsOf(REPLAY).map((name) => settings(`**/replay/page/${name}`, othersOf(name))),
  ...scriptsOf(CHECK).map((name) => settings(`**/formats/page/${name}`, [])),
];
