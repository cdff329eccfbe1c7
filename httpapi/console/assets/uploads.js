// Uploads: files that are dropped or chosen are sent three at a time, each as an object of
// its own. Without this script the form sends one file. Dropped on a page of objects, files
// open the form of uploads there.

const atOnce = 3;
const rowsMost = 100; // further files are counts
const tries = 3; // after a cut connection
const patience = 60000; // without progress, in ms
const recordsMost = 64 << 20; // bytes of a file of metadata
const columns = ["filename", "file", "file_name", "path"];
const by = (id) => document.getElementById(id);

const jobs = []; // all files of this page
const queue = [];
const records = new Map(); // metadata, by the path of a file
let left = 0; // hidden files that were left out
let running = 0;
let dirty = false; // files were sent after the last report

// Files

document.addEventListener("dragover", (e) => {
	if (!zone() || !e.dataTransfer?.types.includes("Files")) return;
	e.preventDefault();
	by("upload-drop")?.classList.add("over");
});
for (const type of ["dragleave", "drop"]) document.addEventListener(type, () => by("upload-drop")?.classList.remove("over"));
document.addEventListener("drop", async (e) => {
	if (!zone() || !e.dataTransfer.files.length) return;
	e.preventDefault();
	const files = [...e.dataTransfer.files];
	const entries = [...e.dataTransfer.items].map((i) => i.webkitGetAsEntry?.()).filter(Boolean); // gone after the event
	const found = [];
	for (const entry of entries) await walk(entry, "", found);
	await add(entries.length ? found : files.map((file) => [file, file.name]));
});

function zone() {
	return by("upload-form") ?? document.querySelector("[data-uploads]");
}

async function walk(entry, path, found) {
	if (entry.isFile) {
		found.push([await new Promise((ok, no) => entry.file(ok, no)), path + entry.name]);
		return;
	}
	const reader = entry.createReader();
	for (;;) {
		const some = await new Promise((ok, no) => reader.readEntries(ok, no));
		if (!some.length) return;
		for (const e of some) await walk(e, path + entry.name + "/", found);
	}
}

// add takes files with their paths: those of metadata, and those to be sent.
async function add(found) {
	if (!(await openForm())) return;
	for (const [file, path] of found) {
		if (/(^|\/)(\.|__MACOSX\/|Thumbs\.db$)/.test(path)) left++;
		else if (!(/\.(jsonl|ndjson|csv|tsv|tab)$/i.test(path) && (await takeRecords(file)))) {
			jobs.push({ file, path, size: file.size, sent: 0, state: "ready", reason: "" });
			place(jobs.at(-1));
		}
	}
	by("transfer").hidden = !jobs.length && !records.size;
	summary();
	by("upload-send").focus();
}

// openForm brings the form of uploads into a page of objects.
async function openForm() {
	if (by("upload-form")) return true;
	const link = document.querySelector("[data-uploads]");
	const page = new DOMParser().parseFromString(await (await fetch(link.href)).text(), "text/html");
	const form = page.getElementById("upload");
	if (!form) {
		location = link.href; // it says why
		return false;
	}
	link.closest(".toolbar").after(document.adoptNode(form));
	begin();
	return true;
}

// takeRecords reads the records of files, and reports whether these are such.
async function takeRecords(file) {
	if (file.size > recordsMost) return false;
	const text = await file.text();
	const table = !/\.(jsonl|ndjson)$/i.test(file.name);
	let some;
	try {
		some = table ? rowsOf(text) : text.split("\n").filter((line) => line.trim()).map((line) => [JSON.parse(line), line]);
	} catch {
		return false;
	}
	const column = Object.keys(some[0]?.[0] ?? {}).find((name) => columns.includes(name.toLowerCase()));
	if (!column) return false;
	for (const [record, line] of some) records.set(clean(String(record[column] ?? "")), { record: line, column, table: table ? "1" : "" });
	return true;
}

const clean = (path) => path.replaceAll("\\", "/").replace(/^(\.?\/)+/, "");

// recordOf finds the record of a file by its path, or by the end of it.
function recordOf(path) {
	for (let rest = path; rest; rest = rest.includes("/") ? rest.slice(rest.indexOf("/") + 1) : "") if (records.has(rest)) return records.get(rest);
}

// rowsOf returns the rows of a table as objects of texts, each with its JSON.
function rowsOf(text) {
	const head = text.split("\n", 1)[0];
	const comma = ["\t", ";", ","].find((c) => head.includes(c)) ?? ",";
	const rows = [[""]];
	let quoted = false;
	for (let i = text.charCodeAt(0) === 0xfeff ? 1 : 0; i < text.length; i++) {
		const c = text[i];
		const row = rows.at(-1);
		if (c === '"' && (quoted || row.at(-1) === "")) {
			if (quoted && text[i + 1] === '"') row[row.length - 1] += text[i++];
			else quoted = !quoted;
		} else if (quoted || !(c === comma || c === "\n" || c === "\r")) row[row.length - 1] += c;
		else if (c === comma) row.push("");
		else if (c === "\n") rows.push([""]);
	}
	const names = rows.shift();
	return rows.filter((row) => row.length > 1 || row[0]).map((row) => {
		const record = Object.fromEntries(names.map((name, i) => [name, row[i] ?? ""]));
		return [record, JSON.stringify(record)];
	});
}

// The queue

function start(some) {
	const form = new URLSearchParams([...new FormData(by("upload-form"))].filter(([, v]) => typeof v === "string"));
	for (const job of some) {
		job.form = form;
		job.sent = 0;
		mark(job, "waiting");
		queue.push(job);
	}
	dirty ||= some.length > 0;
	by("upload-wrong").textContent = some.length || running ? "" : "Choose files first.";
	next();
}

function next() {
	while (queue.length && running < atOnce) {
		const job = queue.shift();
		if (job.state !== "waiting") continue; // it was canceled
		running++;
		run(job).finally(() => {
			running--;
			next();
		});
	}
	(running ? addEventListener : removeEventListener)("beforeunload", stay);
	summary();
}

function stay(e) {
	e.preventDefault();
}

// run sends a file. What the server refuses is not sent again by itself.
async function run(job) {
	job.stop = new AbortController();
	let id = "";
	try {
		mark(job, "sending");
		const form = new URLSearchParams(job.form);
		for (const [name, v] of Object.entries({ filename: job.file.name, content_type: job.file.type, size: job.size || "", ...recordOf(job.path) })) form.set(name, v);
		const made = await again(job, () => ask(job, "", form));
		id = made.id;
		if (made.skipped) return mark(job, "skipped", made.message, made.skipped);
		await again(job, () => send(job, new URL(made.url, address())));
		mark(job, "storing");
		const { object } = await again(job, () => ask(job, "/" + id + "/confirm"));
		mark(job, "done", "", object);
		by("uploads")?.dispatchEvent(new Event("uploads:changed"));
	} catch (err) {
		const canceled = job.stop.signal.aborted;
		mark(job, canceled ? "canceled" : err.refused ? "failed" : "cut", canceled ? "" : err.message);
		if (id) ask({}, "/" + id + "/cancel").catch(() => {}); // else it expires
	}
}

// again calls f anew after a cut connection, each time after a longer pause.
async function again(job, f) {
	for (let n = 0; ; n++) {
		try {
			return await f();
		} catch (err) {
			if (err.refused || job.stop.signal.aborted || n === tries) throw err;
			mark(job, "pausing", err.message + " It is sent again in " + (1 << n) + " s.");
			await new Promise((ok) => {
				setTimeout(ok, 1000 << n);
				job.stop.signal.addEventListener("abort", ok);
			});
			if (job.stop.signal.aborted) throw err;
			mark(job, "sending");
		}
	}
}

const address = () => by("upload-form").action;

async function ask(job, path, body) {
	let response;
	let text;
	try {
		response = await fetch(address() + path, { method: "POST", body, headers: { Accept: "application/json", "HX-Request": "true" }, signal: job.stop?.signal });
		text = await response.text();
	} catch {
		throw new Error("The connection was cut.");
	}
	if (!response.ok) throw refusal(response.status, text);
	return JSON.parse(text);
}

function send(job, url) {
	return new Promise((ok, no) => {
		const x = new XMLHttpRequest();
		const cut = () => no(new Error("The connection was cut, or the file cannot be read."));
		job.xhr = x;
		job.moved = job.since = performance.now();
		job.sent = job.rate = 0;
		x.open("PUT", url);
		x.setRequestHeader("Content-Type", "application/octet-stream");
		x.upload.onprogress = (e) => {
			job.moved = performance.now();
			job.sent = e.loaded;
		};
		x.onload = () => (x.status < 300 ? ok() : no(refusal(x.status, x.responseText)));
		x.onerror = x.onabort = cut;
		job.stop.signal.addEventListener("abort", () => x.abort());
		x.send(job.file);
	});
}

