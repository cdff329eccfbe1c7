package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// upsertWork replaces rows, by one goroutine in random order.
func upsertWork(durable bool) *work {
	name := "upsert " + durability(durable) + " ×1"
	return &work{section: writing, name: name, lines: []line{{name: name, unit: perSecond}},
		begin: func(ctx context.Context, b *bench, p *peer, dir string) (cell, error) {
			if durable && p.durable == "" || !durable && p.relaxed == "" {
				return nil, errUnable
			}
			w, err := filled(ctx, p, dir, settings{durable: durable}, 20_000/b.scale)
			if err != nil {
				return nil, err
			}
			up, ok := w.store.(upserter)
			if !ok {
				return nil, w.unable()
			}
			w.chunk = 8
			return &updater{writer: w, upserter: up, random: rand.New(rand.NewPCG(3, 4)), newest: map[int]*row{}}, nil
		}}
}

// updater is a cell that replaces rows that are there.
type updater struct {
	*writer
	upserter
	random *rand.Rand
	rounds int
	newest map[int]*row // by position
}

func (u *updater) Round(ctx context.Context, budget time.Duration) ([]float64, error) {
	u.rounds++
	rate, err := inChunks(budget, mostRows, &u.chunk, 1, func(n int) (time.Duration, error) {
		rows := make([]*row, n)
		for i := range rows {
			at := u.random.IntN(u.stored)
			rows[i] = newRow(u.order(at)).changed(u.rounds)
			u.newest[at] = rows[i]
		}
		start := time.Now()
		for _, r := range rows {
			if err := u.Upsert(ctx, r); err != nil {
				return 0, err
			}
		}
		return time.Since(start), nil
	})
	return []float64{rate}, err
}

// Close verifies the count, and some of the rows that were replaced.
func (u *updater) Close(ctx context.Context) error {
	err := u.verify(ctx)
	if closed := u.store.Close(); err == nil {
		err = closed
	}
	return err
}

func (u *updater) verify(ctx context.Context) error {
	verified := 0
	for _, r := range u.newest {
		if err := verifyRow(ctx, u.store, r); err != nil {
			return err
		}
		if verified++; verified == 200 {
			break
		}
	}
	return verifyCount(ctx, u.store, u.stored)
}
