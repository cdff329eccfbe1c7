package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// reads are the works that read rows by their keys.
func reads() []*work {
	var works []*work
	for _, goroutines := range []int{1, 32} {
		name := fmt.Sprintf("get by key ×%d", goroutines)
		var goal *target
		if goroutines == 1 {
			goal = atLeast(1.3, floor)
		}
		works = append(works, &work{section: reading, name: name, lines: []line{{name, perSecond, goal}}, guests: []string{held},
			begin: func(ctx context.Context, b *bench, p *peer, dir string) (cell, error) {
				return newReader(ctx, b, p, dir, goroutines)
			}})
	}
	return works
}

// reader is a cell that reads rows in random order.
type reader struct {
	*writer
	getter     getter
	goroutines int
	random     *rand.Rand
	chunk      int
}

// readRows is how many rows there are to be read.
const readRows = 100_000

func newReader(ctx context.Context, b *bench, p *peer, dir string, goroutines int) (*reader, error) {
	w, err := filled(ctx, p, dir, settings{}, readRows/b.scale)
	if err != nil {
		return nil, err
	}
	return &reader{w, w.store.(getter), goroutines, rand.New(rand.NewPCG(1, 2)), 1024}, nil
}

// filled opens a peer and stores rows in scattered order, in the way that is fastest.
// A peer without a relaxed mode is durable.
func filled(ctx context.Context, p *peer, dir string, s settings, rows int) (*writer, error) {
	if p.relaxed == "" {
		s.durable = true
	}
	w, err := newWriter(ctx, p, dir, s)
	if err != nil {
		return nil, err
	}
	w.order = scattered
	if err := w.fill(ctx, rows); err != nil {
		return nil, errors.Join(err, w.store.Close())
	}
	return w, nil
}

// fill stores rows until there are as many.
func (w *writer) fill(ctx context.Context, rows int) error {
	bulk, canBulk := w.store.(bulkPutter)
	put, canPut := w.store.(putter)
	for w.stored < rows {
		next := newRows(w.order, w.stored, min(many, rows-w.stored))
		var err error
		switch {
		case canBulk:
			err = bulk.PutMany(ctx, next)
		case canPut:
			err = together(32, next, func(r *row) error { return put.Put(ctx, r) })
		default:
			err = errUnable
		}
		if err != nil {
			return err
		}
		w.stored += len(next)
	}
	return nil
}

func (r *reader) Round(ctx context.Context, budget time.Duration) ([]float64, error) {
	rate, err := inChunks(budget, math.MaxInt, &r.chunk, 1, func(n int) (time.Duration, error) {
		return readKeys(ctx, r.getter, r.goroutines, randomKeys(r.random, n, r.stored))
	})
	return []float64{rate}, err
}

// randomKeys returns the keys of some of the rows that were stored in scattered order.
func randomKeys(random *rand.Rand, n, stored int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = keyOf(scattered(random.IntN(stored)))
	}
	return keys
}

// readKeys reads the rows with the keys, and returns how long that took.
func readKeys(ctx context.Context, g getter, goroutines int, keys []string) (time.Duration, error) {
	start := time.Now()
	err := together(goroutines, keys, func(key string) error { return readKey(ctx, g, key) })
	return time.Since(start), err
}

// readKey reads the row with the key, and compares its key.
func readKey(ctx context.Context, g getter, key string) error {
	row, err := g.Row(ctx, key)
	if err == nil && row.Key() != key {
		err = fmt.Errorf("key %q: got %v", key, row.Fields())
	}
	return err
}