// refusal is the error of an answer: in the words of the API, if it has any.
function refusal(status, text) {
	let words = status === 401 ? "The session has ended: sign in in another tab, then retry." : "The server answered with status " + status + ".";
	try {
		const { error } = JSON.parse(text);
		words = error.message ?? error;
	} catch {
		// of a proxy
	}
	return Object.assign(new Error(words), { refused: status < 500 && ![401, 408, 425, 429].includes(status) });
}

// What is shown

const ended = ["done", "skipped", "failed", "cut", "canceled"];
const names = { sending: "sending", pausing: "cut off", storing: "storing", cut: "cut off", done: "stored" };
const pills = { ready: "waiting", sending: "processing", storing: "processing", pausing: "archived", cut: "failed", done: "completed" };
const count = (state) => jobs.filter((job) => job.state === state).length;

function mark(job, state, reason = "", object = "") {
	Object.assign(job, { state, reason, object });
	if (state === "done" || state === "skipped") job.file = null;
	if (!job.row) place(job);
	show(job);
	summary();
}

// place gives a file a row. Where there are too many, one that has ended loses its own.
function place(job) {
	const rows = by("transfer-rows");
	if (rows.rows.length >= rowsMost) {
		const shown = [...rows.rows].map((row) => row.job);
		const old = shown.find((j) => ["done", "skipped"].includes(j.state)) ?? shown.find((j) => ended.includes(j.state));
		if (!old) return;
		old.row.remove();
		old.row = null;
	}
	job.row = by("transfer-row").content.firstElementChild.cloneNode(true);
	job.row.job = job;
	const [name, size] = job.row.cells;
	name.firstChild.textContent = job.path;
	size.textContent = bytes(job.size);
	for (const e of job.row.querySelectorAll("button, progress")) e.setAttribute("aria-label", (e.textContent + " " + job.path).trim());
	rows.append(job.row);
	show(job);
}

function show(job) {
	if (!job.row) return;
	const [pill, note] = job.row.querySelectorAll(".pill, .pill + .small");
	pill.className = "pill " + (pills[job.state] ?? job.state);
	pill.textContent = names[job.state] ?? job.state;
	note.textContent = job.reason || (job.state === "sending" && job.rate ? bytes(job.rate) + "/s, " + time((job.size - job.sent) / job.rate) : "");
	if (job.object) {
		const link = Object.assign(document.createElement("a"), { href: new URL("o/" + encodeURIComponent(job.object) + "/", address()).href, textContent: "Open the object" });
		note.append(" ", link);
	}
	const bar = job.row.querySelector("progress");
	bar.value = job.size ? job.sent / job.size : 0;
	bar.hidden = !["sending", "pausing", "storing"].includes(job.state);
	job.row.querySelector("[data-retry]").hidden = !["failed", "cut", "canceled"].includes(job.state);
	job.row.querySelector("[data-cancel-file]").hidden = ended.includes(job.state);
}

let due = 0;
function summary() {
	due ||= setTimeout(() => {
		due = 0;
		total();
	}, 200);
}

function total() {
	const ready = jobs.filter((job) => job.state === "ready");
	const over = jobs.filter((job) => ended.includes(job.state)).length;
	const all = jobs.reduce((n, job) => n + job.size, 0);
	const sent = jobs.reduce((n, job) => n + (ended.includes(job.state) ? job.size : job.sent), 0);
	const rate = jobs.reduce((n, job) => n + (job.state === "sending" ? job.rate : 0), 0);
	const busy = running || count("waiting");
	by("upload-send").textContent = ready.length ? "Upload " + plural(ready.length, "file") : "Upload";
	by("transfer-bar").value = all ? sent / all : over && 1;
	const parts = [over + " of " + plural(jobs.length, "file"), bytes(sent) + " of " + bytes(all)];
	if (rate) parts.push(bytes(rate) + "/s", time((all - sent) / rate));
	if (records.size) parts.push("metadata of " + plural(records.size, "file") + ", " + jobs.filter((job) => recordOf(job.path)).length + " of them here");
	if (left) parts.push(plural(left, "hidden file") + " left out");
	by("transfer-text").textContent = parts.join(" · ");
	by("transfer-cancel").hidden = !busy && !ready.length;
	by("transfer-retry").hidden = busy || !count("cut") + !count("failed") === 2;
	const rows = by("transfer-rows").rows.length;
	by("transfer-folded").textContent = jobs.length > rows ? "And " + plural(jobs.length - rows, "file") + " more: " + tally(jobs.filter((job) => !job.row)) + "." : "";
	if (dirty && !busy) report();
}

