package index

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
)

// walk finds the matching objects by reading the index of the single path to sort by. The
// keys go up or down, and the objects of a key are in order of creation or in reverse. An
// index has the keys upwards in order of creation, and so also downwards in reverse. In the
// other cases the objects are found key by key.
func (f *finder) walk(ctx context.Context, i *Index) error {
	from := everything(f.bucket.Partition)
	from.args[3] = i.Num
	switch after := f.query.After; {
	case f.query.Order[0].Desc:
		return f.walkDown(ctx, from)
	case f.query.Reverse:
		return f.walkUpReverse(ctx, from)
	default:
		from.from, from.args[0], from.args[2] = keysUp, after.Num, append([]byte{}, after.Key...)
		return f.keyed(ctx, from, " ORDER BY e.key, e.seq")
	}
}

// walkDown walks the keys downwards. The objects without a key come last here, too.
func (f *finder) walkDown(ctx context.Context, from source) error {
	after := f.query.After
	if after.Key != nil {
		after.Key = query.Reverse(after.Key)
	}
	if !bytes.Equal(after.Key, query.NilKey) {
		if err := f.keysDown(ctx, from, after); err != nil {
			return err
		}
		after.Num = 0
	}
	return f.sameKey(ctx, from, query.NilKey, after.Num)
}

// keysDown walks the keys below that of nil after a position, or all if it has no key.
func (f *finder) keysDown(ctx context.Context, from source, after query.Position) error {
	if f.query.Reverse {
		from.from, from.args[1], from.args[2] = keysDownReverse, after.Num, after.Key
		if after.Key == nil {
			from.args[2] = query.NilKey
		}
		return f.keyed(ctx, from, " ORDER BY e.key DESC, e.seq DESC")
	}
	if after.Key != nil {
		from.args[0] = after.Num
	} else if _, err := f.conn.QueryRow("SELECT max(key) FROM entries WHERE idx = ? AND key < ?", []any{from.args[3], query.NilKey}, func(r engine.Row) {
		if !r.Null(0) {
			after.Key = r.Bytes(0)
		}
	}); err != nil || after.Key == nil {
		return err
	}
	from.from, from.args[1], from.args[2] = keysDown, commit.Seq(f.bucket.Partition, 0), after.Key
	return f.keyed(ctx, from, "")
}

// sameKey finds the matching objects of one key after a seq, or all if that is 0.
func (f *finder) sameKey(ctx context.Context, from source, key []byte, after int64) error {
	from.from, from.args[2] = keyObjects, key
	from.after(f.query, after)
	return f.keyed(ctx, from, f.creation("e.seq"))
}

// maxChunk is the maximum number of entries that are reversed at once.
const maxChunk = 4000

// walkUpReverse walks the keys upwards, and the objects of each in reverse order of
// creation. It reads entries in chunks, and reverses those of each key. The last key of a
// chunk may have any number of further entries, so it is read by a statement of its own.
func (f *finder) walkUpReverse(ctx context.Context, from source) error {
	key := f.query.After.Key
	if key != nil {
		if err := f.sameKey(ctx, from, key, f.query.After.Num); err != nil {
			return err
		}
	}
	for most := max(2*f.page.Left(), minLookup); ; most = min(2*most, maxChunk) {
		entries, err := f.entriesAfter(from, key, most)
		if err != nil || len(entries) == 0 {
			return err
		}
		isLast := len(entries) < most
		if key = entries[len(entries)-1].key; !isLast {
			entries = slices.DeleteFunc(entries, func(e entryAt) bool { return bytes.Equal(e.key, key) })
		}
		if err := f.these(ctx, from, entries); err != nil || isLast {
			return err
		}
		if err := f.sameKey(ctx, from, key, 0); err != nil {
			return err
		}
	}
}

// entryAt is an entry of an index.
type entryAt struct {
	key []byte
	seq int64
}

// entriesAfter returns up to most entries after a key, in ascending order of their keys. The
// entries of a key are in reverse order of creation.
func (f *finder) entriesAfter(from source, key []byte, most int) (entries []entryAt, err error) {
	err = f.conn.Query("SELECT key, seq FROM entries WHERE idx = ? AND key > ? AND key < ? ORDER BY key, seq LIMIT ? + 0",
		[]any{from.args[3], append([]byte{}, key...), query.EntriesEnd, int64(most)}, func(r engine.Row) error {
			entries = append(entries, entryAt{r.Bytes(0), r.Int(1)})
			return nil
		})
	for begin, i := 0, 1; i <= len(entries); i++ {
		if i == len(entries) || !bytes.Equal(entries[i].key, entries[begin].key) {
			slices.Reverse(entries[begin:i])
			begin = i
		}
	}
	return entries, err
}

// these finds the matching objects of some entries, in their order.
func (f *finder) these(ctx context.Context, from source, entries []entryAt) error {
	if len(entries) == 0 {
		return nil
	}
	seqs := make([]int64, len(entries))
	for i, e := range entries {
		seqs[i] = e.seq
	}
	text, _ := json.Marshal(seqs)
	f.entries = entries
	from.from, from.args[2] = theseEntries, string(text)
	return f.keyed(ctx, from, "")
}

// keyed finds the matching objects of a source of entries, each at the entry by which it
// is sorted.
func (f *finder) keyed(ctx context.Context, from source, order string) error {
	with := ""
	if from.from == keysDown {
		with = withKeysDown
	}
	return f.run(ctx, with+"SELECT o.seq, bucketlite_callback(?6, o.seq), "+storedBytes+" FROM "+from.from+
		" AND CASE WHEN "+f.call()+" THEN bucketlite_callback(?6, o.seq, e.key) END"+order+" LIMIT ?7 + 0", &from)
}
