// The form of a schema. While somebody types, the server checks the form and makes the side
// that is not edited: the JSON, or the rows of the fields. Without this script the button
// "Check" does the same.

let timer = 0;
let edits = 0;
let running;

document.addEventListener("input", (e) => {
	const form = e.target.closest("form[data-schema]");
	if (!form || e.target.type === "file") return;
	edits++;
	clearTimeout(timer);
	timer = setTimeout(() => check(form, e.target), 400);
});

document.addEventListener("click", (e) => {
	const b = e.target.closest("button");
	if (!b) return;
	if (b.dataset.fill) {
		const area = document.getElementById(b.dataset.fill);
		area.value = b.dataset.text.trim();
		area.dispatchEvent(new Event("input", { bubbles: true }));
		return;
	}
	const form = b.closest("form[data-schema]");
	if (!form || !(b.name === "remove" || (b.name === "do" && (b.value === "add" || b.value === "check")))) return;
	e.preventDefault();
	edits++;
	clearTimeout(timer);
	check(form, b);
});

// check sends the form as the button would, or as the button "Check", and takes over what
// the answer has beside what is being edited.
async function check(form, cause) {
	const data = new FormData(form);
	if (cause.name === "remove") data.set("remove", cause.value);
	data.set("do", cause.value === "add" ? "add" : "check");
	const body = new URLSearchParams();
	for (const [name, value] of data) if (typeof value === "string") body.append(name, value);
	const edit = edits;
	running?.abort();
	running = new AbortController();
	let answer;
	try {
		const response = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { "HX-Request": "true" }, signal: running.signal });
		if (!response.ok && response.status !== 422) return;
		answer = new DOMParser().parseFromString(await response.text(), "text/html");
	} catch {
		return; // a newer check, or no connection: the button of the form says so
	}
	if (edit !== edits) return;
	take(answer, "verdict");
	if (!document.activeElement.closest("#lost")) take(answer, "lost");
	const button = cause.tagName === "BUTTON";
	if (button || cause.id === "schema") {
		const open = [...document.querySelectorAll("#fields details[open]")].map((d) => d.id);
		take(answer, "fields");
		for (const id of open) document.getElementById(id)?.setAttribute("open", "");
		reveal();
	}
	if (cause.id !== "schema") copy(answer, "schema");
	copy(answer, "sum");
	copy(answer, "rest");
	marks(answer);
	if (cause.value === "add" || cause.name === "remove") document.querySelector("#fields fieldset:last-of-type input:not([type=hidden])")?.focus();
}

function take(answer, id) {
	const from = answer.getElementById(id);
	if (from) document.getElementById(id)?.replaceWith(document.adoptNode(from));
}

function copy(answer, id) {
	const from = answer.getElementById(id);
	const to = document.getElementById(id);
	if (from && to && to.value !== from.value) to.value = from.value;
}

// marks shows what is wrong at each control.
function marks(answer) {
	for (const from of answer.querySelectorAll("[id$='-wrong']")) document.getElementById(from.id)?.replaceChildren(...from.childNodes);
	for (const from of answer.querySelectorAll("input[id], select[id], textarea[id]")) {
		const to = document.getElementById(from.id);
		if (!to) continue;
		if (from.hasAttribute("aria-invalid")) to.setAttribute("aria-invalid", "true");
		else to.removeAttribute("aria-invalid");
	}
}

function reveal() {
	for (const b of document.querySelectorAll("[data-fill]")) b.hidden = false;
}
reveal();
document.addEventListener("bucket:filled", reveal);
