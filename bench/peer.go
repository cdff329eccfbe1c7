package main

import (
	"context"
	"errors"
)

// peer is one way to keep rows or blobs.
type peer struct {
	name   string
	module string // whose version the report names; empty is Go's own
	// durable and relaxed say with which of its settings the peer is as durable as
	// the row of the table says. A peer without one of them has no such mode.
	durable, relaxed string
	open             func(ctx context.Context, dir string, s settings) (store, error)
	// guest is a peer that takes part only in works that name it.
	guest bool
}

// settings are what all peers of a row have in common.
type settings struct {
	durable bool
	// indexed adds an index of the field "category" to those of the unique key.
	indexed bool
}

// errUnable means that a peer lacks what a row of the table measures.
var errUnable = errors.New("the peer cannot do this")

// ours is the peer that targets are about, and floor the one they are compared with.
const (
	ours  = "bucketlite"
	floor = "raw"
)

// peers are all peers, in the order of the columns.
var peers = []*peer{
	{name: ours, module: "github.com/bucketlite/bucketlite", durable: "DurabilityFull", relaxed: "DurabilityNormal", open: openBucketlite},
	{name: floor, module: "modernc.org/sqlite", durable: "WAL, synchronous=FULL", relaxed: "WAL, synchronous=NORMAL", open: openRaw},
	{name: "bbolt", module: "go.etcd.io/bbolt", durable: "default: a sync a commit", open: openBolt},
}

// peerNamed returns the peer with the name, or nil.
func peerNamed(name string) *peer {
	for _, p := range peers {
		if p.name == name {
			return p
		}
	}
	return nil
}

// store is a peer at work in a directory of its own. It implements the interfaces below
// for the work that it can do.
type store interface {
	// Count returns how many rows there are, in the way that the peer recommends.
	Count(ctx context.Context) (int, error)
	Close() error
}

type putter interface {
	// Put stores a row whose key is new, and returns when it is committed.
	Put(ctx context.Context, r *row) error
}

// groupPutter is a putter with a call of its own for many goroutines.
type groupPutter interface {
	GroupPut(ctx context.Context, r *row) error
}

type bulkPutter interface {
	// PutMany stores rows whose keys are new.
	PutMany(ctx context.Context, rows []*row) error
}

type upserter interface {
	// Upsert replaces the row with the same key.
	Upsert(ctx context.Context, r *row) error
}

type getter interface {
	// Row returns the row with the key, decoded.
	Row(ctx context.Context, key string) (map[string]any, error)
}
