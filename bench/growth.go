package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// growthPeers are the peers with queries, and the largest buckets that they get: some
// take an hour to fill the largest.
var growthPeers = []struct {
	name string
	most int
}{
	{ours, 3_000_000}, {floor, 3_000_000}, {"zombiezen", 1_000_000}, {"ncruces", 1_000_000},
	{"PocketBase", 1_000_000}, {"bbolt", 1_000_000}, {"badgerhold", 10_000},
}

// growthSizes are the numbers of objects of the default run, and of -full. Targets
// compare the last with growthBase.
var (
	growthSizes     = []int{1_000, 10_000, 100_000}
	growthSizesFull = append(growthSizes[:3:3], 1_000_000, 3_000_000)
)

const (
	growthBase = 100_000
	growthMost = 3_000_000
)

// growthLines are what is measured in a bucket of a size.
var growthLines = []struct {
	name   string
	writes bool // only in the larger buckets, since it makes them grow
	do     func(*growing, context.Context, time.Duration) (float64, error)
}{
	{"get by key", false, (*growing).get},
	{"page of 100 by index", false, func(g *growing, ctx context.Context, d time.Duration) (float64, error) { return g.page(ctx, d, true) }},
	{"page of 100 by scan", false, func(g *growing, ctx context.Context, d time.Duration) (float64, error) { return g.page(ctx, d, false) }},
	{"rows counted by index", false, func(g *growing, ctx context.Context, d time.Duration) (float64, error) {
		return g.countOf(ctx, d, true)
	}},
	{"rows counted by scan", false, func(g *growing, ctx context.Context, d time.Duration) (float64, error) {
		return g.countOf(ctx, d, false)
	}},
	{"statistics", false, (*growing).sums},
	{"put relaxed", true, (*growing).put},
	{"many relaxed, rising keys", true, func(g *growing, ctx context.Context, d time.Duration) (float64, error) { return g.many(ctx, d, true) }},
	{scatteredMany, true, func(g *growing, ctx context.Context, d time.Duration) (float64, error) { return g.many(ctx, d, false) }},
}

const scatteredMany = "many relaxed, scattered keys"

// growths are the works that repeat reads and writes in buckets of several sizes.
func growths(full bool) (works []*work) {
	sizes := growthSizes
	if full {
		sizes = growthSizesFull
	}
	for _, size := range sizes {
		w := &work{section: growth, name: "growth at " + decadeLabel(float64(size))}
		for _, p := range growthPeers {
			if size <= p.most {
				w.peers = append(w.peers, p.name)
			}
		}
		for _, l := range growthLines {
			if !l.writes || size >= growthBase {
				w.lines = append(w.lines, line{atSize(l.name, size), perSecond, growthTarget(l.name, size)})
			}
		}
		w.begin = func(ctx context.Context, b *bench, p *peer, dir string) (cell, error) {
			return newGrowing(ctx, p, dir, size/b.scale, len(w.lines))
		}
		works = append(works, w)
	}
	return works
}

// atSize returns the name of a line.
func atSize(name string, size int) string { return name + " at " + decadeLabel(float64(size)) }

func growthTarget(name string, size int) *target {
	switch {
	case size != growthMost:
		return nil
	case name == scatteredMany:
		return atLeastOf(0.4, atSize("many relaxed, rising keys", size))
	}
	return atLeastOf(0.8, atSize(name, growthBase))
}

// growing is a cell with a bucket of some size.
type growing struct {
	*writer
	lines   int
	querier querier // nil if there are no queries
	random  *rand.Rand
	risen   int // rows with rising keys
	stocks  map[int]int
	cheap   int
}

// firstRisen is the number of the first row with a rising key: after all scattered ones.
const firstRisen = 1 << scatterBits

// cheapPrice is the bound of the filter without an index. One row of 100 is below it.
const cheapPrice = 10

func newGrowing(ctx context.Context, p *peer, dir string, size, lines int) (*growing, error) {
	w, err := filled(ctx, p, dir, settings{queried: true}, size)
	if err != nil {
		return nil, err
	}
	g := &growing{writer: w, lines: lines, random: rand.New(rand.NewPCG(5, 6)), stocks: map[int]int{}}
	g.querier, _ = w.store.(querier)
	for i := range size {
		g.note(scattered(i))
	}
	return g, nil
}

// note counts a row for the filters.
func (g *growing) note(n int) {
	_, _, price, stock, _ := drawn(n)
	g.stocks[stock]++
	if price < cheapPrice {
		g.cheap++
	}
}

// Round measures the lines. Those that the peer has not are not a number.
func (g *growing) Round(ctx context.Context, budget time.Duration) ([]float64, error) {
	values := make([]float64, g.lines)
	for i := range values {
		v, err := growthLines[i].do(g, ctx, budget/3)
		if errors.Is(err, errUnable) {
			v, err = math.NaN(), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", growthLines[i].name, err)
		}
		values[i] = v
	}
	return values, nil
}

func (g *growing) get(ctx context.Context, budget time.Duration) (float64, error) {
	chunk := 32
	return inChunks(budget, math.MaxInt, &chunk, 1, func(n int) (time.Duration, error) {
		return readKeys(ctx, g.store.(getter), 1, randomKeys(g.random, n, g.stored))
	})
}

// repeated calls do until the budget is over, and returns how often it did in a second,
// times of.
func repeated(budget time.Duration, of float64, do func() error) (float64, error) {
	start, n := time.Now(), 0
	for {
		if err := do(); err != nil {
			return 0, err
		}
		n++
		if took := time.Since(start); took >= budget {
			return float64(n) * of / took.Seconds(), nil
		}
	}
}

// filter returns a filter, another one each time if it is indexed, and how many rows it
// selects.
func (g *growing) filter(indexed bool) (f filter, selected int) {
	if !indexed {
		return filter{value: cheapPrice}, g.cheap
	}
	stock := g.random.IntN(stocks)
	return filter{indexed: true, value: float64(stock)}, g.stocks[stock]
}

// page lists the first rows of a filter, and compares them.
func (g *growing) page(ctx context.Context, budget time.Duration, indexed bool) (float64, error) {
	const limit = 100
	if g.querier == nil {
		return 0, errUnable
	}
	verified := false
	return repeated(budget, 1, func() error {
		f, selected := g.filter(indexed)
		rows, err := g.querier.Page(ctx, f, limit)
		if err != nil {
			return err
		}
		if len(rows) != min(limit, selected) {
			return fmt.Errorf("got a page of %d rows, want %d", len(rows), min(limit, selected))
		}
		if verified {
			return nil
		}
		verified = true
		return verifyPage(f, rows)
	})
}

func verifyPage(f filter, rows []decoded) error {
	seen := map[string]bool{}
	for _, r := range rows {
		var n int
		if _, err := fmt.Sscanf(r.Key(), "sku-%d", &n); err != nil || seen[r.Key()] {
			return fmt.Errorf("got row %q, want each row once", r.Key())
		}
		seen[r.Key()] = true
		if _, _, price, stock, _ := drawn(n); !f.selects(stock, price) {
			return fmt.Errorf("got row %q, which the filter does not select", r.Key())
		}
		if err := newRow(n).verify(r.Fields()); err != nil {
			return err
		}
	}
	return nil
}

// countOf counts the rows of a filter. The rate is of the rows that are counted with an
// index, and of all rows, which are scanned, without one.
func (g *growing) countOf(ctx context.Context, budget time.Duration, indexed bool) (float64, error) {
	if g.querier == nil {
		return 0, errUnable
	}
	of := float64(g.stored + g.risen)
	if indexed {
		of /= stocks
	}
	return repeated(budget, of, func() error {
		f, selected := g.filter(indexed)
		n, err := g.querier.CountOf(ctx, f)
		if err == nil && n != selected {
			err = fmt.Errorf("got a count of %d rows, want %d", n, selected)
		}
		return err
	})
}

func (g *growing) sums(ctx context.Context, budget time.Duration) (float64, error) {
	s, ok := g.store.(summer)
	if !ok {
		return 0, errUnable
	}
	return repeated(budget, 1, func() error {
		rows, size, err := s.Sums(ctx)
		if err == nil && (rows != int64(g.stored+g.risen) || size < rows*300) {
			err = fmt.Errorf("got statistics of %d rows and %d bytes, want %d rows", rows, size, g.stored+g.risen)
		}
		return err
	})
}

// grownRows is how many rows a line of writes adds in a round, at most.
const grownRows = 5_000

func (g *growing) put(ctx context.Context, budget time.Duration) (float64, error) {
	p, ok := g.store.(putter)
	if !ok || g.peer.relaxed == "" {
		return 0, errUnable
	}
	chunk := 8
	return inChunks(budget, grownRows, &chunk, 1, func(n int) (time.Duration, error) {
		return g.add(false, n, func(rows []*row) error {
			return together(1, rows, func(r *row) error { return p.Put(ctx, r) })
		})
	})
}

func (g *growing) many(ctx context.Context, budget time.Duration, inOrder bool) (float64, error) {
	bulk, ok := g.store.(bulkPutter)
	if !ok || g.peer.relaxed == "" {
		return 0, errUnable
	}
	chunk := many
	return inChunks(budget, 2*grownRows, &chunk, many, func(n int) (time.Duration, error) {
		return g.add(inOrder, n, func(rows []*row) error { return inThousands(ctx, bulk, rows) })
	})
}

// add writes new rows, with rising keys or scattered ones, and returns how long that took.
func (g *growing) add(inOrder bool, n int, write func([]*row) error) (time.Duration, error) {
	var rows []*row
	if inOrder {
		rows = newRows(rising, firstRisen+g.risen, n)
		g.risen += n
	} else {
		rows = newRows(scattered, g.stored, n)
		g.stored += n
	}
	for _, r := range rows {
		g.note(r.number)
	}
	start := time.Now()
	err := write(rows)
	return time.Since(start), err
}

// Close verifies the count and some of the rows.
func (g *growing) Close(ctx context.Context) error {
	return errors.Join(g.verify(ctx), g.store.Close())
}

func (g *growing) verify(ctx context.Context) error {
	if err := verifyCount(ctx, g.store, g.stored+g.risen); err != nil {
		return err
	}
	if err := verifySome(ctx, g.store, scattered, 0, g.stored); err != nil {
		return err
	}
	return verifySome(ctx, g.store, rising, firstRisen, g.risen)
}
