package bucketlite

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// MaxIndexes is how many indexes a bucket may have.
const MaxIndexes = 64

// IndexKind says what an index is good for.
type IndexKind string

// The kinds of indexes.
const (
	// ValueIndex finds objects by what they have at a path: eq, in, gt, gte, lt,
	// lte, starts_with and is_null use it, and so do sorting and counting.
	ValueIndex IndexKind = "value"
	// TextIndex finds objects by three or more characters that follow each other in
	// a text: text, contains, starts_with and ends_with use it, and one of all texts
	// serves [Query].Search as well.
	TextIndex IndexKind = "text"
)

// IndexStatus says whether an index can be used.
type IndexStatus string

// The statuses of an index.
const (
	IndexBuilding IndexStatus = "BUILDING"
	IndexReady    IndexStatus = "READY"
)

// Index describes an index of a bucket. What an index finds never depends on it:
// queries give the same results without, but later.
type Index struct {
	Kind IndexKind `json:"kind"`
	// Path is what it is about; empty for a text index of all that a search looks at.
	Path   string      `json:"path"`
	Status IndexStatus `json:"status"`
}

// String returns the index for people, as in "value index of meta.author".
func (i Index) String() string {
	if i.Path == "" {
		return string(i.Kind) + " index of all texts"
	}
	return string(i.Kind) + " index of " + i.Path
}

// index is an index of a bucket as a transaction sees it.
type index struct {
	Index
	num       int64
	path      []string
	many, cut bool // see query.Entries; of any object there ever was
}

const droppingIndex = "DROPPING"

// EnsureIndex makes a value index of each path that has none, and waits until all
// of them are ready. Writers are let in all the while; objects they write are in the
// index at once. If ctx ends first the error is the context's, and the indexes are
// built nevertheless, by whatever store has the file open.
//
// Paths are those of user fields, and "created_at". Every write of an object then
// keeps its entries up to date, which makes it dearer.
//
// Errors: [ErrBadRequest] for a path that cannot be indexed, or more than
// [MaxIndexes]; [ErrLocked], [ErrNotActive] where the bucket's info cannot be changed.
func (b *Bucket) EnsureIndex(ctx context.Context, paths ...string) error {
	return b.ensureIndexes(ctx, ValueIndex, paths)
}

// EnsureTextIndex makes a text index of each path, or without paths one of all that
// a search looks at. In all else it is [Bucket.EnsureIndex].
func (b *Bucket) EnsureTextIndex(ctx context.Context, paths ...string) error {
	if len(paths) == 0 {
		return b.ensureIndexes(ctx, TextIndex, []string{""})
	}
	if slices.Contains(paths, "") {
		return badRequest("%s: text index: a path must not be empty", b)
	}
	return b.ensureIndexes(ctx, TextIndex, paths)
}

func (b *Bucket) ensureIndexes(ctx context.Context, kind IndexKind, paths []string) error {
	var wanted []Index
	faults := &QueryError{Subject: b.String()}
	for i, path := range paths {
		if err := checkIndexPath(kind, path); err != "" {
			faults.fault(value.Path{{Name: "paths"}}.Item(i), rulePath, err)
		}
		wanted = append(wanted, Index{Kind: kind, Path: path})
	}
	if len(faults.Issues) > 0 {
		return faults
	}
	err := b.store.write(ctx, func(tx *engine.Tx, g *group) error {
		state, err := b.state(tx, g)
		if err == nil {
			err = permit(state.name, state.status, state.locked, changeInfo)
		}
		if err != nil {
			return err
		}
		missing, room, err := state.missingIndexes(tx, wanted)
		if err == nil && len(missing) > room {
			err = badRequest("%s: a bucket has at most %d indexes, with these it had %d", b, MaxIndexes, MaxIndexes-room+len(missing))
		}
		if err != nil {
			return err
		}
		return g.addIndexes(tx, state, missing)
	})
	if err != nil {
		return err
	}
	return b.waitForIndexes(ctx, wanted)
}

// checkIndexPath says why a path cannot be indexed, "" if it can. Nothing but the
// fields and the time of creation is an object's own; the rest changes without it.
func checkIndexPath(kind IndexKind, path string) string {
	if kind == TextIndex && path == "" {
		return ""
	}
	segments, err := query.ParsePath(path)
	switch {
	case err != nil:
		return err.Error()
	case isReserved(segments[0]) && (path != "created_at" || kind != ValueIndex):
		return "only fields can be indexed, and created_at"
	}
	return ""
}

// missingIndexes returns those of the wanted indexes that the bucket has not, and
// how many more it may have.
func (b *bucketState) missingIndexes(tx *engine.Tx, wanted []Index) (missing []Index, room int, err error) {
	indexes, err := b.loadIndexes(tx)
	for _, w := range wanted {
		same := func(i *index) bool { return i.Kind == w.Kind && i.Path == w.Path }
		if !slices.ContainsFunc(indexes, same) && !slices.ContainsFunc(missing, func(m Index) bool { return m.Kind == w.Kind && m.Path == w.Path }) {
			missing = append(missing, w)
		}
	}
	return missing, MaxIndexes - len(indexes), err
}

// addIndexes adds indexes that the bucket has not. Those of an empty bucket are ready.
func (g *group) addIndexes(tx *engine.Tx, state *bucketState, missing []Index) error {
	for _, w := range missing {
		_, err := tx.Exec(`
INSERT INTO indexes (bucket, kind, path, status, built, many, cut)
SELECT ?1, ?2, ?3, iif(EXISTS (SELECT 1 FROM objects WHERE seq > ?4 AND seq < ?5), 'BUILDING', 'READY'), 0, 0, 0`,
			state.num, string(w.Kind), w.Path, state.num<<clockBits, (state.num+1)<<clockBits)
		if err != nil {
			return err
		}
		g.wake = true
	}
	state.forgetIndexes(state.indexed || len(missing) > 0)
	return nil
}

