// What all pages have: local times, copy buttons, shortcuts. Nothing needs it.

// Times are shown in the reader's zone. The title keeps UTC.
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
function localTimes(root) {
	for (const t of root.querySelectorAll("time[datetime]:not([data-local])")) {
		const at = new Date(t.dateTime);
		if (isNaN(at)) continue;
		t.textContent = local.format(at);
		t.dataset.local = "";
	}
}
localTimes(document);
document.addEventListener("htmx:after:swap", () => enhance(document));

// Tell people what happened, also those who do not see it.
export function say(text) {
	const note = document.createElement("p");
	note.className = "note";
	note.textContent = text;
	document.getElementById("status")?.replaceChildren(note);
}

// Buttons: data-copy copies the text of the element with that id; data-reveal shows a
// password; data-dialog opens a dialog; data-all checks the boxes of that name.
function enhance(root) {
	localTimes(root);
	for (const b of root.querySelectorAll("[data-copy], [data-reveal], [data-dialog], [data-shortcuts]")) b.hidden = false;
}
enhance(document);
document.addEventListener("click", async (e) => {
	const b = e.target.closest("button");
	if (!b) return;
	if (b.dataset.copy) {
		const from = document.getElementById(b.dataset.copy);
		try {
			await navigator.clipboard.writeText(from.value ?? from.textContent);
			say("Copied.");
		} catch {
			say("The browser does not allow copying here. Select the text instead.");
		}
	} else if (b.dataset.reveal) {
		const input = document.getElementById(b.dataset.reveal);
		const shown = input.type === "text";
		input.type = shown ? "password" : "text";
		b.setAttribute("aria-pressed", String(!shown));
	} else if (b.dataset.dialog) {
		document.getElementById(b.dataset.dialog)?.showModal();
	} else if ("shortcuts" in b.dataset) {
		document.getElementById("shortcuts")?.showModal();
	}
});
document.addEventListener("change", (e) => {
	if (e.target.dataset.all) {
		for (const box of document.querySelectorAll(`input[name="${CSS.escape(e.target.dataset.all)}"]`)) box.checked = e.target.checked;
	}
	if (e.target.matches("[data-submit]")) e.target.form.requestSubmit();
});

// One-letter shortcuts, outside of inputs. They can be switched off.
const box = document.getElementById("shortcuts-on");
const off = "bucketlite shortcuts off";
if (box) {
	box.checked = localStorage.getItem(off) === null;
	box.addEventListener("change", () => (box.checked ? localStorage.removeItem(off) : localStorage.setItem(off, "1")));
}
let before = "";
function row(step) {
	const rows = [...document.querySelectorAll("[data-rows] > *")];
	if (!rows.length) return;
	const at = rows.findIndex((r) => r.classList.contains("at"));
	const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
	rows[at]?.classList.remove("at");
	next.classList.add("at");
	(next.querySelector("a") ?? next).focus();
}
document.addEventListener("keydown", (e) => {
	if (!box || localStorage.getItem(off) !== null || e.ctrlKey || e.metaKey || e.altKey || e.target.closest("input:not([type='checkbox']), textarea, select, dialog, [contenteditable]")) return;
	const press = (selector) => {
		const to = document.querySelector(selector);
		if (to) {
			e.preventDefault();
			to.matches("input:not([type='checkbox'])") ? to.focus() : to.click();
		}
	};
	switch (before + e.key) {
	case "gb": press("[data-key='gb'], .crumbs li:nth-child(2) a, .brand"); break;
	case "/": press("[data-key='/']"); break;
	case "j": row(1); break;
	case "k": row(-1); break;
	case "x": press("[data-rows] > .at input[type='checkbox']"); break;
	case "e": press("[data-key='e']"); break;
	case "?": document.getElementById("shortcuts")?.showModal(); break;
	}
	before = e.key === "g" ? "g" : "";
});
