package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"
)

func TestDecades(t *testing.T) {
	t.Parallel()
	var labels []string
	var ticks []plot.Tick = decades{}.Ticks(20, 2_000_000)
	for _, tick := range ticks {
		if tick.Value < 20 || tick.Value > 2_000_000 {
			t.Errorf("got a tick at %v, outside of the axis", tick.Value)
		}
		if tick.Label != "" {
			labels = append(labels, tick.Label)
		}
	}
	if want := []string{"100", "1 k", "10 k", "100 k", "1 M"}; !slices.Equal(labels, want) {
		t.Errorf("got labels %q, want %q", labels, want)
	}
}

func TestPlots(t *testing.T) {
	t.Parallel()
	r := &report{config: &config{}, results: results{}, works: slices.Concat(writes(), growths(false))}
	for i, p := range peers {
		for _, w := range r.works {
			for _, l := range w.lines {
				r.results.add(l.name, p.name, float64(1000*(i+1)))
			}
		}
	}
	dir := t.TempDir()
	for _, c := range []struct {
		file  string
		write func(name string) error
		want  []string
	}{
		{"rates.svg", func(name string) error { return r.writeRates(name, writing) }, []string{"put durable ×1", ours, "PocketBase", "1 k"}},
		{"growth.svg", r.writeGrowth, []string{"page of 100 by index", "statistics", ours}},
	} {
		if err := c.write(filepath.Join(dir, c.file)); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(dir, c.file))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: no %q in it", c.file, want)
			}
		}
	}
	empty := &report{config: &config{}, results: results{}}
	if err := empty.writeGrowth(filepath.Join(dir, "none.svg")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "none.svg")); !os.IsNotExist(err) {
		t.Errorf("got %v, want no file for no results", err)
	}
}
