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

// MaxIndexes is the maximum number of indexes of a bucket.
const MaxIndexes = 64

// IndexKind is the kind of an index, which determines the conditions that can use it.
type IndexKind string

// The kinds of indexes.
const (
	// ValueIndex finds objects by their values at a path. The operators eq, in, gt,
	// gte, lt, lte, starts_with and is_null use it, and so do sorting and counting.
	ValueIndex IndexKind = index.Value
	// TextIndex finds objects by three or more consecutive characters of a text. The
	// operators text, contains, starts_with and ends_with use it. An index of all
	// texts also serves [Query].Search.
	TextIndex IndexKind = index.Text
)

// IndexStatus tells whether an index is ready for use.
type IndexStatus string

// The statuses of an index.
const (
	IndexBuilding IndexStatus = index.Building
	IndexReady    IndexStatus = index.Ready
)

// Index describes an index of a bucket. An index makes queries faster, and never
// changes their results.
type Index struct {
	Kind IndexKind `json:"kind"`
	// Path is the indexed path; empty for a text index of all texts that Search
	// covers.
	Path   string      `json:"path"`
	Status IndexStatus `json:"status"`
	// Progress is how far the building of the index has come, from 0 to 1, estimated from
	// the position of the last object that was indexed. It is 0 for a ready index.
	Progress float64 `json:"-"`
}

// String returns a readable form of the index, as in "value index of meta.author".
func (i Index) String() string {
	switch {
	case i.Kind == index.Age:
		return "index of ages"
	case i.Path == "":
		return string(i.Kind) + " index of all texts"
	}
	return string(i.Kind) + " index of " + i.Path
}

// indexOf returns the public form of an index.
func indexOf(i *index.Index) Index {
	return Index{Kind: IndexKind(i.Kind), Path: i.Path, Status: IndexStatus(i.Status)}
}

// EnsureIndex creates a value index of each path that has none, and waits until all
// of them are ready. Writers are not blocked meanwhile, and the objects they write
// are indexed at once. If ctx ends first, EnsureIndex returns the context's error;
// any store that has the file open continues to build the indexes.
//
// Paths are those that a [Query] can refer to: those of user fields, and of the system
// members object_id, bucket_id, key_prefix, status, error, created_at, updated_at,
// x-expires-at and blobs, as in "blobs.details.filename". Each index makes every write of
// an object slower, and one of status or error also each step of its processing. An object with more than 1,000 different values at a path has no
// entries there: every query that uses the index examines it.
//
// Errors: [ErrBadRequest], with a [*QueryError] for paths that cannot be indexed, or
// for more than [MaxIndexes]; [ErrLocked]; [ErrNotActive] if the bucket's status
// forbids changes of its info; [ErrNotFound], also if an index is dropped before it
// is ready; [ErrCorrupt] if an object cannot be read. The error is [ErrReadOnly] if
// the store refuses writes after a disk failure, and [ErrFull] if the disk is full.
// In both cases indexes that were created stay, and are built once the file is
// reopened or the disk has space. To wait for them, call EnsureIndex again.
func (b *Bucket) EnsureIndex(ctx context.Context, paths ...string) error {
	return b.ensureIndexes(ctx, ValueIndex, paths)
}

// EnsureTextIndex is like [Bucket.EnsureIndex] for text indexes. An empty path, or a
// call without paths, creates one of all texts that Search covers. The system members
// that may have one are object_id, bucket_id, key_prefix and blobs. An object with
// more than 256 KiB of text is not indexed: every query that uses the index examines
// it.
func (b *Bucket) EnsureTextIndex(ctx context.Context, paths ...string) error {
	return b.ensureIndexes(ctx, TextIndex, orAll(paths))
}

// orAll returns paths, or the path of the index of all texts if there are none.
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
	if err := b.requestIndexes(ctx, wanted); err != nil {
		return err
	}
	return b.waitForIndexes(ctx, wanted)
}

// requestIndexes adds the wanted indexes that the bucket lacks, all in one commit, and
// starts to build them.
func (b *Bucket) requestIndexes(ctx context.Context, wanted []Index) error {
	return b.store.write(ctx, func(tx *commit.Tx) error {
		state, err := b.permitted(tx, changeInfo)
		if err != nil {
			return err
		}
		missing, room, err := missingIndexes(tx, state, wanted)
		if err == nil && len(missing) > room {
			err = badRequest("%s: %s", b, tooManyIndexes(MaxIndexes-room+len(missing)))
		}
		if err != nil {
			return err
		}
		tx.Raise(commit.Background) // also wakes a build that has failed before
		return addIndexes(tx, state, missing)
	})
}

