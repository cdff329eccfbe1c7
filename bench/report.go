package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// report writes results as Markdown.
type report struct {
	*config
	machine machine
	works   []*work
	results results
	began   time.Time
	took    time.Duration
}

// columns returns the names of the peers that can take part in a section.
func columns(works []*work, section string) (names []string) {
	for _, p := range peers {
		if slices.ContainsFunc(works, func(w *work) bool { return w.section == section && w.has(p) }) {
			names = append(names, p.name)
		}
	}
	return names
}

// header returns the head of a section's table.
func (r *report) header(section string, columns []string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "\n## %s\n\n| |", section)
	for _, c := range columns {
		fmt.Fprintf(&s, " %s |", c)
	}
	s.WriteString(" target |\n|---|")
	for range columns {
		s.WriteString("---:|")
	}
	s.WriteString("---|\n")
	return s.String()
}

// line returns a line of a table: for each peer the median and, in parentheses, the
// least and the largest value.
func (r *report) line(l line, columns []string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "| %s |", l.name)
	for _, c := range columns {
		fmt.Fprintf(&s, " %s |", cellText(r.results[l.name][c], l.unit))
	}
	fmt.Fprintf(&s, " %s |", l.target.verdict(r.results, l))
	return s.String()
}

func cellText(values []float64, u unit) string {
	switch {
	case len(values) == 0:
		return "–"
	case len(values) == 1:
		return u.format(values[0])
	}
	return fmt.Sprintf("%s (%s–%s)", u.format(median(values)), u.format(slices.Min(values)), u.format(slices.Max(values)))
}

// summary says how many targets hold, how long the run took, and names the losses.
func (r *report) summary() string {
	held, of := 0, 0
	var missed []string
	for _, w := range r.works {
		for _, l := range w.lines {
			switch verdict := l.target.verdict(r.results, l); {
			case strings.HasPrefix(verdict, holdsSign):
				held++
				of++
			case verdict != "":
				of++
				missed = append(missed, l.name)
			}
		}
	}
	s := fmt.Sprintf("%d of %d targets hold, after %s and %d rounds.", held, of, r.took.Round(time.Second), r.rounds)
	if r.quick {
		s += " A quick run: a tenth of the sizes."
	}
	if len(missed) > 0 {
		s += " Missed: " + strings.Join(missed, "; ") + "."
	}
	return s
}

// markdown returns the whole report. Columns and lines without a value are left out.
func (r *report) markdown() string {
	var s strings.Builder
	fmt.Fprintf(&s, "# %s\n\n%s\n\n%s\n", r.name, r.machine, r.summary())
	s.WriteString("\nEach value is the median of the rounds, with the least and the largest. \"–\": the peer cannot do it.\n")
	for i, w := range r.works {
		if i > 0 && r.works[i-1].section == w.section {
			continue
		}
		s.WriteString(r.table(w.section))
	}
	s.WriteString("\n## Settings\n\n| | version | durable | relaxed |\n|---|---|---|---|\n")
	for _, p := range peers {
		fmt.Fprintf(&s, "| %s | %s | %s | %s |\n", p.name, r.machine.version(p), orDash(p.durable), orDash(p.relaxed))
	}
	return s.String()
}

// table returns the table of a section, with the columns and lines that have values.
func (r *report) table(section string) string {
	var lines []line
	for _, w := range r.works {
		if w.section == section {
			lines = append(lines, w.lines...)
		}
	}
	used := slices.DeleteFunc(columns(r.works, section), func(c string) bool {
		return !slices.ContainsFunc(lines, func(l line) bool { return len(r.results[l.name][c]) > 0 })
	})
	s := r.header(section, used)
	for _, l := range lines {
		if len(r.results[l.name]) > 0 {
			s += r.line(l, used) + "\n"
		}
	}
	return s
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// write writes the report and its plots to files of a directory.
func (r *report) write(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	name := filepath.Join(dir, r.name)
	return errors.Join(
		os.WriteFile(name+".md", []byte(r.markdown()), 0o644),
		r.writeRates(name+"-rates.svg", writing, reading, serving),
		r.writeGrowth(name+"-growth.svg"),
	)
}
