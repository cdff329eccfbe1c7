// The script of the page of the API: a filter over the contents, tabs that agree, copies,
// and requests from the page. The page is whole without it. It keeps the key of requests in
// memory alone, and two choices of the reader in the browser's storage.

const root = new URL("..", import.meta.url); // the server, also below a prefix of a proxy
const most = 1 << 20; // characters of an answer that are shown

const find = (selector, within = document) => within.querySelector(selector);
const findAll = (selector, within = document) => [...within.querySelectorAll(selector)];

// make returns an element with properties, or attributes of that name, and children.
function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

const stored = {
  read(name) { try { return localStorage.getItem("bucketlite docs " + name); } catch { return null; } },
  write(name, value) { try { localStorage.setItem("bucketlite docs " + name, value); } catch { /* none */ } },
};

const operations = findAll("article").filter((article) => find(".method", article));
const methodOf = (article) => find(".method", article).textContent;
const pathOf = (article) => find(".address code", article).textContent;

// The contents: a filter, and a mark at the operation in view.

function addFilter() {
  const nav = find("nav");
  const input = make("input", { type: "search", id: "filter", placeholder: "Filter", ariaLabel: "Filter the contents", autocomplete: "off" });
  const keys = make("input", { type: "checkbox", checked: stored.read("keys") !== "off" });
  const status = make("p", { role: "status", className: "soft" });
  keys.addEventListener("change", () => stored.write("keys", keys.checked ? "on" : "off"));
  find(".brand").after(make("div", { className: "filter" }, input, make("label", {}, keys, "/ moves here"), status));

  const links = findAll("ul ul a", nav).map((link) => {
    const article = document.getElementById(link.hash.slice(1));
    return { item: link.parentElement, text: [link.textContent, methodOf(article), pathOf(article)].join(" ").toLowerCase() };
  });
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    nav.classList.toggle("filtered", words.length > 0);
    let count = 0;
    for (const { item, text } of links) {
      item.hidden = !words.every((word) => text.includes(word));
      if (!item.hidden) count++;
    }
    for (const chapter of findAll(":scope > ul > li", nav)) chapter.hidden = words.length > 0 && !find("li:not([hidden])", chapter);
    status.textContent = words.length > 0 ? `${count} of ${links.length}` : "";
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") find("ul ul li:not([hidden]) a", nav)?.click();
    if (event.key === "Escape") {
      input.value = "";
      input.dispatchEvent(new Event("input"));
    }
  });
  document.addEventListener("keydown", (event) => {
    const inside = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || inside || !keys.checked || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
  });
}

function markCurrent() {
  const links = new Map(findAll("nav ul ul a").map((link) => [link.hash.slice(1), link]));
  let current;
  const observer = new IntersectionObserver((entries) => {
    const link = links.get(entries.findLast((entry) => entry.isIntersecting)?.target.id);
    if (!link || link === current) return;
    current?.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    current = link;
    const nav = find("nav");
    const { top, bottom } = link.getBoundingClientRect();
    if (nav.scrollHeight > nav.clientHeight && (top < 0 || bottom > innerHeight)) nav.scrollTop += top - innerHeight / 2;
  }, { rootMargin: "-10% 0px -80% 0px" });
  for (const article of operations) observer.observe(article);
}

// Each parameter has an address, which its name links to.
function addAnchors() {
  for (const article of operations) {
    for (const term of findAll(":scope > div > dl.fields > dt", article)) {
      term.id = `${article.id}.${term.textContent}`;
      term.replaceChildren(make("a", { href: "#" + term.id }, ...term.childNodes));
    }
  }
  if (location.hash.includes(".")) document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
}

// Samples: all show the language that was chosen last.

let language = "curl";

function choose(name, clicked) {
  const top = clicked?.getBoundingClientRect().top;
  language = name;
  for (const details of findAll(".samples > details")) {
    if (find("summary", details).textContent === name) details.open = true; // which closes the others
  }
  if (clicked) scrollBy(0, clicked.getBoundingClientRect().top - top); // it stays where it is
}

function joinTabs() {
  document.addEventListener("click", (event) => {
    const summary = event.target.closest(".samples summary");
    if (!summary) return;
    event.preventDefault();
    stored.write("language", summary.textContent);
    choose(summary.textContent, summary);
  });
  const wanted = stored.read("language");
  if (wanted && wanted !== language) choose(wanted);
}

// Copies.

