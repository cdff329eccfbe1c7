package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"one", []float64{3}, 3},
		{"odd", []float64{9, 1, 4}, 4},
		{"even", []float64{8, 2, 4, 100}, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			before := append([]float64{}, c.values...)
			if got := median(c.values); got != c.want {
				t.Errorf("median of %v: got %v, want %v", c.values, got, c.want)
			}
			for i := range before {
				if c.values[i] != before[i] {
					t.Errorf("median changed the values: got %v, want %v", c.values, before)
				}
			}
		})
	}
}

// turn is a cell that notes when it has its turn.
type turn struct {
	name   string
	turns  *[]string
	fail   error
	closed *int
}

func (c *turn) Round(context.Context, time.Duration) ([]float64, error) {
	*c.turns = append(*c.turns, c.name)
	return []float64{float64(len(*c.turns))}, c.fail
}

func (c *turn) Close(context.Context) error { *c.closed++; return nil }

func TestRoundsInterleave(t *testing.T) {
	t.Parallel()
	var turns []string
	closed := 0
	b := &bench{dir: t.TempDir(), rounds: 2, progress: io.Discard, results: results{}}
	w := &work{name: "turns", lines: []line{{name: "turns"}}, peers: []string{ours, floor, "bbolt"},
		begin: func(_ context.Context, _ *bench, p *peer, _ string) (cell, error) {
			if p.name == "bbolt" {
				return nil, errUnable
			}
			return &turn{p.name, &turns, nil, &closed}, nil
		}}
	if err := b.run(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	if len(turns) != 6 {
		t.Fatalf("got turns %q, want six", turns)
	}
	for i := 0; i < len(turns); i += 2 { // the first two warm up
		if got := slices.Sorted(slices.Values(turns[i : i+2])); got[0] != ours || got[1] != floor {
			t.Errorf("got turns %q in round %d, want one of each", got, i/2)
		}
	}
	var want []float64
	for i, name := range turns[2:] {
		if name == ours {
			want = append(want, float64(3+i))
		}
	}
	if got := b.results["turns"][ours]; !slices.Equal(got, want) {
		t.Errorf("got values %v, want %v", got, want)
	}
	if closed != 2 {
		t.Errorf("got %d closed cells, want 2", closed)
	}
}

func TestFailingPeerFailsTheRun(t *testing.T) {
	t.Parallel()
	fault := errors.New("fault")
	var turns []string
	closed := 0
	b := &bench{dir: t.TempDir(), rounds: 2, progress: io.Discard, results: results{}}
	w := &work{name: "fails", lines: []line{{name: "fails"}}, peers: []string{ours},
		begin: func(_ context.Context, _ *bench, p *peer, _ string) (cell, error) {
			return &turn{p.name, &turns, fault, &closed}, nil
		}}
	if err := b.run(t.Context(), w); !errors.Is(err, fault) || closed != 1 {
		t.Errorf("got %v and %d closed cells, want %v and 1", err, closed, fault)
	}
}

func TestInChunks(t *testing.T) {
	t.Parallel()
	const each = time.Millisecond
	chunk, done := 3, 0
	rate, err := inChunks(time.Second, 500, &chunk, 3, func(n int) (time.Duration, error) {
		if n%3 != 0 || n == 0 {
			t.Errorf("got a chunk of %d, want a multiple of 3", n)
		}
		done += n
		return time.Duration(n) * each, nil
	})
	if err != nil || rate < 999 || rate > 1001 {
		t.Errorf("got %v a second, %v, want 1000", rate, err)
	}
	if done < 500 || done > 500+150 {
		t.Errorf("got %d operations, want a few more than 500, where it must end", done)
	}
}
