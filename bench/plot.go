package main

import (
	"bytes"
	"image/color"
	"math"
	"os"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Plots have no background and grey text, so that they are legible on white and on black
// pages. Peers have the colours of Okabe and Ito, which people with any colour vision
// tell apart, and shapes of their own.
var (
	ink  = color.Gray{0x80}
	rule = color.NRGBA{0x80, 0x80, 0x80, 0x50}
)

// look is how a peer is drawn.
type look struct {
	color color.Color
	shape draw.GlyphDrawer
}

var looks = map[string]look{
	ours:         {color.RGBA{0xD5, 0x5E, 0x00, 0xFF}, draw.CircleGlyph{}},
	called:       {color.RGBA{0xD5, 0x5E, 0x00, 0xFF}, draw.RingGlyph{}},
	held:         {color.RGBA{0xD5, 0x5E, 0x00, 0xFF}, draw.SquareGlyph{}},
	floor:        {color.Gray{0x80}, draw.BoxGlyph{}},
	"zombiezen":  {color.Gray{0x80}, draw.SquareGlyph{}},
	"ncruces":    {color.Gray{0x80}, draw.TriangleGlyph{}},
	"PocketBase": {color.RGBA{0x56, 0xB4, 0xE9, 0xFF}, draw.PyramidGlyph{}},
	"bbolt":      {color.RGBA{0x00, 0x9E, 0x73, 0xFF}, draw.PlusGlyph{}},
	"NATS":       {color.RGBA{0xE6, 0x9F, 0x00, 0xFF}, draw.CrossGlyph{}},
	"badgerhold": {color.RGBA{0xCC, 0x79, 0xA7, 0xFF}, draw.BoxGlyph{}},
}

// glyph returns the mark of a peer. That of bucketlite is larger.
func (l look) glyph(name string) draw.GlyphStyle {
	radius := vg.Points(3.5)
	if name == ours {
		radius = vg.Points(5)
	}
	return draw.GlyphStyle{Color: l.color, Radius: radius, Shape: l.shape}
}

// newPlot returns an empty plot in the style of all.
func newPlot(title string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.Text = title
	p.Legend.Padding = vg.Points(3)
	for _, style := range []*text.Style{&p.Title.TextStyle, &p.Legend.TextStyle,
		&p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label} {
		style.Color = ink
		style.Font.Variant = "Sans"
	}
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = ink, ink
	}
	return p
}

// decades are ticks at powers of ten, with smaller ones between.
type decades struct{}

func (decades) Ticks(min, max float64) (ticks []plot.Tick) {
	for power := math.Pow(10, math.Floor(math.Log10(min))); power <= max; power *= 10 {
		for i := 1.0; i < 10; i++ {
			if v := i * power; v >= min && v <= max {
				tick := plot.Tick{Value: v}
				if i == 1 {
					tick.Label = decadeLabel(v)
				}
				ticks = append(ticks, tick)
			}
		}
	}
	return ticks
}

// decadeLabel writes a power of ten, or a small multiple of one.
func decadeLabel(v float64) string {
	switch {
	case v >= 1e6:
		return plain(v/1e6) + " M"
	case v >= 1e3:
		return plain(v/1e3) + " k"
	}
	return plain(v)
}

// logarithmic gives an axis a logarithmic scale with room around some values.
func logarithmic(axis *plot.Axis, low, high float64) {
	axis.Scale, axis.Tick.Marker = plot.LogScale{}, decades{}
	axis.Min, axis.Max = low/1.5, high*1.5
}

// ratePlot draws the rates of some sections: a row for each line and a mark for each
// peer.
func (r *report) ratePlot(sections []string) *plot.Plot {
	var lines []line
	for _, w := range r.works {
		for _, l := range w.lines {
			if l.unit == perSecond && slices.Contains(sections, w.section) && len(r.results[l.name]) > 0 {
				lines = append(lines, l)
			}
		}
	}
	if len(lines) == 0 {
		return nil
	}
	slices.Reverse(lines) // the first one at the top
	names := make([]string, len(lines))
	points := map[string]plotter.XYs{}
	low, high := math.Inf(1), 0.0
	for y, l := range lines {
		names[y] = l.name
		for peer, values := range r.results[l.name] {
			v := median(values)
			points[peer] = append(points[peer], plotter.XY{X: v, Y: float64(y)})
			low, high = min(low, v), max(high, v)
		}
	}
	p := newPlot("")
	p.NominalY(names...)
	p.Y.LineStyle.Width, p.Y.Tick.LineStyle.Width = 0, 0
	p.Y.Min, p.Y.Max = -0.5, float64(len(lines))-0.5
	p.X.Label.Text = "operations a second (medians; further right is faster)"
	logarithmic(&p.X, low, high)
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = rule, rule
	grid.Horizontal.Dashes = nil
	p.Add(grid)
	r.addMarks(p, points, false)
	p.Legend.Top = false
	return p
}

