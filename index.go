package bucketlite

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/schema"
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
	ValueIndex IndexKind = index.Value
	// TextIndex finds objects by three or more characters that follow each other in
	// a text: text, contains, starts_with and ends_with use it, and one of all texts
	// serves [Query].Search as well.
	TextIndex IndexKind = index.Text
)

// IndexStatus says whether an index can be used.
type IndexStatus string

// The statuses of an index.
const (
	IndexBuilding IndexStatus = index.Building
	IndexReady    IndexStatus = index.Ready
)

// Index describes an index of a bucket. What queries find never depends on it: they
// give the same results without, but later.
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

// indexOf returns an index as the public sees it.
func indexOf(i *index.Index) Index { return Index{IndexKind(i.Kind), i.Path, IndexStatus(i.Status)} }

// EnsureIndex makes a value index of each path that has none, and waits until all
// of them are ready. Writers are let in all the while; objects they write are in the
// index at once. If ctx ends amid that, the error is the context's, and the indexes
// are built nevertheless, by whatever store has the file open.
//
// Paths are those of user fields, and "created_at". Every write of an object then
// keeps its entries up to date, which slows it down. An object that has more than
// 1,000 different values at a path has no entries of its own there, and is looked at
// by every query that uses the index.
//
// Errors: [ErrBadRequest] for a path that cannot be indexed, which comes as a
// [*QueryError], or more than [MaxIndexes]; [ErrLocked], [ErrNotActive] where the
// bucket's info cannot be changed; [ErrNotFound], also if somebody drops the index
// before it is ready; [ErrCorrupt] if what is to be indexed cannot be read;
// [ErrReadOnly] if the store begins to refuse writes meanwhile, because its disk
// failed: then the index stays, and is built once the file is opened again; [ErrFull]
// if the disk is or becomes full: then an index that was made stays, and is built once
// there is space. Calling EnsureIndex again waits for that.
func (b *Bucket) EnsureIndex(ctx context.Context, paths ...string) error {
	return b.ensureIndexes(ctx, ValueIndex, paths)
}

// EnsureTextIndex makes a text index of each path, or without paths one of all that
// a search looks at, which an empty path stands for too. In all else it is
// [Bucket.EnsureIndex]; an object whose texts have more than 256 KiB is the one
// that every query looks at.
func (b *Bucket) EnsureTextIndex(ctx context.Context, paths ...string) error {
	return b.ensureIndexes(ctx, TextIndex, orAll(paths))
}

