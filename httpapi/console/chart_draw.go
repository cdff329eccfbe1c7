package console

import (
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// The measures of the picture of a chart, in the units of its SVG.
const (
	chartWidth  = 480
	chartLabel  = 130 // of the names of groups
	chartNumber = 80  // of the values
	chartStep   = 28  // from bar to bar
	chartBar    = 18  // the height of a bar
	maxBars     = 50
	labelLength = 18 // characters
)

// A chart is a picture of groups, with the table of their values beside it.
type chart struct {
	Groups  []chartGroup
	Bars    []bar
	Height  int
	Width   int
	Zero    float64 // where the value 0 is
	Left    int     // groups without a bar
	Label   string
	By      string
	Points  string // of a line over time, as JSON for the script; empty for none
	Partial bool   // there are more groups than are taken
}

// A bar is a group in the picture.
type bar struct {
	Label, Whole, Text string
	Y, TextY           int
	X, Length, TextX   float64
}

// newChart draws groups as bars, and prepares a line if the groups are times.
func newChart(v chartView, groups []chartGroup) *chart {
	c := &chart{Groups: groups, Width: chartWidth, Label: v.label(), By: v.By, Partial: len(groups) == maxChartGroups}
	shown := groups[:min(len(groups), maxBars)]
	c.Left = len(groups) - len(shown)
	low, high := 0.0, 0.0
	for _, g := range shown {
		low, high = min(low, g.Number), max(high, g.Number)
	}
	scale := 0.0
	if span := high - low; span > 0 && !math.IsInf(span, 0) {
		scale = (chartWidth - chartLabel - chartNumber) / span
	}
	c.Zero = chartLabel - low*scale
	for i, g := range shown {
		b := bar{Label: cut(g.Short(), labelLength), Whole: cut(g.Key, shownTitle), Text: g.Text, Y: i*chartStep + (chartStep-chartBar)/2, TextY: i*chartStep + chartStep/2 + 4}
		if b.Label == "" {
			b.Label = `""`
		}
		b.X, b.Length = c.Zero, g.Number*scale
		if g.Number < 0 {
			b.X, b.Length = c.Zero+g.Number*scale, -g.Number*scale
		}
		b.TextX = b.X + b.Length + 6
		c.Bars = append(c.Bars, b)
	}
	c.Height = len(shown) * chartStep
	c.Points = linePoints(groups)
	return c
}

// linePoints returns the times and values of groups, in the form that the script wants,
// if all groups but one without a key are times and there are several.
func linePoints(groups []chartGroup) string {
	var times []int64
	var values []float64
	for _, g := range groups {
		if g.Key == "none" {
			continue
		}
		if g.time.IsZero() || len(times) > 0 && g.time.Unix() <= times[len(times)-1] {
			return ""
		}
		times, values = append(times, g.time.Unix()), append(values, g.Number)
	}
	if len(times) < 3 {
		return ""
	}
	text, err := json.Marshal([]any{times, values})
	if err != nil { // a value that is no number
		return ""
	}
	return string(text)
}

// formatNumber returns a number with separators, and at most four digits after the point.
func formatNumber(n json.Number) string {
	if i, err := n.Int64(); err == nil {
		return humanize.Comma(i)
	}
	f, err := n.Float64()
	if err != nil || math.Abs(f) >= 1e15 || f != 0 && math.Abs(f) < 1e-3 || utf8.RuneCountInString(n.String()) < 6 {
		return n.String()
	}
	return humanize.CommafWithDigits(f, 4)
}

// Px returns a length for an attribute of the picture.
func (b bar) Px(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }
