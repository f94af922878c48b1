"use strict";
// The page for a model: everything on it is made from GET schema. Addresses are relative to <base>, so that it works
// behind any stage and domain. Text of the model and of its answers is never read as HTML.

const MAX_SHOWN = 200;
const SECRETS = {
  api_key: ["API key", (secret) => ({ "x-api-key": secret })],
  jwt: ["Bearer token", (secret) => ({ Authorization: "Bearer " + secret.replace(/^Bearer /i, "") })],
  cognito: ["ID token", (secret) => ({ Authorization: secret })],
};
const at = (id) => document.getElementById(id);
const here = (path) => new URL(path, document.baseURI).href;

let schema = null;
let credential = {};
let language = "curl";
let last = { body: "{}", type: "application/json", file: "" };

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// The schema

async function load() {
  const answer = await fetch(here("schema"), { headers: credential });
  if (answer.status === 401 || answer.status === 403) return askForCredential(Object.keys(credential).length > 0);
  schema = answer.ok ? await answer.json() : { "x-kind": "json", title: "Model", examples: [{ data: [[1, 2]] }] };
  at("credential").hidden = true;
  at("ask").hidden = false;
  show();
}

function askForCredential(wrong) {
  const known = SECRETS[document.body.dataset.auth];
  at("credential").hidden = false;
  at("credential-error").textContent = wrong ? "This is not accepted." : "";
  if (!known) {
    at("credential-error").textContent = "Requests to this API are signed with AWS keys: use an AWS SDK or curl.";
    at("secret").disabled = true;
    return;
  }
  at("secret-label").textContent = known[0];
  at("secret").focus();
}

at("credential").addEventListener("submit", (event) => {
  event.preventDefault();
  credential = SECRETS[document.body.dataset.auth][1](at("secret").value.trim());
  start();
});

// The form

const kinds = (item) => [].concat(item.type ?? []);
const nullable = (item) => !item.type || kinds(item).includes("null");
const features = () =>
  schema.properties
    ? Object.entries(schema.properties)
    : (schema.prefixItems ?? []).map((item, index) => [String(index), item]);

function show() {
  document.title = at("title").textContent = schema.title ?? "Model";
  at("about").textContent = schema.description ?? "";
  const kind = schema["x-kind"];
  at("fields").className = kind === "table" ? "" : "wide";
  if (kind === "table") features().forEach(([name, item], index) => at("fields").append(field(name, item, index)));
  if (kind === "json") at("fields").append(jsonField());
  at("body").hidden = kind === "binary";
  showMethods();
  showDrop(kind);
  showTabs();
  refresh();
}

function field(name, item, index) {
  const id = "field-" + index;
  const control = controlOf(item);
  control.id = id;
  control.dataset.name = name;
  control.setAttribute("aria-describedby", id + "-hint " + id + "-error");
  if (!nullable(item) && control.type !== "checkbox") control.required = true;
  const label = make("label", { htmlFor: id, textContent: item.title ?? name });
  const hint = make("small", { id: id + "-hint", textContent: hintOf(item) });
  const error = make("span", { id: id + "-error", className: "error" });
  const check = control.type === "checkbox";
  const parts = check ? [control, label, hint, error] : [label, control, hint, error];
  return make("div", { className: check ? "field check" : "field" }, ...parts);
}

function controlOf(item) {
  const example = item.examples?.[0] ?? item.default;
  if (item.enum) return choice(item, example);
  const numeric = kinds(item).some((kind) => kind === "number" || kind === "integer");
  const textual = kinds(item).includes("string");
  if (kinds(item).includes("boolean") && !numeric && !textual) return make("input", { type: "checkbox", checked: example === true });
  if (numeric && !textual) {
    const bounds = { min: item.minimum ?? "", max: item.maximum ?? "" };
    return make("input", { type: "number", step: "any", inputMode: "decimal", ...bounds, value: example ?? "" });
  }
  if (item.format === "date") return make("input", { type: "date", value: example ?? "" });
  if (item.format === "date-time") {
    return make("input", { type: "datetime-local", step: "1", value: String(example ?? "").slice(0, 19) });
  }
  const long = String(example ?? "").length > 40;
  return make(long ? "textarea" : "input", { value: example ?? "" });
}

function choice(item, example) {
  const select = make("select");
  for (const value of item.enum) {
    const text = value === null ? "(missing)" : String(value);
    select.append(make("option", { value: JSON.stringify(value), textContent: text, selected: value === example }));
  }
  return select;
}

function hintOf(item) {
  const all = kinds(item);
  const shown = all.filter((kind) => kind !== "null" && !(kind === "boolean" && all.includes("number")));
  const range = item.minimum !== undefined || item.maximum !== undefined
    ? `from ${item.minimum ?? "any"} to ${item.maximum ?? "any"}` : "";
  const kind = item.enum ? "" : item.format ?? shown.join(" or ");
  const parts = [item.description, kind, range, nullable(item) ? "may be empty" : ""];
  return parts.filter(Boolean).join(", ");
}

function jsonField() {
  const example = schema.examples?.[0] ?? {};
  const area = make("textarea", { id: "field-0", rows: 10, value: JSON.stringify(example, null, 2) });
  const label = make("label", { htmlFor: "field-0", textContent: "JSON" });
  return make("div", { className: "field" }, label, area, make("span", { id: "field-0-error", className: "error" }));
}

function showMethods() {
  const methods = schema["x-methods"] ?? [];
  at("method-label").hidden = methods.length < 2;
  at("method").replaceChildren(...methods.map((name) => make("option", { value: name, textContent: name })));
}

function showDrop(kind) {
  at("drop").hidden = kind === "json";
  const types = schema["x-media-types"] ?? [];
  at("file").accept = kind === "binary" ? types.join(",") : ".csv,text/csv";
  at("drop-label").textContent = kind === "binary"
    ? `Drop a file here, or choose one (${types.join(", ") || "any type"})`
    : "Or drop a CSV file here, or choose one: each line gets a prediction";
}

