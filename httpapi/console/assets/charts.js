// Groups that are times are also shown as a line.

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A colour of the style sheet, as a canvas understands it.
function colour(name) {
	const probe = document.createElement("i");
	probe.hidden = true;
	document.body.append(probe);
	probe.style.color = `var(${name})`;
	const value = getComputedStyle(probe).color;
	probe.remove();
	return value;
}

function draw() {
	for (const plot of document.querySelectorAll("[data-points]")) {
		if (plot.firstChild || !window.uPlot) continue;
		plot.hidden = false;
		const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line"), width: 1 }, font: "12px " + css("--font") };
		const chart = new uPlot(
			{
				width: plot.clientWidth,
				height: 280,
				scales: { y: { range: (_, low, high) => [Math.min(0, low), high || 1] } },
				axes: [axis, { ...axis, size: 70 }],
				series: [{}, { label: plot.dataset.label, stroke: colour("--accent"), fill: colour("--accent-wash"), width: 2, points: { show: false } }],
			},
			JSON.parse(plot.dataset.points),
			plot,
		);
		new ResizeObserver(() => chart.setSize({ width: plot.clientWidth, height: 280 })).observe(plot);
		plot.closest("figure").querySelector("svg.chart")?.setAttribute("hidden", "");
	}
}
addEventListener("load", draw);
document.addEventListener("htmx:after:swap", draw);
draw();