async function copy(pre) {
  try {
    await navigator.clipboard.writeText(pre.textContent);
  } catch { // not a secure context
    getSelection().selectAllChildren(pre);
    document.execCommand("copy");
  }
}

function addCopies() {
  const said = make("p", { role: "status", className: "skip" });
  document.body.append(said);
  const example = find("#environment");
  example.textContent = `export BUCKETLITE_URL=${root.href.slice(0, -1)} BUCKETLITE_API_KEY=…`;
  const box = make("div", { className: "answer" });
  example.replaceWith(box);
  box.append(make("p", {}, "Shell"), example);
  for (const box of findAll(".samples, .answer")) {
    const button = make("button", { type: "button", className: "copy" }, "Copy");
    button.addEventListener("click", async () => {
      await copy(find("details[open] pre", box) ?? find("pre", box));
      button.textContent = said.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; said.textContent = ""; }, 1500);
    });
    box.append(button);
  }
}

// Requests from the page.

const memory = { key: "", namespace: "", path: {} }; // of all forms, as long as the page
let openapi; // openapi.json, once it is needed
let ids = 0;

function addTries() {
  for (const article of operations) {
    const button = make("button", { type: "button", className: "open-try", ariaExpanded: "false" }, "Try it");
    button.addEventListener("click", async () => {
      const open = find(".try", article);
      button.ariaExpanded = String(!open);
      if (open) return open.remove();
      const panel = make("div", { className: "try" });
      find(".code", article).prepend(panel);
      try {
        openapi ??= await (await fetch(new URL("openapi.json", root), { credentials: "omit" })).json();
        panel.append(...form(article));
        find("input, textarea, button", panel).focus();
      } catch (error) {
        panel.append(make("p", { className: "bad" }, String(error)));
      }
    });
    find("h3", article).before(button);
  }
}

// form returns the form of an operation's request, and the place of its answer.
function form(article) {
  const [method, path] = [methodOf(article), pathOf(article)];
  const operation = openapi.paths[path][method.toLowerCase()];
  const fields = make("form");
  const inputs = []; // of parameters
  const add = (label, input, ...more) => {
    input.id = "try-" + ++ids;
    fields.append(make("label", { htmlFor: input.id }, label), input, ...more);
    return input;
  };
  if (operation.security?.length !== 0) {
    const key = add("API key", make("input", { type: "password", autocomplete: "off", required: true, value: memory.key, name: "key" }));
    key.addEventListener("input", () => share("key", memory.key = key.value));
  }
  const first = ({ name }) => Number(name === "X-Namespace"); // beside the key
  for (const parameter of (operation.parameters ?? []).toSorted((a, b) => first(b) - first(a))) {
    inputs.push({ parameter, input: add(parameter.name, inputFor(parameter)) });
  }
  const content = Object.entries(operation.requestBody?.content ?? {})[0];
  let body;
  if (content?.[0] === "*/*") {
    body = add("File", make("input", { type: "file", required: true }));
  } else if (content) {
    const text = content[1].example ? JSON.stringify(content[1].example, null, 2) : "";
    body = make("textarea", { className: "wide", rows: Math.min(14, text.split("\n").length + 1), spellcheck: false, value: text });
    body.id = "try-" + ++ids;
    fields.append(make("label", { className: "wide", htmlFor: body.id }, "Body"), body);
  }
  const send = make("button", { className: "first" }, "Send");
  const stop = make("button", { type: "button", disabled: true }, "Stop");
  const row = make("div", { className: "wide row" }, send, stop);
  if (article.classList.contains("writes")) {
    const tick = make("input", { type: "checkbox", required: true });
    row.prepend(make("label", {}, tick, "This request changes the store"));
  }
  fields.append(row);
  const answer = make("div", { role: "status" });
  fields.addEventListener("submit", async (event) => {
    event.preventDefault();
    const abort = new AbortController();
    stop.onclick = () => abort.abort();
    [send.disabled, stop.disabled] = [true, false];
    try {
      await ask(method, path, inputs, body, answer, abort.signal);
    } catch (error) {
      answer.append(make("p", { className: "bad" }, abort.signal.aborted ? "Stopped." : String(error)));
    }
    [send.disabled, stop.disabled] = [false, true];
  });
  const note = operation.security?.length === 0 ? "" : "The key stays in the memory of this page.";
  return [fields, make("p", { className: "soft" }, note), answer];
}

