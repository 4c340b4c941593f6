// npx eslint@9 -c tests/tools/eslint.config.js turnchat/replay/page
//
// The scripts of the page share one scope: each may use the top-level definitions of the others.

const fs = require("node:fs");
const path = require("node:path");

const FOLDER = path.join(__dirname, "..", "..", "turnchat", "replay", "page");
const DEFINES = /^(?:const|let|function|class) (?:\{ (.+?) \}|(\S+?))(?= =|\(|;| \{)/gm;
const BROWSER = [
  "ResizeObserver", "TextDecoder", "URLSearchParams", "clearInterval", "clearTimeout", "document",
  "getComputedStyle", "history", "location", "matchMedia", "performance", "setInterval",
  "setTimeout", "window",
];

function definedAtTop(name) {
  const script = fs.readFileSync(path.join(FOLDER, name), "utf8");
  return [...script.matchAll(DEFINES)].flatMap(([, several, one]) => one ?? several.split(", "));
}

const scripts = fs.readdirSync(FOLDER).filter((name) => name.endsWith(".js"));
const shared = Object.fromEntries(scripts.map((name) => [name, definedAtTop(name)]));

function readonly(names) {
  return Object.fromEntries(names.map((name) => [name, "readonly"]));
}

// The recommended rules of the eslint that runs this, wherever it is installed.
const main = require.main?.path ?? process.argv[1];
const js = require(require.resolve("@eslint/js", { paths: [fs.realpathSync(main), __dirname] }));

module.exports = scripts.map((name) => ({
  files: [`**/page/${name}`],
  languageOptions: {
    ecmaVersion: 2022,
    sourceType: "script",
    globals: readonly([
      ...BROWSER,
      ...scripts.filter((other) => other !== name).flatMap((other) => shared[other]),
    ]),
  },
  rules: {
    ...js.configs.recommended.rules,
    "no-unused-vars": ["error", { vars: "local" }],
    eqeqeq: "error",
    "no-var": "error",
    "prefer-const": "error",
    "max-len": ["error", { code: 100 }],
  },
}));
