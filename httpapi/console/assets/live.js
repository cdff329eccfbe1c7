// The feed keeps its newest rows only, and says whether it is connected.

const most = 500;
const list = document.getElementById("events");
const state = document.getElementById("state");
let count = 0;
document.addEventListener("htmx:sse:after:message", () => {
	document.getElementById("none")?.remove();
	while (list.children.length > most) list.lastElementChild.remove();
	count++;
	if (state) state.textContent = `${count} ${count === 1 ? "change" : "changes"} since this page was opened.`;
});
document.addEventListener("htmx:sse:error", () => {
	if (state) state.textContent = "The connection was lost. It is tried again.";
});
