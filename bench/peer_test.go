package main

import (
	"context"
	"testing"
)

// Every peer stores rows and returns them, in all ways that it has.
func TestPeers(t *testing.T) {
	t.Parallel()
	for _, p := range peers {
		if p.open == nil {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			w, err := newWriter(ctx, p, t.TempDir(), settings{durable: true})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := w.Close(ctx); err != nil { // which verifies
					t.Error(err)
				}
			}()
			if err := w.fill(ctx, 150); err != nil {
				t.Fatal(err)
			}
			if put, ok := w.store.(putter); ok {
				for _, r := range newRows(rising, w.stored, 50) {
					if err := put.Put(ctx, r); err != nil {
						t.Fatal(err)
					}
					w.stored++
				}
			}
			if up, ok := w.store.(upserter); ok {
				r := newRow(7).changed(1)
				if err := up.Upsert(ctx, r); err != nil {
					t.Fatal(err)
				}
				if err := verifyRow(ctx, w.store, r); err != nil {
					t.Error(err)
				}
				if err := up.Upsert(ctx, newRow(7)); err != nil {
					t.Error(err)
				}
			}
			if s, ok := w.store.(summer); ok {
				rows, size, err := s.Sums(ctx)
				if err != nil || rows != int64(w.stored) || size < rows*300 {
					t.Errorf("got %d rows, %d bytes, %v, want %d rows", rows, size, err, w.stored)
				}
			}
		})
	}
}

// Every peer with queries finds the rows that a filter selects.
func TestQueriesOfPeers(t *testing.T) {
	t.Parallel()
	for _, p := range growthPeers {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			g, err := newGrowing(ctx, peerNamed(p.name), t.TempDir(), 3000, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := g.Close(ctx); err != nil {
					t.Error(err)
				}
			}()
			for i := range growthLines {
				if _, err := growthLines[i].do(g, ctx, 1); err != nil && err != errUnable {
					t.Errorf("%s: %v", growthLines[i].name, err)
				}
			}
		})
	}
}