// inputFor returns the input of a parameter. Parameters of paths and the namespace have
// the value that was typed last.
function inputFor({ name, in: place, required = false, schema }) {
  const values = schema.type === "boolean" ? [true, false] : schema.enum;
  if (values) {
    return make("select", { required }, ...(required ? [] : [make("option", { value: "" }, "")]), ...values.map((value) => make("option", {}, String(value))));
  }
  const input = make("input", { type: "text", required, spellcheck: false, autocomplete: "off", placeholder: String(schema.default ?? "") });
  if (name === "X-Namespace") {
    Object.assign(input, { name: "namespace", value: memory.namespace });
    input.addEventListener("input", () => share("namespace", memory.namespace = input.value));
  } else if (place === "path") {
    // A segment of dots alone would lead to another path. Such a name has an id beside.
    Object.assign(input, { pattern: "(?!\\.{1,2}$).*", title: "a name, or an id where the name is . or ..", value: memory.path[name] ?? "" });
    input.addEventListener("input", () => { memory.path[name] = input.value; });
  }
  return input;
}

// share shows a value in all forms.
function share(name, value) {
  for (const input of findAll(`.try input[name=${name}]`)) input.value = value;
}

// ask sends a request and shows the answer.
async function ask(method, path, inputs, body, answer, signal) {
  const headers = {};
  if (memory.key) headers.Authorization = "Bearer " + memory.key;
  const query = new URLSearchParams();
  for (const { parameter: { name, in: place }, input: { value } } of inputs) {
    if (place === "path") path = path.replace(`{${name}}`, () => encodeURIComponent(value));
    else if (value === "") continue;
    else if (place === "query") query.set(name, value);
    else headers[name] = /^[\x20-\x7e]*$/.test(value) ? value : encodeURIComponent(value);
  }
  const url = new URL(path.slice(1), root);
  url.search = query;
  let content;
  if (body?.type === "file") content = body.files[0];
  else if (body?.value) [content, headers["Content-Type"]] = [body.value, "application/json"];

  const began = performance.now();
  const line = make("p", {}, `${method} ${url.pathname}${url.search} …`);
  answer.replaceChildren(line);
  const response = await fetch(url, { method, headers, body: content, signal, credentials: "omit", cache: "no-store" });
  const said = make("span", { className: response.ok ? "good" : "bad" }, `${response.status} ${response.statusText}`);
  const show = (bytes) => line.replaceChildren(said, ` · ${Math.round(performance.now() - began)} ms · ${bytes.toLocaleString("en")} bytes`);
  show(0);
  const all = [...response.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
  answer.append(make("details", {}, make("summary", {}, "Headers"), make("pre", { tabIndex: 0 }, all)));
  await read(response, answer, show);
}

// read shows a body as it comes, and JSON with its lines.
async function read(response, answer, show) {
  const type = response.headers.get("Content-Type") ?? "";
  const isJSON = type.includes("json"), isText = isJSON || type.startsWith("text/");
  const pre = make("pre", { tabIndex: 0 });
  const decoder = new TextDecoder();
  const parts = [];
  let [bytes, text] = [0, ""];
  for (const reader = response.body?.getReader(); reader;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    show(bytes += value.length);
    if (!isText || text.length > most) continue;
    text += decoder.decode(value, { stream: true });
    pre.textContent = text.slice(0, most);
    if (!pre.parentElement) answer.append(pre);
  }
  if (isJSON && text.length <= most) pre.textContent = indented(text);
  if (bytes > 0 && (!isText || text.length > most)) {
    const href = URL.createObjectURL(new Blob(parts, { type }));
    answer.append(make("p", {}, isText ? "The beginning of the answer. " : "", make("a", { href, download: "answer" }, `Save all ${bytes.toLocaleString("en")} bytes`)));
  }
}

// indented returns JSON with a line for each member. It reads no numbers, so they keep
// their digits.
function indented(text) {
  let depth = 0;
  const line = (by) => "\n" + "  ".repeat(Math.max(0, depth += by));
  return text.trim().replace(/"(?:[^"\\]|\\.)*"|[{[]\s*[}\]]|[{[]|[}\]]|,\s*|:\s*|\s+/g, (token) => {
    if (token[0] === '"') return token;
    if (/^[{[]\s*[}\]]$/.test(token)) return token[0] + token.at(-1);
    if (token === "{" || token === "[") return token + line(1);
    if (token === "}" || token === "]") return line(-1) + token;
    if (token[0] === ",") return "," + line(0);
    return token[0] === ":" ? ": " : "";
  });
}

addFilter();
addAnchors();
addCopies();
joinTabs();
addTries();
markCurrent();