function valueOf(control, item) {
  if (control.type === "checkbox") return control.checked;
  if (control.tagName === "SELECT") return JSON.parse(control.value);
  const text = control.value;
  if (text === "" && nullable(item)) return null;
  if (control.type === "number") return text === "" ? null : Number(text);
  // A feature that may be either is a number where it looks like one.
  if (kinds(item).includes("number") && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  return text;
}

function bodyOfForm() {
  if (schema["x-kind"] === "json") return at("field-0").value;
  const cells = features().map(([name, item], index) => [name, valueOf(at("field-" + index), item)]);
  const row = schema.properties ? Object.fromEntries(cells) : cells.map(([, value]) => value);
  const method = at("method").value;
  const other = method && method !== schema["x-methods"][0] ? { method } : {};
  return JSON.stringify({ data: [row], ...other });
}

// Requests

async function predict(body, type) {
  const answer = await fetch(here("predict"), {
    method: "POST",
    headers: { "Content-Type": type, Accept: "application/json", ...credential },
    body,
  });
  const text = await answer.text();
  let content = text;
  try { content = JSON.parse(text); } catch { /* shown as it is */ }
  return { ok: answer.ok, status: answer.status, content };
}

at("body").addEventListener("input", refresh);
at("body").addEventListener("submit", async (event) => {
  event.preventDefault();
  const body = bodyOfForm();
  last = { body, type: "application/json", file: "" };
  await busy(async () => {
    const answer = await predict(body, last.type);
    if (!answer.ok) return showProblem(answer);
    const methods = schema["x-methods"] ?? [];
    const first = at("method").value === "" || at("method").value === methods[0];
    const more = first && methods.includes("predict_proba")
      ? await predict(JSON.stringify({ ...JSON.parse(body), method: "predict_proba" }), last.type) : null;
    showAnswer(answer.content, more?.ok ? more.content : null);
  });
});

async function busy(work) {
  clearErrors();
  at("send").disabled = true;
  at("result").hidden = false;
  at("answer").replaceChildren("...");
  try {
    await work();
  } catch (error) {
    showProblem({ status: 0, content: { detail: "There is no answer: " + error.message } });
  } finally {
    at("send").disabled = false;
    refresh();
  }
}

function clearErrors() {
  at("error").textContent = "";
  for (const marked of document.querySelectorAll("[aria-invalid]")) marked.removeAttribute("aria-invalid");
  for (const error of document.querySelectorAll(".field .error")) error.textContent = "";
}

function showProblem({ status, content }) {
  at("answer").replaceChildren();
  const detail = content?.detail ?? content?.message ?? String(content);
  at("error").textContent = status ? `${status}: ${detail}` : detail;
  const controls = [];
  for (const { pointer, detail } of content?.errors ?? []) {
    const index = indexOf(pointer);
    if (index === -1) continue;
    at("field-" + index).setAttribute("aria-invalid", "true");
    at(`field-${index}-error`).textContent = detail;
    controls.push(at("field-" + index));
  }
  (controls[0] ?? at("result")).focus();
}

function indexOf(pointer) {
  const step = pointer.split("/").at(-1).replaceAll("~1", "/").replaceAll("~0", "~");
  if (schema["x-kind"] === "json") return 0;
  return features().findIndex(([name]) => name === step);
}

// Answers

function showAnswer(content, probabilities) {
  const predictions = content?.predictions;
  if (!Array.isArray(predictions)) return at("answer").replaceChildren(make("pre", {}, JSON.stringify(content, null, 2)));
  const [value] = predictions;
  const bars = probabilities?.predictions?.[0] ?? (at("method").value === "predict_proba" ? value : null);
  const parts = at("method").value === "predict_proba" ? [] : [make("p", { className: "value", textContent: text(value) })];
  if (Array.isArray(bars) && bars.every((share) => typeof share === "number")) parts.push(barsOf(bars));
  else if (bars) parts.push(make("pre", {}, JSON.stringify(bars)));
  at("answer").replaceChildren(...parts);
  at("result").focus({ preventScroll: false });
}

const text = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

function barsOf(shares) {
  const labels = schema["x-output"]?.enum ?? shares.map((_, index) => index);
  const list = make("dl", { className: "bars" });
  shares.forEach((share, index) => {
    const label = text(labels[index] ?? index);
    const meter = make("meter", { min: 0, max: 1, value: share, textContent: share.toFixed(3) });
    meter.setAttribute("aria-label", label);
    list.append(make("dt", { textContent: label }), make("dd", {}, meter), make("dd", { textContent: percent(share) }));
  });
  return list;
}

const percent = (share) => (share * 100).toFixed(1) + " %";

// Files

at("file").addEventListener("change", () => at("file").files[0] && send(at("file").files[0]));
for (const name of ["dragover", "dragleave", "drop"]) {
  at("drop").addEventListener(name, (event) => {
    event.preventDefault();
    at("drop").classList.toggle("over", name === "dragover");
    if (name === "drop" && event.dataTransfer.files[0]) send(event.dataTransfer.files[0]);
  });
}

async function send(file) {
  const picture = schema["x-kind"] === "binary";
  const type = picture ? file.type || "application/octet-stream" : "text/csv";
  last = { body: "", type, file: file.name };
  await busy(async () => {
    const answer = await predict(await file.arrayBuffer(), type);
    if (!answer.ok) return showProblem(answer);
    if (picture) return showPicture(file, answer.content);
    showTable(rowsOf(await file.text()), answer.content.predictions);
  });
  at("file").value = "";
}

function showPicture(file, content) {
  const shown = make("pre", {}, typeof content === "string" ? content : JSON.stringify(content, null, 2));
  const parts = [shown];
  const shares = Object.entries(content ?? {}).filter(([, value]) => typeof value === "number" && value >= 0 && value <= 1);
  if (shares.length > 1) {
    const list = make("dl", { className: "bars" });
    for (const [label, share] of shares) {
      const meter = make("meter", { min: 0, max: 1, value: share });
      meter.setAttribute("aria-label", label);
      list.append(make("dt", { textContent: label }), make("dd", {}, meter), make("dd", { textContent: percent(share) }));
    }
    parts.unshift(list);
  }
  if (file.type.startsWith("image/")) {
    parts.unshift(make("img", { className: "preview", alt: file.name, src: URL.createObjectURL(file) }));
  }
  at("answer").replaceChildren(...parts);
}

// RFC 4180: quoted cells may hold separators, line ends and doubled quotes.
function rowsOf(csv) {
  const rows = [[]];
  const cells = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|$)/g;
  for (const [whole, cell, end] of csv.replace(/^\ufeff/, "").replace(/\r?\n$/, "").matchAll(cells)) {
    if (whole === "" && rows.at(-1).length === 0) break;
    rows.at(-1).push(cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell);
    if (end === "") break;
    if (end !== ",") rows.push([]);
  }
  return rows;
}