// addMarks adds the marks of all peers, bucketlite's on top, with lines between them or
// without.
func (r *report) addMarks(p *plot.Plot, points map[string]plotter.XYs, joined bool) {
	ordered := slices.Clone(peers)
	slices.Reverse(ordered)
	for _, peer := range ordered {
		if len(points[peer.name]) == 0 {
			continue
		}
		look, ok := looks[peer.name]
		if !ok {
			look = looks[floor]
		}
		marks := &plotter.Scatter{XYs: points[peer.name], GlyphStyle: look.glyph(peer.name)}
		if joined {
			style := draw.LineStyle{Color: look.color, Width: vg.Points(1)}
			if peer.name == ours {
				style.Width = vg.Points(2)
			}
			p.Add(&plotter.Line{XYs: points[peer.name], LineStyle: style})
		}
		p.Add(marks)
	}
}

// legend returns a legend of the peers that have results in some sections.
func (r *report) legend(sections []string) plot.Legend {
	legend := newPlot("").Legend
	legend.Top, legend.Left = true, true
	for _, peer := range peers {
		look, ok := looks[peer.name]
		if ok && r.has(peer.name, sections) {
			legend.Add(peer.name, &plotter.Scatter{GlyphStyle: look.glyph(peer.name)})
		}
	}
	return legend
}

func (r *report) has(peer string, sections []string) bool {
	for _, w := range r.works {
		for _, l := range w.lines {
			if slices.Contains(sections, w.section) && l.unit == perSecond && len(r.results[l.name][peer]) > 0 {
				return true
			}
		}
	}
	return false
}

// growthPlots draws the rates of each line of growth over the size of the bucket.
func (r *report) growthPlots() (plots []*plot.Plot) {
	for _, l := range growthLines {
		points := map[string]plotter.XYs{}
		lowX, highX, lowY, highY := math.Inf(1), 0.0, math.Inf(1), 0.0
		for _, size := range growthSizesFull {
			for peer, values := range r.results[atSize(l.name, size)] {
				x, y := float64(size), median(values)
				points[peer] = append(points[peer], plotter.XY{X: x, Y: y})
				lowX, highX, lowY, highY = min(lowX, x), max(highX, x), min(lowY, y), max(highY, y)
			}
		}
		if lowX >= highX {
			continue // not measured, or in buckets of one size
		}
		p := newPlot(l.name)
		p.X.Label.Text = "objects in the bucket"
		p.Y.Label.Text = "a second"
		logarithmic(&p.X, lowX, highX)
		logarithmic(&p.Y, lowY, highY)
		grid := plotter.NewGrid()
		grid.Horizontal.Color, grid.Vertical.Color = rule, rule
		p.Add(grid)
		r.addMarks(p, points, true)
		plots = append(plots, p)
	}
	return plots
}

// legendWidth is the room for a legend beside plots.
const legendWidth = 135

// writeRates writes the plot of rates to a file, unless there are none.
func (r *report) writeRates(name string, sections ...string) error {
	p := r.ratePlot(sections)
	if p == nil {
		return nil
	}
	canvas := vgsvg.New(760, vg.Length(70+22*len(p.Y.Tick.Marker.Ticks(0, math.MaxFloat64))))
	c := draw.New(canvas)
	p.Draw(draw.Crop(c, 0, -legendWidth, 0, 0))
	legend := r.legend(sections)
	legend.Draw(draw.Crop(c, c.Max.X-legendWidth+8, 0, 0, -10))
	return writeSVG(name, canvas)
}

// writeGrowth writes the plots of growth to a file, three in a row, unless there are none.
func (r *report) writeGrowth(name string) error {
	const across, width, height = 3, 250, 210
	plots := r.growthPlots()
	if len(plots) == 0 {
		return nil
	}
	rows := (len(plots) + across - 1) / across
	canvas := vgsvg.New(across*width+legendWidth, vg.Length(rows*height))
	c := draw.New(canvas)
	for i, p := range plots {
		x, y := vg.Length(i%across)*width, c.Max.Y-vg.Length(i/across+1)*height
		p.Draw(draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: x, Y: y}, Max: vg.Point{X: x + width - 12, Y: y + height - 10}}})
	}
	legend := r.legend([]string{growth})
	legend.Draw(draw.Crop(c, c.Max.X-legendWidth+8, 0, 0, -10))
	return writeSVG(name, canvas)
}

// writeSVG writes a canvas, with fonts that most systems have.
func writeSVG(name string, canvas *vgsvg.Canvas) error {
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return err
	}
	svg := strings.ReplaceAll(b.String(), "font-family:Liberation Sans;", "font-family:Liberation Sans,Arial,Helvetica,sans-serif;")
	return os.WriteFile(name, []byte(svg), 0o644)
}
