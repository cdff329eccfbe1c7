package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// large is the large work that runs beside small puts.
type large int

const (
	nothing large = iota
	deletion
	stream
	indexing
)

// laboured is a peer that can do such work in a bucket of its own.
type laboured interface {
	putter
	// Prepare makes what the work needs, with as many rows or as many bytes.
	Prepare(ctx context.Context, l large, rows int, bytes int64) error
	// Labour does it, and returns how many rows it has deleted.
	Labour(ctx context.Context, l large) (deleted int, err error)
}

const (
	largeRows  = 100_000
	largeBytes = 256 << 20
)

// latencies is the work that measures the time of small puts while large work runs.
func latencies() []*work {
	const idle = "p99 of durable puts, idle"
	beside := func(what string) line {
		return line{"p99 of durable puts, beside " + what, seconds, &target{times: 10, line: idle, orUpTo: 0.025}}
	}
	lines := []line{{name: idle, unit: seconds}, beside("a large delete"), beside("a large blob"), beside("an index build")}
	return []*work{{section: latency, name: "p99", lines: lines, peers: []string{ours, floor},
		begin: func(ctx context.Context, b *bench, p *peer, dir string) (cell, error) {
			w, err := newWriter(ctx, p, dir, settings{durable: true})
			if err != nil {
				return nil, err
			}
			l, ok := w.store.(laboured)
			if !ok {
				return nil, w.unable()
			}
			return &patience{writer: w, laboured: l, scale: b.scale}, nil
		}}}
}

// patience is a cell that notes how long each put takes.
type patience struct {
	*writer
	laboured
	scale int
}

func (c *patience) Put(ctx context.Context, r *row) error { return c.laboured.Put(ctx, r) }

func (c *patience) Close(ctx context.Context) error { return c.writer.Close(ctx) }

func (c *patience) Round(ctx context.Context, budget time.Duration) ([]float64, error) {
	var values []float64
	for _, l := range []large{nothing, deletion, stream, indexing} {
		v, err := c.beside(ctx, l, budget)
		if errors.Is(err, errUnable) {
			v, err = math.NaN(), nil
		}
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// beside puts rows by one goroutine until the large work is done, or for the budget if
// there is none, and returns the time that one put of a hundred exceeds.
func (c *patience) beside(ctx context.Context, l large, budget time.Duration) (float64, error) {
	rows := largeRows / c.scale
	if l != nothing {
		if err := c.Prepare(ctx, l, rows, largeBytes/int64(c.scale)); err != nil {
			return 0, err
		}
	}
	done := make(chan error, 1)
	go func() {
		if l == nothing {
			time.Sleep(budget)
			done <- nil
			return
		}
		deleted, err := c.Labour(ctx, l)
		if err == nil && l == deletion && deleted != rows {
			err = fmt.Errorf("deleted %d rows, want %d", deleted, rows)
		}
		done <- err
	}()
	var took []time.Duration
	for {
		r := newRow(c.stored)
		start := time.Now()
		if err := c.Put(ctx, r); err != nil {
			return 0, errors.Join(err, <-done)
		}
		took = append(took, time.Since(start))
		c.stored++
		select {
		case err := <-done:
			return quantile(took, 0.99).Seconds(), err
		default:
		}
	}
}

// quantile returns the time that the share of all times does not exceed.
func quantile(times []time.Duration, share float64) time.Duration {
	slices.Sort(times)
	return times[min(len(times)-1, int(math.Ceil(share*float64(len(times))))-1)]
}
