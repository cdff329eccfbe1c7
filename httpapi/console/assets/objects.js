// The list of objects: rows of the filter, inputs that fit a field, slow parts, selection.
// Nothing here is needed: the page works without it.

function say(text) {
	const note = document.createElement("p");
	note.className = "note";
	note.textContent = text;
	document.getElementById("status")?.replaceChildren(note);
}

// A part that takes more than a second says so, and can be canceled.
function slowParts() {
	for (const part of document.querySelectorAll("[data-slow]:not([data-seen])")) {
		part.dataset.seen = "";
		setTimeout(() => {
			const note = part.isConnected && part.querySelector("[data-after]");
			if (note) note.hidden = false;
		}, 1000);
	}
}
slowParts();
document.addEventListener("htmx:after:swap", slowParts);

document.addEventListener("click", (e) => {
	if (e.target.closest("[data-cancel]")) {
		const part = e.target.closest("[data-slow]");
		part.dispatchEvent(new CustomEvent("htmx:abort"));
		part.removeAttribute("aria-busy");
		const again = document.createElement("a");
		again.href = "";
		again.textContent = "try again";
		part.querySelector("[data-after]").replaceChildren("Canceled – ", again);
	}
});

// Rows of the filter can be added and removed. The input of a value fits its field.
const form = document.getElementById("rows-form");
const paths = new Map([...document.querySelectorAll("#paths option")].map((o) => [o.value, o]));
const inputTypes = { number: "number", float: "number", integer: "number", date: "date" };
let made = 0;

function fit(row) {
	const [path, operator, value] = ["p", "o", "v"].map((name) => row.querySelector(`[name="${name}"]`));
	const option = paths.get(path.value);
	const list = operator.value === "in" || operator.value === "nin";
	const type = (!list && inputTypes[option?.dataset.type]) || "text";
	const choices = option?.dataset.type === "boolean" ? ["true", "false"] : JSON.parse(option?.dataset.enum ?? "[]");
	value.hidden = "bare" in operator.selectedOptions[0].dataset;
	const fits = { number: /^(-?\d+(\.\d+)?(e[-+]?\d+)?)?$/i, date: /^(\d{4}-\d\d-\d\d)?$/, text: /^/ };
	value.type = fits[type].test(value.value) ? type : "text"; // a text that does not fit must stay
	if (value.type === "number") value.step = "any";
	value.removeAttribute("list");
	if (choices.length && !list) {
		const known = document.getElementById(`${value.id}-list`) ?? document.createElement("datalist");
		known.id = `${value.id}-list`;
		known.replaceChildren(...choices.map((c) => new Option(c, c)));
		row.append(known);
		value.setAttribute("list", known.id);
	}
}

function add() {
	const rows = form.querySelectorAll("[data-condition]");
	const row = rows[rows.length - 1].cloneNode(true);
	made++;
	for (const control of row.querySelectorAll("input, select")) {
		const label = row.querySelector(`label[for="${control.id}"]`);
		control.id += `-${made}`;
		label.htmlFor = control.id;
		if (control.name !== "o") control.value = "";
		control.removeAttribute("aria-invalid");
		control.removeAttribute("aria-describedby");
	}
	row.querySelectorAll(".wrong, datalist").forEach((e) => e.remove());
	rows[rows.length - 1].after(row);
	fit(row);
	return row;
}

if (form) {
	form.querySelector("[data-add]").hidden = false;
	for (const row of form.querySelectorAll("[data-condition]")) {
		row.querySelector("[data-remove]").hidden = false;
		fit(row);
	}
	form.addEventListener("change", (e) => {
		const row = e.target.closest("[data-condition]");
		if (row && e.target.name !== "v") fit(row);
	});
	form.addEventListener("click", (e) => {
		if (e.target.closest("[data-add]")) add().querySelector("input").focus();
		if (e.target.closest("[data-remove]")) {
			const row = e.target.closest("[data-condition]");
			if (form.querySelectorAll("[data-condition]").length === 1) add();
			row.remove();
			form.querySelector("[name='p']").focus();
		}
	});
}

// What is chosen: how many, and their ids.
function chosen() {
	const list = document.getElementById("selection");
	if (!list) return;
	const ids = [...list.querySelectorAll("input[name='id']:checked")].map((box) => box.value);
	const all = document.getElementById("all-match").checked;
	document.getElementById("chosen").textContent = all ? "All are chosen." : ids.length ? `${ids.length} chosen` : "";
	for (const b of list.querySelectorAll("[data-needs-choice]")) b.disabled = !all && !ids.length;
	const copy = list.querySelector("[data-copy-ids]");
	copy.hidden = false;
	copy.disabled = !ids.length;
	return ids;
}
chosen();
addEventListener("pageshow", chosen); // the browser may restore the boxes
document.addEventListener("htmx:after:swap", chosen);
document.addEventListener("change", (e) => e.target.closest("#selection") && chosen());
document.addEventListener("click", async (e) => {
	if (!e.target.closest("[data-copy-ids]")) return;
	try {
		await navigator.clipboard.writeText(chosen().join("\n"));
		say("The ids are copied.");
	} catch {
		say("The browser does not allow copying here.");
	}
});

// The samples of code go away where they came from.
document.addEventListener("click", (e) => {
	const samples = document.getElementById("samples");
	if (samples?.firstChild && e.target.closest("[hx-target='#samples']")) {
		e.preventDefault();
		e.stopImmediatePropagation();
		samples.replaceChildren();
	}
}, true);