function tally(some) {
	const states = Map.groupBy(some, (job) => names[job.state] ?? job.state);
	return [...states].map(([state, list]) => list.length.toLocaleString() + " " + state).join(", ");
}

// report says how it went, once nothing moves.
function report() {
	dirty = false;
	const wrong = jobs.filter((job) => ["failed", "cut"].includes(job.state));
	const head = document.createElement("p");
	head.className = "banner " + (wrong.length ? "bad" : "good");
	head.textContent = tally(jobs) + ".";
	const list = document.createElement("ul");
	list.className = "issues";
	for (const job of wrong.slice(0, 10)) list.append(Object.assign(document.createElement("li"), { textContent: job.path + ": " + job.reason }));
	if (wrong.length > 10) list.append(Object.assign(document.createElement("li"), { textContent: "and " + (wrong.length - 10) + " more, in the report" }));
	by("transfer-report").replaceChildren(head, ...(wrong.length ? [list] : []));
	const lines = jobs.map((job) => JSON.stringify({ file: job.path, bytes: job.size, state: names[job.state] ?? job.state, reason: job.reason || undefined, object: job.object || undefined }) + "\n");
	URL.revokeObjectURL(by("transfer-download").href);
	by("transfer-download").href = URL.createObjectURL(new Blob(lines, { type: "application/x-ndjson" }));
	by("transfer-download").hidden = false;
}

const plural = (n, noun) => n.toLocaleString() + " " + noun + (n === 1 ? "" : "s");

function bytes(n) {
	let unit = 0;
	for (; n >= 1024 && unit < 4; unit++) n /= 1024;
	return (unit && n < 10 ? n.toFixed(1) : Math.round(n)) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][unit];
}

function time(s) {
	return s < 90 ? Math.ceil(s) + " s left" : s < 5400 ? Math.round(s / 60) + " min left" : Math.round(s / 3600) + " h left";
}

// Each second: rates, connections that stand still, and once an hour the session.
let seconds = 0;
setInterval(() => {
	if (!running) return;
	if (++seconds % 3600 === 0) fetch(document.querySelector("link[href$='session.css']").href, { cache: "no-store" }).catch(() => {});
	for (const job of jobs) {
		if (job.state !== "sending" || !job.xhr) continue;
		job.rate = (job.sent / (performance.now() - job.since)) * 1000;
		if (job.sent < job.size && performance.now() - job.moved > patience) job.xhr.abort();
		show(job);
	}
	summary();
}, 1000);

// The form

function begin() {
	const form = by("upload-form");
	const file = by("upload-file");
	for (const e of form.querySelectorAll("[data-scripted]")) e.hidden = false;
	file.multiple = true;
	const take = (input) => {
		add([...input.files].map((f) => [f, f.webkitRelativePath || f.name]));
		input.value = "";
	};
	file.addEventListener("change", () => take(file));
	by("upload-folder").hidden = false;
	by("upload-folder").addEventListener("click", () => {
		const folder = Object.assign(document.createElement("input"), { type: "file", webkitdirectory: true });
		folder.addEventListener("change", () => take(folder));
		folder.click();
	});
	form.addEventListener("submit", (e) => {
		e.preventDefault();
		start(jobs.filter((job) => job.state === "ready"));
	});
	by("transfer").addEventListener("click", (e) => {
		const job = e.target.closest("tr")?.job;
		if (e.target.closest("[data-retry]")) start([job]);
		else if (e.target.closest("[data-cancel-file]")) cancel(job);
		else if (e.target.closest("#transfer-retry")) start(jobs.filter((j) => ["failed", "cut"].includes(j.state)));
		else if (e.target.closest("#transfer-cancel")) jobs.forEach(cancel);
	});
}

function cancel(job) {
	if (ended.includes(job.state)) return;
	if (["ready", "waiting"].includes(job.state)) mark(job, "canceled");
	else job.stop.abort();
}

if (by("upload-form")) begin();
