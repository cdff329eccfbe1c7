package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"
)

// bench runs works in interleaved rounds.
type bench struct {
	dir      string
	rounds   int
	budget   time.Duration // of a cell in one round
	scale    int           // divides the sizes of works, in a quick run
	full     bool
	progress io.Writer
	results  results
}

// results are the values of all rounds, by line and peer.
type results map[string]map[string][]float64

// median returns the median of a line's values for a peer, if there are any.
func (r results) median(line, peer string) (float64, bool) {
	values := r[line][peer]
	if len(values) == 0 {
		return 0, false
	}
	return median(values), true
}

// add notes a value, unless it is not a number: the peer could not do that line.
func (r results) add(line, peer string, v float64) {
	if math.IsNaN(v) {
		return
	}
	if r[line] == nil {
		r[line] = map[string][]float64{}
	}
	r[line][peer] = append(r[line][peer], v)
}

// median returns the middle of some values, or the mean of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// contender is a peer in the rounds of one work.
type contender struct {
	*peer
	cell cell
	dir  string
}

// run does a work: all peers prepare, warm up, and then take turns, in another order
// each round, so that a slow moment of the machine affects all of them alike, and so
// does what a peer leaves behind for the next one, such as pages that the disk is still
// to write. It fails if one of them does, or returns what it should not.
func (b *bench) run(ctx context.Context, w *work) (err error) {
	shuffle := rand.New(rand.NewPCG(1, 0)).Shuffle
	contenders, err := b.begin(ctx, w)
	defer func() {
		for _, c := range contenders {
			err = errors.Join(err, c.close(ctx))
		}
	}()
	if err != nil {
		return err
	}
	for round := -1; round < b.rounds; round++ {
		budget := b.budget
		if round < 0 {
			budget /= 4 // the warm-up
		}
		shuffle(len(contenders), func(i, j int) { contenders[i], contenders[j] = contenders[j], contenders[i] })
		for _, c := range contenders {
			if err := ctx.Err(); err != nil {
				return err
			}
			runtime.GC() // the garbage of one peer is not another's work,
			settle()     // nor are its unwritten pages
			values, err := c.cell.Round(ctx, budget)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", w.name, c.name, err)
			}
			if len(values) != len(w.lines) {
				return fmt.Errorf("%s: %s: got %d values, want %d", w.name, c.name, len(values), len(w.lines))
			}
			if round < 0 {
				continue
			}
			for j, v := range values {
				b.results.add(w.lines[j].name, c.name, v)
			}
		}
	}
	return nil
}

// begin prepares the peers that take part.
func (b *bench) begin(ctx context.Context, w *work) (contenders []*contender, err error) {
	for _, p := range peers {
		if !w.has(p) {
			continue
		}
		dir, err := os.MkdirTemp(b.dir, "bench-")
		if err != nil {
			return contenders, err
		}
		b.sayf("%s: %s", w.name, p.name)
		cell, err := w.begin(ctx, b, p, dir)
		if err != nil {
			os.RemoveAll(dir)
		}
		switch {
		case errors.Is(err, errUnable):
			continue
		case err != nil:
			return contenders, fmt.Errorf("%s: %s: %w", w.name, p.name, err)
		}
		contenders = append(contenders, &contender{p, cell, dir})
	}
	b.sayf("%s: %d rounds", w.name, b.rounds)
	return contenders, nil
}

func (c *contender) close(ctx context.Context) error {
	err := c.cell.Close(ctx)
	if err != nil {
		err = fmt.Errorf("%s: %w", c.name, err)
	}
	return errors.Join(err, os.RemoveAll(c.dir))
}

// sayf reports progress, on a line that replaces itself in a terminal.
func (b *bench) sayf(format string, args ...any) {
	fmt.Fprintf(b.progress, format+"\n", args...)
}

// path returns a name below the directory of a peer.
func path(dir, name string) string { return filepath.Join(dir, name) }