func tooManyIndexes(n int) string {
	return fmt.Sprintf("at most %d indexes expected, got %d", MaxIndexes, n)
}

// checkIndexPath returns the reason why a path cannot be indexed, or "".
func checkIndexPath(kind IndexKind, path string) string {
	if kind == TextIndex && path == "" {
		return ""
	}
	segments, err := query.ParsePath(path)
	switch {
	case err != nil:
		return err.Error()
	case !schema.IsReserved(segments[0]):
		return ""
	case !index.InSystem(segments[0]):
		return "no object has such a member"
	case len(segments) > 1 && segments[0] != "blobs":
		return value.Show(segments[0]) + " has no members"
	case kind == TextIndex && !index.HasText(segments[0]):
		return value.Show(segments[0]) + " has value indexes only"
	}
	return ""
}

// missingIndexes returns the wanted indexes that the bucket lacks, and how many more
// it may have.
func missingIndexes(tx *commit.Tx, b *commit.Bucket, wanted []Index) (missing []Index, room int, err error) {
	indexes, err := index.Load(tx, b)
	for _, w := range wanted {
		is := func(i *index.Index) bool { return indexOf(i).sameAs(w) }
		if !slices.ContainsFunc(indexes, is) {
			missing = appendMissing(missing, w)
		}
	}
	return missing, MaxIndexes - countOwn(indexes), err
}

// appendMissing appends an index to a list, unless the list has it.
func appendMissing(list []Index, i Index) []Index {
	if slices.ContainsFunc(list, i.sameAs) {
		return list
	}
	return append(list, i)
}

// countOwn counts indexes without those that the store keeps for itself.
func countOwn(indexes []*index.Index) (n int) {
	for _, i := range indexes {
		if i.Kind != index.Age {
			n++
		}
	}
	return n
}

// sameAs reports whether two indexes have the same kind and path.
func (i Index) sameAs(o Index) bool { return i.Kind == o.Kind && i.Path == o.Path }

// addIndexes adds indexes that the bucket lacks.
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
		if err := b.store.collector.stallSince("", start); err != nil {
			return errorf("%s: the %s exists, but cannot be built now: %w", b, wanted[0], err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-b.store.db.Closing():
			return public(ErrClosed)
		case <-b.store.db.Stopped():
			return errorf("%s: the %s exists, but cannot be built now: %w", b, wanted[0], b.store.db.Refusal())
		case <-time.After(pause):
		}
	}
	return nil
}

// Indexes returns the bucket's indexes, sorted by path. Errors: [ErrNotFound].
func (b *Bucket) Indexes(ctx context.Context) ([]Index, error) {
	indexes, _, err := b.indexes(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]Index, 0, len(indexes))
	for _, i := range indexes {
		if i.Kind == index.Age {
			continue
		}
		public := indexOf(i)
		if public.Status == IndexBuilding {
			err = b.store.read(ctx, func(c *engine.Conn) (err error) {
				public.Progress, err = index.Progress(c, i.Num)
				return err
			})
			if err != nil {
				return nil, err
			}
		}
		list = append(list, public)
	}
	return list, nil
}

// indexes returns the bucket's indexes and status.
func (b *Bucket) indexes(ctx context.Context) (indexes []*index.Index, status Status, err error) {
	err = b.store.read(ctx, func(c *engine.Conn) error {
		return c.Snapshot(func() error {
			partition := int64(0)
			found, err := c.QueryRow("SELECT status, partition FROM buckets WHERE num = ?", []any{b.num}, func(r engine.Row) {
				status, partition = Status(r.Text(0)), r.Int(1)
			})
			if err == nil && !found {
				err = b.gone()
			}
			if err == nil {
				indexes, err = index.Select(c, partition)
			}
			return err
		})
	})
	return indexes, status, err
}

// DropIndex drops the value index of each path. A path without one is ignored. No
// query uses the index afterwards; its space is freed in the background.
//
// Errors: [ErrLocked]; [ErrNotActive] if the bucket's status forbids changes of its
// info; [ErrNotFound].
func (b *Bucket) DropIndex(ctx context.Context, paths ...string) error {
	return b.dropIndexes(ctx, ValueIndex, paths)
}

// DropTextIndex is like [Bucket.DropIndex] for text indexes. An empty path, or a call
// without paths, drops the index of all texts.
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

// payloadIndexes returns the indexes that a namespace's payload_indexes request for
// its buckets. Those of other types, and names that are no path of an index, are ignored.
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

// wantedIndexes returns the indexes that the namespace requests for its buckets.
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

// addWanted adds the wanted indexes that a bucket lacks, up to MaxIndexes.
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

// addWantedToAll adds the wanted indexes to all buckets of the namespace.
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
