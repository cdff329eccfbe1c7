// Files of records: dropped or chosen, read here in pieces. The beginning of a file fills in
// the form of a new bucket; an import sends the records in batches, and keeps those that are
// refused for download. Without this script the forms send the file as a whole.

const sampleChars = 4 << 20;
const sampleRecords = 1000;
const batchRecords = 500;
const batchChars = 4 << 20;
const refusedMost = 10000;
const refusedShown = 10;

let file = null; // that the form was filled in from
const by = (id) => document.getElementById(id);

// Dropping a file is choosing it.
for (const type of ["dragover", "dragleave", "drop"]) {
	document.addEventListener(type, (e) => {
		const zone = e.target instanceof Element && e.target.closest("form.drop");
		if (!zone) return;
		e.preventDefault();
		zone.classList.toggle("over", type === "dragover");
		if (type === "drop" && e.dataTransfer.files.length) choose(zone, e.dataTransfer.files[0]);
	});
}

document.addEventListener("change", (e) => {
	if (e.target.id === "infer-file" && e.target.files[0]) choose(e.target.form, e.target.files[0]);
});

document.addEventListener("submit", (e) => {
	const chosen = e.target.querySelector("input[type=file]")?.files[0];
	if (e.target.id === "import" && chosen) {
		e.preventDefault();
		importFile(chosen, e.target.action.replace(/[?#].*/, ""));
	} else if (e.target.id === "infer" && (chosen || file) && e.submitter?.value === "infer") {
		e.preventDefault();
		choose(e.target, chosen ?? file);
	}
});

document.addEventListener("click", (e) => {
	if (e.target.closest("#create-import")) createAndImport();
});

function choose(form, chosen) {
	if (form.id === "import") importFile(chosen, form.action.replace(/[?#].*/, ""));
	else infer(form, chosen);
}

// infer sends the beginning of a file, and takes the form that the server has filled in.
async function infer(form, chosen) {
	form.setAttribute("aria-busy", "true");
	try {
		const body = new FormData(); // a form of the other kind would be three times as long
		body.set("name", chosen.name);
		const { text, more } = await sample(chosen);
		body.set("text", text);
		if (more) body.set("more", "on");
		const response = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
		const answer = new DOMParser().parseFromString(await response.text(), "text/html");
		const next = answer.getElementById("bucket");
		if (!next) throw new Error("The file could not be read.");
		by("bucket").replaceWith(document.adoptNode(next));
		document.dispatchEvent(new CustomEvent("bucket:filled"));
		file = response.ok ? chosen : null;
		if (file) {
			by("also-import").hidden = true;
			by("create-import").hidden = false;
			by("create-import").textContent = "Create and import all of " + chosen.name;
		}
		by("name").focus();
	} catch (err) {
		by("infer-wrong").textContent = err.message;
	} finally {
		form.removeAttribute("aria-busy");
	}
}

// sample returns whole records from the beginning of a file, and whether there are more.
async function sample(chosen) {
	const lines = [];
	let size = 0;
	let more = false;
	const records = recordsOf(chosen);
	for await (const r of records) {
		more = lines.length > 0 && (lines.length > sampleRecords || size + r.text.length > sampleChars);
		if (more) break;
		lines.push(r.text);
		size += r.text.length;
	}
	return { text: records.join(lines), more };
}

// createAndImport creates the bucket, and imports the file into it. A refusal of the form is
// shown as if the button "Create bucket" had been pressed.
async function createAndImport() {
	const form = by("create");
	const body = new URLSearchParams();
	for (const [name, value] of new FormData(form)) if (typeof value === "string") body.append(name, value);
	body.set("do", "create");
	const response = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
	const to = response.headers.get("HX-Redirect");
	if (!to) {
		const answer = new DOMParser().parseFromString(await response.text(), "text/html");
		const next = answer.getElementById("create");
		if (next) form.replaceWith(document.adoptNode(next));
		else by("status").textContent = answer.body.textContent.trim(); // such as that the session has ended
		document.dispatchEvent(new CustomEvent("bucket:filled"));
		if (by("also-import")) by("also-import").hidden = true;
		if (by("create-import")) by("create-import").hidden = false;
		by("verdict")?.scrollIntoView();
		return;
	}
	const bucket = new URL(to.replace(/[?#].*/, ""), location.href);
	by("bucket").hidden = true;
	by("importing-open").href = bucket.href;
	importFile(file, new URL("import", bucket).href);
}

// importFile sends the records of a file in batches, one after the other. What was sent
// before a failure or a cancel stays.
async function importFile(chosen, address) {
	const box = by("importing");
	const counts = { lines: 0, created: 0, replaced: 0, unchanged: 0, refused: 0 };
	const refused = [];
	const stop = new AbortController();
	box.hidden = false;
	if (by("import")) by("import").hidden = true;
	by("importing-bar").value = 0;
	by("importing-faults").replaceChildren();
	by("importing-cancel").hidden = false;
	by("importing-refused").hidden = true;
	if (!by("importing-open").href) by("importing-open").href = new URL(".", address).href;
	by("importing-cancel").onclick = () => stop.abort();
	by("importing-cancel").focus();
	const leave = (e) => e.preventDefault();
	addEventListener("beforeunload", leave);

	const records = recordsOf(chosen);
	let batch = [];
	let chars = 0;
	let sent = 0; // characters: the browser reads the file far ahead
	let problem = "";
	const report = (text) => {
		by("importing-text").textContent = text + count(counts.created, "created") + count(counts.replaced, ", replaced") + count(counts.unchanged, ", unchanged") + count(counts.refused, ", refused") + ".";
	};
	const send = async () => {
		if (!batch.length) return;
		const response = await fetch(address + "?name=" + encodeURIComponent(records.name), {
			method: "POST", body: records.join([...(records.header ? [records.header] : []), ...batch.map((r) => r.text)]),
			headers: { "Content-Type": "text/plain; charset=utf-8", "HX-Request": "true" }, signal: stop.signal,
		});
		if (!response.headers.get("Content-Type")?.includes("json")) throw new Error("The server refused the records, with status " + response.status + ".");
		const answer = await response.json();
		for (const name in counts) counts[name] += answer[name] ?? 0;
		for (const r of answer.errors ?? []) {
			if (refused.length >= refusedMost) break;
			const one = at(records, batch, r.line);
			refused.push({ line: one.line, message: r.message, record: one.text });
			if (refused.length > refusedShown) continue;
			const item = document.createElement("li");
			item.textContent = "Line " + one.line.toLocaleString() + ": " + r.message;
			by("importing-faults").append(item);
		}
		if (answer.error) throw new Error(answer.error);
		sent += chars;
		by("importing-bar").value = chosen.size ? Math.min(1, sent / chosen.size) : 1;
		report(Math.round(100 * by("importing-bar").value) + " %: ");
		batch = [];
		chars = 0;
	};
	try {
		let first = true;
		for await (const r of records) {
			if (first && records.hasHeader) {
				records.header = r.text;
				first = false;
				continue;
			}
			first = false;
			batch.push(r);
			chars += r.text.length;
			if (batch.length >= records.most || chars >= batchChars) await send();
			if (stop.signal.aborted) throw new Error("canceled");
		}
		await send();
		by("importing-bar").value = 1;
	} catch (err) {
		problem = stop.signal.aborted ? "Canceled. " : err.message + " ";
	}
	removeEventListener("beforeunload", leave);
	report(problem || "Done: ");
	by("importing-cancel").hidden = true;
	by("importing-open").hidden = false;
	if (refused.length) {
		const link = by("importing-refused");
		link.href = URL.createObjectURL(new Blob(refused.map((r) => JSON.stringify(r) + "\n"), { type: "application/x-ndjson" }));
		link.hidden = false;
		const more = counts.refused - refused.length;
		link.textContent = "Download " + (refused.length === 1 ? "the refused record" : refused.length.toLocaleString() + " refused records") + (more > 0 ? " of " + counts.refused.toLocaleString() : "");
	}
	by("importing-open").focus();
}

function count(n, what) {
	if (!n && what !== "created") return "";
	const [before, word] = what.startsWith(", ") ? [", ", what.slice(2)] : ["", what];
	return before + n.toLocaleString() + " " + word;
}

// at finds the record of a batch that begins on a line of what was sent.
function at(records, batch, line) {
	let next = 1 + records.before(records.header);
	for (const r of batch) {
		const lines = r.text.split("\n").length;
		if (line < next + lines) return r;
		next += lines;
	}
	return batch[batch.length - 1];
}

// recordsOf iterates over the records of a file: lines, the rows of a table, whose first is
// the header, or the elements of an array. The text of each is as it is in the file.
function recordsOf(chosen) {
	const table = /\.(csv|tsv|tab)$/i.test(chosen.name);
	const lines = /\.(jsonl|ndjson)$/i.test(chosen.name);
	let array = false;
	async function* pieces() {
		const reader = chosen.stream().getReader();
		const decoder = new TextDecoder();
		try {
			for (;;) {
				const { done, value } = await reader.read();
				if (done) break;
				yield decoder.decode(value, { stream: true });
			}
			yield decoder.decode();
		} finally {
			reader.cancel().catch(() => {});
		}
	}
	async function* each() {
		let text = "";
		let known = table || lines;
		let split = table ? new Rows() : new Lines();
		for await (const piece of pieces()) {
			text += piece;
			if (!known && text.trimStart()) {
				known = true;
				array = text.trimStart()[0] === "[";
				if (array) split = new Elements();
			}
			if (!known) continue;
			yield* split.take(text);
			text = "";
		}
		yield* split.end();
	}
	return {
		[Symbol.asyncIterator]: each,
		header: "",
		hasHeader: table,
		most: batchRecords,
		get name() {
			return array ? "records.json" : chosen.name.replace(/.*(?=\.)/, "records");
		},
		join: (texts) => (array ? "[\n" + texts.join(",\n") + "\n]" : texts.join("\n") + "\n"),
		before: (header) => (array ? 1 : header ? header.split("\n").length : 0),
	};
}

// Lines splits a text at line breaks, and leaves out blank lines.
class Lines {
	rest = "";
	line = 1;
	*take(text) {
		this.rest += text;
		const parts = this.rest.split("\n");
		this.rest = parts.pop();
		for (const part of parts) yield* this.one(part);
	}
	*one(part) {
		const line = this.line;
		this.line++;
		part = part.replace(/\r$/, "");
		if (part.trim()) yield { line, text: part };
	}
	*end() {
		yield* this.one(this.rest);
	}
}

// Rows splits a text at line breaks outside of quotes, which are those at the beginning of a
// cell.
class Rows {
	row = [];
	quoted = false;
	line = 1;
	begun = 1;
	rest = "";
	*take(text) {
		this.rest += text;
		const parts = this.rest.split("\n");
		this.rest = parts.pop();
		for (const part of parts) yield* this.one(part);
	}
	*one(part) {
		if (!this.row.length) this.begun = this.line;
		this.line++;
		this.row.push(part);
		for (let i = part.indexOf('"'); i >= 0; i = part.indexOf('"', i + 1)) {
			if (!this.quoted) this.quoted = i === 0 || ",;\t|".includes(part[i - 1]);
			else if (part[i + 1] === '"') i++;
			else this.quoted = false;
		}
		if (this.quoted) return;
		const text = this.row.join("\n").replace(/\r$/, "");
		this.row = [];
		if (text.trim()) yield { line: this.begun, text };
	}
	*end() {
		this.quoted = false;
		if (this.rest) yield* this.one(this.rest);
		else if (this.row.length) yield { line: this.begun, text: this.row.join("\n") };
	}
}

// Elements splits a text with an array into its elements.
class Elements {
	depth = 0;
	quoted = false;
	escaped = false;
	text = "";
	line = 1;
	begun = 1;
	*take(text) {
		let from = 0;
		for (let i = 0; i < text.length; i++) {
			const c = text[i];
			if (c === "\n") this.line++;
			if (this.quoted) {
				if (this.escaped) this.escaped = false;
				else if (c === "\\") this.escaped = true;
				else if (c === '"') this.quoted = false;
				continue;
			}
			if (c === '"') this.quoted = true;
			else if (c === "[" || c === "{") {
				this.depth++;
				if (this.depth === 1) from = i + 1;
				if (this.depth === 2 && !(this.text + text.slice(from, i)).trim()) this.begun = this.line;
			} else if (c === "]" || c === "}") this.depth--;
			if ((c === "," && this.depth === 1) || (c === "]" && this.depth === 0)) {
				yield* this.one(text.slice(from, i));
				from = i + 1;
			}
		}
		if (this.depth > 0) this.text += text.slice(from);
	}
	*one(text) {
		text = (this.text + text).trim();
		this.text = "";
		if (text) yield { line: this.begun, text };
	}
	*end() {
		yield* this.one("");
	}
}