// orAll returns the paths of text indexes, if none is given that of all texts.
func orAll(paths []string) []string {
	if len(paths) == 0 {
		return []string{""}
	}
	return paths
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
	err := b.store.write(ctx, func(tx *commit.Tx) error {
		state, err := b.permitted(tx, changeInfo)
		if err != nil {
			return err
		}
		missing, room, err := missingIndexes(tx, state, wanted)
		if err == nil && len(missing) > room {
			err = badRequest("%s: a bucket has at most %d indexes, with these it would have %d", b, MaxIndexes, MaxIndexes-room+len(missing))
		}
		if err != nil {
			return err
		}
		tx.Raise(commit.Background) // also for one that is not ready since building it has failed
		return addIndexes(tx, state, missing)
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
	case schema.IsReserved(segments[0]) && (path != "created_at" || kind != ValueIndex):
		return "only fields can be indexed, and created_at"
	}
	return ""
}

// missingIndexes returns those of the wanted indexes that the bucket has not, and
// how many more it may have.
func missingIndexes(tx *commit.Tx, b *commit.Bucket, wanted []Index) (missing []Index, room int, err error) {
	indexes, err := index.Load(tx, b)
	for _, w := range wanted {
		is := func(i *index.Index) bool { return indexOf(i).sameAs(w) }
		if !slices.ContainsFunc(indexes, is) && !slices.ContainsFunc(missing, w.sameAs) {
			missing = append(missing, w)
		}
	}
	return missing, MaxIndexes - len(indexes), err
}

// sameAs reports whether two indexes are of one kind and about the same.
func (i Index) sameAs(o Index) bool { return i.Kind == o.Kind && i.Path == o.Path }

// addIndexes adds indexes that the bucket does not have.
func addIndexes(tx *commit.Tx, state *commit.Bucket, missing []Index) error {
	for _, w := range missing {
		if err := index.Add(tx, state, string(w.Kind), w.Path); err != nil {
			return err
		}
	}
	return nil
}

// waitForIndexes waits until the indexes are ready.
func (b *Bucket) waitForIndexes(ctx context.Context, wanted []Index) error {
	start := time.Now()
	for pause := time.Millisecond; len(wanted) > 0; pause = min(2*pause, 100*time.Millisecond) {
		indexes, status, err := b.indexes(ctx)
		if err != nil {
			return err
		}
		var building []Index
		for _, w := range wanted {
			switch n := slices.IndexFunc(indexes, func(i *index.Index) bool { return indexOf(i).sameAs(w) }); {
			case status == StatusInProgress:
				return permit(b.name, status, false, changeInfo)
			case n < 0:
				return notFound("%s: the %s was dropped before it was ready", b, w)
			case indexes[n].Status != index.Ready:
				if err := b.store.collector.cannot(indexes[n].Num, indexes[n].Status); err != nil {
					return errorf("%s: the %s cannot be built: %w", b, w, err)
				}
				building = append(building, w)
			}
		}
		if wanted = building; len(wanted) == 0 {
			break
		}
		if err := b.store.collector.stallSince(start); err != nil {
			return errorf("%s: the %s is there, but building it has to wait: %w", b, wanted[0], err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-b.store.db.Closing():
			return public(ErrClosed)
		case <-b.store.db.Stopped():
			return errorf("%s: the %s is there, but building it has to wait: %w", b, wanted[0], b.store.db.Refusal())
		case <-time.After(pause):
		}
	}
	return nil
}

// Indexes returns the bucket's indexes, by path. Errors: [ErrNotFound].
func (b *Bucket) Indexes(ctx context.Context) ([]Index, error) {
	indexes, _, err := b.indexes(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Index, len(indexes))
	for i := range indexes {
		list[i] = indexOf(indexes[i])
	}
	return list, nil
}

// indexes returns the bucket's indexes, and the status of the bucket.
func (b *Bucket) indexes(ctx context.Context) (indexes []*index.Index, status Status, err error) {
	err = b.store.read(ctx, func(c *engine.Conn) error {
		return c.Snapshot(func() error {
			found, err := c.QueryRow("SELECT status FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) { status = Status(r.Text(0)) })
			if err == nil && !found {
				err = b.gone()
			}
			if err == nil {
				indexes, err = index.Select(c, b.num)
			}
			return err
		})
	})
	return indexes, status, err
}

// DropIndex drops the value index of each path; there need not be one. From then on
// no query uses it; the space it takes is given back in the background.
//
// Errors: [ErrLocked], [ErrNotActive] where the bucket's info cannot be changed;
// [ErrNotFound].
func (b *Bucket) DropIndex(ctx context.Context, paths ...string) error {
	return b.dropIndexes(ctx, ValueIndex, paths)
}

// DropTextIndex drops the text index of each path, or without paths that of all
// that a search looks at, which an empty path stands for too. In all else it is
// [Bucket.DropIndex].
func (b *Bucket) DropTextIndex(ctx context.Context, paths ...string) error {
	return b.dropIndexes(ctx, TextIndex, orAll(paths))
}

func (b *Bucket) dropIndexes(ctx context.Context, kind IndexKind, paths []string) error {
	return b.store.free(ctx, func(tx *commit.Tx) error {
		state, err := b.permitted(tx, changeInfo)
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := index.Drop(tx, state, string(kind), path); err != nil {
				return err
			}
		}
		return nil
	})
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

// wantedIndexes returns the indexes that the namespace asks of its buckets.
func (n *Namespace) wantedIndexes(tx *commit.Tx) ([]Index, error) {
	var config []any
	err := tx.Query("SELECT payload_indexes FROM namespaces WHERE num = ?", []any{n.num}, func(r engine.Row) error {
		if err := decodeInfo(r, 0, &config); err != nil {
			return errorf("%s: payload indexes: %w: %v", n, ErrCorrupt, err)
		}
		return nil
	})
	return payloadIndexes(config), err
}

// addWanted adds indexes to a bucket, those it has not and as many as it may have.
func addWanted(tx *commit.Tx, bucket int64, wanted []Index) error {
	if len(wanted) == 0 {
		return nil
	}
	state, err := tx.Bucket(bucket)
	if err != nil || state == nil {
		return err
	}
	missing, room, err := missingIndexes(tx, state, wanted)
	if err != nil {
		return err
	}
	return addIndexes(tx, state, missing[:max(0, min(room, len(missing)))])
}

// addWantedToAll adds indexes to all buckets of the namespace.
func (n *Namespace) addWantedToAll(tx *commit.Tx, wanted []Index) error {
	var buckets []int64
	err := tx.Query("SELECT num FROM buckets WHERE namespace = ? AND status <> 'IN_PROGRESS'", []any{n.num}, func(r engine.Row) error {
		buckets = append(buckets, r.Int(0))
		return nil
	})
	for i := 0; i < len(buckets) && err == nil; i++ {
		err = addWanted(tx, buckets[i], wanted)
	}
	return err
}
