package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// writes are the works that store rows.
func writes() []*work {
	var works []*work
	for _, durable := range []bool{true, false} {
		for _, goroutines := range []int{1, 32} {
			works = append(works, putWork(durable, goroutines))
		}
	}
	works = append(works, bulkWork(true, "rising", rising), bulkWork(false, "rising", rising), bulkWork(false, "scattered", scattered))
	return append(works, upsertWork(true), upsertWork(false))
}

func durability(durable bool) string {
	if durable {
		return "durable"
	}
	return "relaxed"
}

func putWork(durable bool, goroutines int) *work {
	name := fmt.Sprintf("put %s ×%d", durability(durable), goroutines)
	goal := map[string]*target{
		"put durable ×1": atLeast(0.85, floor), "put durable ×32": atLeast(8, floor),
		"put relaxed ×1": atLeast(0.75, floor), "put relaxed ×32": atLeast(1, "NATS"),
	}[name]
	return &work{section: writing, name: name, lines: []line{{name, perSecond, goal}},
		begin: func(ctx context.Context, b *bench, p *peer, dir string) (cell, error) {
			return newPutter(ctx, p, dir, durable, goroutines)
		}}
}

// newPutter returns a cell that puts rows one by one.
func newPutter(ctx context.Context, p *peer, dir string, durable bool, goroutines int) (*writer, error) {
	w, err := newWriter(ctx, p, dir, settings{durable: durable})
	if err != nil {
		return nil, err
	}
	putter, ok := w.store.(putter)
	if !ok {
		return nil, w.unable()
	}
	put := putter.Put
	if group, ok := w.store.(groupPutter); ok && goroutines > 1 {
		put = group.GroupPut
	}
	w.write = func(ctx context.Context, rows []*row) error {
		return together(goroutines, rows, func(r *row) error { return put(ctx, r) })
	}
	w.chunk, w.step = 8*goroutines, goroutines // bbolt keeps a batch that lacks calls for a while
	return w, nil
}

func bulkWork(durable bool, kind string, order func(int) int) *work {
	name := fmt.Sprintf("many %s, %s keys", durability(durable), kind)
	goal := map[string]*target{"many relaxed, rising keys": atLeast(0.65, floor)}[name]
	return &work{section: writing, name: name, lines: []line{{name, perSecond, goal}},
		begin: func(ctx context.Context, b *bench, p *peer, dir string) (cell, error) {
			w, err := newWriter(ctx, p, dir, settings{durable: durable})
			if err != nil {
				return nil, err
			}
			bulk, ok := w.store.(bulkPutter)
			if !ok {
				return nil, w.unable()
			}
			w.order = order
			w.write = func(ctx context.Context, rows []*row) error { return inThousands(ctx, bulk, rows) }
			w.chunk, w.step = 2*many, many
			return w, nil
		}}
}

// many is how many rows a call of PutMany has.
const many = 1000

func inThousands(ctx context.Context, bulk bulkPutter, rows []*row) error {
	for len(rows) > 0 {
		n := min(many, len(rows))
		if err := bulk.PutMany(ctx, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// writer is a cell that stores new rows.
type writer struct {
	store
	peer   *peer
	write  func(ctx context.Context, rows []*row) error
	order  func(int) int
	stored int
	chunk  int // rows that are made at once, outside of the time
	step   int // of which a chunk is a multiple
}

// mostRows is how many rows a round stores, at most. A peer that is fast would else work
// on a store much larger than that of a slow one.
const mostRows = 60_000

// newWriter opens a peer, if it has such a durability.
func newWriter(ctx context.Context, p *peer, dir string, s settings) (*writer, error) {
	if s.durable && p.durable == "" || !s.durable && p.relaxed == "" {
		return nil, errUnable
	}
	st, err := p.open(ctx, dir, s)
	if err != nil {
		return nil, err
	}
	return &writer{store: st, peer: p, order: rising, chunk: 1, step: 1}, nil
}

// unable closes the store, and returns errUnable.
func (w *writer) unable() error {
	if err := w.store.Close(); err != nil {
		return err
	}
	return errUnable
}

func (w *writer) Round(ctx context.Context, budget time.Duration) ([]float64, error) {
	rate, err := inChunks(budget, mostRows, &w.chunk, w.step, func(n int) (time.Duration, error) {
		rows := newRows(w.order, w.stored, n)
		start := time.Now()
		err := w.write(ctx, rows)
		took := time.Since(start)
		w.stored += n
		return took, err
	})
	return []float64{rate}, err
}

// inChunks calls do with numbers of operations until these have taken the budget, or are
// as many as most, and returns how many there were in a second. chunk is the size of the
// first; later ones take an eighth of the budget each.
func inChunks(budget time.Duration, most int, chunk *int, step int, do func(n int) (time.Duration, error)) (float64, error) {
	var took time.Duration
	done := 0
	for took < budget && done < most {
		d, err := do(*chunk)
		if err != nil {
			return 0, err
		}
		took += d
		done += *chunk
		next := int(float64(done) / took.Seconds() * budget.Seconds() / 8)
		*chunk = max(step, min(next, 2*(*chunk), 20_000)/step*step)
	}
	return float64(done) / took.Seconds(), nil
}

// Close verifies the count and some of the rows.
func (w *writer) Close(ctx context.Context) error {
	err := w.verify(ctx)
	if closed := w.store.Close(); err == nil {
		err = closed
	}
	return err
}

func (w *writer) verify(ctx context.Context) error {
	if err := verifyCount(ctx, w.store, w.stored); err != nil {
		return err
	}
	return verifySome(ctx, w.store, w.order, 0, w.stored)
}

func verifyCount(ctx context.Context, s store, want int) error {
	got, err := s.Count(ctx)
	if err == nil && got != want {
		err = fmt.Errorf("got %d rows, want %d", got, want)
	}
	return err
}

// verifySome reads back some of the n rows from position from of an order, the last one
// among them.
func verifySome(ctx context.Context, s store, order func(int) int, from, n int) error {
	for i := n - 1; i >= 0; i -= 1 + n/200 {
		if err := verifyRow(ctx, s, newRow(order(from+i))); err != nil {
			return err
		}
	}
	return nil
}

// verifyRow reads a row back.
func verifyRow(ctx context.Context, s store, r *row) error {
	got, err := s.(getter).Row(ctx, r.key)
	if err != nil {
		return err
	}
	return r.verify(got.Fields())
}

// together calls do with each of some items, by as many goroutines, and returns the
// first error.
func together[T any](goroutines int, items []T, do func(T) error) error {
	if goroutines == 1 {
		for _, item := range items {
			if err := do(item); err != nil {
				return err
			}
		}
		return nil
	}
	var (
		next  atomic.Int64
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	for range goroutines {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(items)); i = next.Add(1) - 1 {
				if err := do(items[i]); err != nil {
					once.Do(func() { first = err })
					return
				}
			}
		})
	}
	wg.Wait()
	return first
}