// waitForIndexes waits until the indexes are ready, or there no more.
func (b *Bucket) waitForIndexes(ctx context.Context, wanted []Index) error {
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		indexes, err := b.Indexes(ctx)
		if err != nil {
			return err
		}
		building := func(i Index) bool {
			return i.Status == IndexBuilding && slices.ContainsFunc(wanted, func(w Index) bool { return i.Kind == w.Kind && i.Path == w.Path })
		}
		if !slices.ContainsFunc(indexes, building) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-b.store.db.Closing():
			return public(ErrClosed)
		case <-time.After(pause):
		}
	}
}

// Indexes returns the bucket's indexes, by path.
func (b *Bucket) Indexes(ctx context.Context) ([]Index, error) {
	var indexes []*index
	err := b.store.read(ctx, func(c *engine.Conn) (err error) {
		found, err := c.QueryRow("SELECT 1 FROM buckets WHERE num = ?", []any{b.num}, nil)
		if err == nil && !found {
			err = b.gone()
		}
		if err == nil {
			indexes, err = selectIndexes(c, b.num)
		}
		return err
	})
	list := make([]Index, len(indexes))
	for i := range indexes {
		list[i] = indexes[i].Index
	}
	return list, err
}

// DropIndex drops the value index of each path; there need not be one. The space
// it takes is given back in the background. Errors: those of [Bucket.EnsureIndex].
func (b *Bucket) DropIndex(ctx context.Context, paths ...string) error {
	return b.dropIndexes(ctx, ValueIndex, paths)
}

// DropTextIndex drops the text index of each path, or without paths that of all
// that a search looks at. In all else it is [Bucket.DropIndex].
func (b *Bucket) DropTextIndex(ctx context.Context, paths ...string) error {
	if len(paths) == 0 {
		paths = []string{""}
	}
	return b.dropIndexes(ctx, TextIndex, paths)
}

func (b *Bucket) dropIndexes(ctx context.Context, kind IndexKind, paths []string) error {
	return b.store.write(ctx, func(tx *engine.Tx, g *group) error {
		state, err := b.state(tx, g)
		if err == nil {
			err = permit(state.name, state.status, state.locked, changeInfo)
		}
		if err != nil {
			return err
		}
		for _, path := range paths {
			_, err := tx.Exec("UPDATE indexes SET status = 'DROPPING' WHERE bucket = ? AND kind = ? AND path = ? AND status <> 'DROPPING'",
				b.num, string(kind), path)
			if err != nil {
				return err
			}
		}
		g.wake = true
		state.forgetIndexes(true)
		return nil
	})
}

// selectIndexes reads the indexes of a bucket, without those being dropped.
func selectIndexes(c *engine.Conn, bucket int64) (indexes []*index, err error) {
	err = c.Query("SELECT num, kind, path, status, many, cut FROM indexes WHERE bucket = ? AND status <> 'DROPPING' ORDER BY path, kind DESC",
		[]any{bucket}, func(r engine.Row) error {
			i := &index{num: r.Int(0), many: r.Int(4) != 0, cut: r.Int(5) != 0}
			i.Index = Index{IndexKind(r.Text(1)), r.Text(2), IndexStatus(r.Text(3))}
			if i.Path != "" {
				i.path = strings.Split(i.Path, ".")
			}
			indexes = append(indexes, i)
			return nil
		})
	return indexes, err
}

// payloadIndexes returns the indexes that a namespace's payload_indexes ask of its
// buckets. They are recorded as given, so what is none of ours is no fault.
func payloadIndexes(config []any) (wanted []Index) {
	for _, item := range config {
		form, _ := item.(map[string]any)
		path, _ := form["field_name"].(string)
		kind := ValueIndex
		switch fmt.Sprint(form["type"]) {
		case "text":
			kind = TextIndex
		case "keyword", "integer", "float", "bool", "datetime", "uuid":
		default:
			continue
		}
		if path != "" && checkIndexPath(kind, path) == "" {
			wanted = append(wanted, Index{Kind: kind, Path: path})
		}
	}
	return wanted
}

// addPayloadIndexes adds the namespace's payload_indexes to a bucket, as many as it
// may have.
func (n *Namespace) addPayloadIndexes(tx *engine.Tx, g *group, bucket int64) error {
	var config []any
	err := tx.Query("SELECT payload_indexes FROM namespaces WHERE num = ?", []any{n.num}, func(r engine.Row) error {
		return decodeInfo(r, 0, &config)
	})
	wanted := payloadIndexes(config)
	if err != nil || len(wanted) == 0 {
		return err
	}
	state, err := g.bucket(tx, bucket)
	if err != nil || state == nil {
		return err
	}
	missing, room, err := state.missingIndexes(tx, wanted)
	if err != nil {
		return err
	}
	return g.addIndexes(tx, state, missing[:min(room, len(missing))])
}

// addPayloadIndexesToAll adds them to all buckets of the namespace.
func (n *Namespace) addPayloadIndexesToAll(tx *engine.Tx, g *group) error {
	var buckets []int64
	err := tx.Query("SELECT num FROM buckets WHERE namespace = ? AND status <> 'IN_PROGRESS'", []any{n.num}, func(r engine.Row) error {
		buckets = append(buckets, r.Int(0))
		return nil
	})
	for i := 0; i < len(buckets) && err == nil; i++ {
		err = n.addPayloadIndexes(tx, g, buckets[i])
	}
	return err
}