function showTable(rows, predictions) {
  const header = rows.length > predictions.length ? rows.shift() : features().map(([name]) => name);
  const names = [...header, "prediction"];
  const head = make("tr", {}, ...names.map((name) => make("th", { scope: "col", textContent: name })));
  const lines = rows.slice(0, MAX_SHOWN).map((row, index) => make("tr", {},
    ...row.map((cell) => make("td", { textContent: cell })),
    make("td", { className: "prediction", textContent: text(predictions[index]) })));
  const csv = [names, ...rows.map((row, index) => [...row, text(predictions[index])])];
  const file = new Blob([csv.map((row) => row.map(quoted).join(",")).join("\n") + "\n"], { type: "text/csv" });
  const link = make("a", { href: URL.createObjectURL(file), download: "predictions.csv", textContent: "Download as CSV" });
  const count = `${predictions.length} predictions` + (rows.length > MAX_SHOWN ? `, the first ${MAX_SHOWN} shown` : "");
  const table = make("table", {}, make("caption", { textContent: count }), make("thead", {}, head), make("tbody", {}, ...lines));
  at("answer").replaceChildren(make("p", {}, link), make("div", { className: "scroll", tabIndex: 0 }, table));
}

const quoted = (cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);

// The request in other languages

const LANGUAGES = {
  curl: ({ body, type, file }) => [
    `curl ${shell(here("predict"))} \\`,
    ...Object.keys(credential).map((name) => `  -H ${shell(name + ": YOUR-KEY")} \\`),
    `  -H ${shell("Content-Type: " + type)} \\`,
    file ? `  --data-binary ${shell("@" + file)}` : `  -d ${shell(body)}`,
  ].join("\n"),
  Python: ({ body, type, file }) => [
    "import requests", "",
    `headers = ${python({ "Content-Type": type, ...masked() })}`,
    file ? `data = open(${JSON.stringify(file)}, "rb")` : `data = ${JSON.stringify(body)}`,
    `answer = requests.post(${JSON.stringify(here("predict"))}, data=data, headers=headers, timeout=30)`,
    "answer.raise_for_status()", file ? "print(answer.text)" : "print(answer.json())",
  ].join("\n"),
  JavaScript: ({ body, type, file }) => [
    `const answer = await fetch(${JSON.stringify(here("predict"))}, {`,
    '  method: "POST",', `  headers: ${JSON.stringify({ "Content-Type": type, ...masked() })},`,
    file ? "  body: file, // a File or Blob" : `  body: ${JSON.stringify(body)},`, "});", "console.log(await answer.json());",
  ].join("\n"),
};
const shell = (value) => "'" + value.replaceAll("'", "'\\''") + "'";
const python = (value) => JSON.stringify(value);
const masked = () => Object.fromEntries(Object.keys(credential).map((name) => [name, "YOUR-KEY"]));

function showTabs() {
  at("tabs").replaceChildren(...Object.keys(LANGUAGES).map((name) => {
    const tab = make("button", { type: "button", textContent: name, onclick: () => { language = name; refresh(); } });
    tab.setAttribute("role", "tab");
    return tab;
  }));
}

function refresh() {
  if (schema === null) return;
  if (!last.file && schema["x-kind"] !== "binary") last = { body: bodyOfForm(), type: "application/json", file: "" };
  const shown = schema["x-kind"] === "binary" && !last.file
    ? { body: "", type: schema["x-media-types"]?.[0] ?? "application/octet-stream", file: "FILE" } : last;
  at("snippet").textContent = LANGUAGES[language](shown);
  for (const tab of at("tabs").children) tab.setAttribute("aria-selected", String(tab.textContent === language));
}

at("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(at("snippet").textContent);
  at("copy").textContent = "Copied";
});

async function start() {
  try {
    await load();
  } catch (error) {
    at("credential").hidden = false;
    at("credential-error").textContent = "The API does not answer: " + error.message;
  }
}

start();
