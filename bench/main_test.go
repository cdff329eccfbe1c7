package main

import (
	"maps"
	"slices"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		args   []string
		rounds int
		named  bool // by the date
		fails  bool
	}{
		{"default", nil, 5, true, false},
		{"quick", []string{"-quick"}, 1, false, false},
		{"full", []string{"-full"}, 5, true, false},
		{"rounds", []string{"-quick", "-rounds", "3"}, 3, false, false},
		{"only", []string{"-only", "put"}, 5, false, false},
		{"peers", []string{"-peers", "^raw$"}, 5, false, false},
		{"both", []string{"-quick", "-full"}, 0, false, true},
		{"bad expression", []string{"-only", "("}, 0, false, true},
		{"bad expression for peers", []string{"-peers", "("}, 0, false, true},
		{"negative", []string{"-rounds", "-1"}, 0, false, true},
		{"argument", []string{"put"}, 0, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := parse(c.args)
			if c.fails {
				if err == nil {
					t.Errorf("got %+v, want an error", got)
				}
				return
			}
			if err != nil || got.rounds != c.rounds || (got.name != "") != c.named {
				t.Errorf("got %+v, %v, want %d rounds, a name: %v", got, err, c.rounds, c.named)
			}
		})
	}
}

// Lines have names of their own, and peers and targets name what exists.
func TestWorks(t *testing.T) {
	t.Parallel()
	for _, full := range []bool{false, true} {
		names := map[string]bool{}
		var targets []*target
		for _, w := range works(full) {
			for _, p := range slices.Concat(w.peers, w.guests) {
				if peerNamed(p) == nil {
					t.Errorf("%s: no peer %q", w.name, p)
				}
			}
			for _, l := range w.lines {
				if names[l.name] {
					t.Errorf("two lines are called %q", l.name)
				}
				names[l.name] = true
				if l.target != nil {
					targets = append(targets, l.target)
				}
			}
		}
		for _, g := range targets {
			if g.line != "" && !names[g.line] || g.peer != "" && peerNamed(g.peer) == nil {
				t.Errorf("target %+v: no such line or peer", *g)
			}
		}
		if want := 10; !full && len(targets) != want || full && len(targets) <= want {
			t.Errorf("full %v: got %d targets, want %d, and more when full", full, len(targets), want)
		}
	}
}

func TestChosen(t *testing.T) {
	t.Parallel()
	all := []string{ours, floor, "zombiezen", "ncruces", "PocketBase", "bbolt", "NATS", "badgerhold"}
	for _, c := range []struct {
		name string
		args []string
		want map[string][]string // the peers by the names of works
	}{
		{"works and lines", []string{"-only", "^put durable ×1$|^growth at 10 k$"}, map[string][]string{
			"put durable ×1": all, "growth at 10 k": {ours, floor, "zombiezen", "ncruces", "PocketBase", "bbolt", "badgerhold"}}},
		{"with a guest", []string{"-only", "^get by key ×1$", "-peers", "^bucketlite"}, map[string][]string{"get by key ×1": {ours, held}}},
		{"without a peer", []string{"-only", "^put durable ×1$|^blobs of 64 KiB durable$", "-peers", "^files$"}, map[string][]string{"blobs of 64 KiB durable": {"files"}}},
		{"none", []string{"-only", "put", "-peers", "^SQLite$"}, map[string][]string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			config, err := parse(c.args)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string][]string{}
			for _, w := range chosen(works(false), config) {
				got[w.name] = w.peers
			}
			if !maps.EqualFunc(got, c.want, slices.Equal) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
