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
	// queried adds an index of the field "stock", and peers with a choice keep rows in
	// the form that is best for filters.
	queried bool
}

// errUnable means that a peer lacks what a row of the table measures.
var errUnable = errors.New("the peer cannot do this")

const (
	ours  = "bucketlite"       // the peer that targets are about
	floor = "raw"              // the one they are compared with
	held  = "bucketlite, held" // bucketlite with HoldSnapshots
)

// peers are all peers, in the order of the columns.
var peers = []*peer{
	{name: ours, module: "github.com/bucketlite/bucketlite", durable: "DurabilityFull", relaxed: "DurabilityNormal", open: openBucketlite},
	{name: held, module: "github.com/bucketlite/bucketlite", durable: "DurabilityFull", relaxed: "DurabilityNormal", open: openHeld, guest: true},
	{name: called, module: "github.com/bucketlite/bucketlite", durable: "DurabilityFull", relaxed: "DurabilityNormal", guest: true},
	{name: floor, module: "modernc.org/sqlite", durable: "WAL, synchronous=FULL", relaxed: "WAL, synchronous=NORMAL", open: openRaw},
	{name: "zombiezen", module: "zombiezen.com/go/sqlite", durable: "WAL, synchronous=FULL", relaxed: "WAL, synchronous=NORMAL", open: openZombiezen},
	{name: "ncruces", module: "github.com/ncruces/go-sqlite3", durable: "WAL, synchronous=FULL", relaxed: "WAL, synchronous=NORMAL", open: openNcruces},
	{name: "PocketBase", module: "github.com/pocketbase/pocketbase", durable: "synchronous=FULL", relaxed: "default: synchronous=NORMAL", open: openPocketBase},
	{name: "bbolt", module: "go.etcd.io/bbolt", durable: "default: a sync a commit", open: openBolt},
	{name: "NATS", module: "github.com/nats-io/nats-server/v2", durable: "sync: always", relaxed: "default: a sync every two minutes", open: openNATS},
	{name: "badgerhold", module: "github.com/timshannon/badgerhold/v4", durable: "SyncWrites", relaxed: "default: no syncs", open: openBadgerhold},
	{name: "files", durable: "a sync of the file, and of its directory", relaxed: "no syncs", guest: true},
	{name: "fileblob", module: "gocloud.dev", relaxed: "no syncs", guest: true},
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
	Row(ctx context.Context, key string) (decoded, error)
}

// decoded is a row as the peer decodes it.
type decoded interface {
	Key() string
	// Fields returns all fields, to be compared with those of the row.
	Fields() map[string]any
}

// fieldMap is a decoded row of peers that decode into a map.
type fieldMap map[string]any

func (m fieldMap) Key() string            { key, _ := m["sku"].(string); return key }
func (m fieldMap) Fields() map[string]any { return m }

type querier interface {
	// Page returns the first rows that the filter selects, at most as many as limit.
	Page(ctx context.Context, f filter, limit int) ([]decoded, error)
	// CountOf returns how many rows the filter selects.
	CountOf(ctx context.Context, f filter) (int, error)
}

// filter selects rows by a condition: those whose stock is a value, which is indexed, or
// those whose price is below a bound, which is not.
type filter struct {
	indexed bool
	value   float64
}

func (f filter) selects(stock int, price float64) bool {
	if f.indexed {
		return float64(stock) == f.value
	}
	return price < f.value
}

// summer is a peer with statistics of all rows.
type summer interface {
	// Sums returns the number of rows and their total size, as the peer counts it.
	Sums(ctx context.Context) (rows, size int64, err error)
}
