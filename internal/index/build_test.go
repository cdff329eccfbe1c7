package index_test

import (
	"errors"
	"testing"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
)

const indexStatuses = "SELECT ifnull(group_concat(status, ' '), '') FROM (SELECT status FROM indexes ORDER BY num)"

// An index is built and deleted in slices. Objects that are written between them are in it.
func TestContinue(t *testing.T) {
	t.Parallel()
	for kind, slices := range map[string]int{index.Value: 3, index.Text: 9} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			f.putSome(450)
			raised := f.Raised[commit.Background]
			f.add(kind, "title")
			if f.Raised[commit.Background] == raised {
				t.Error("the background has no signal")
			}
			f.want(indexStatuses, "BUILDING")
			u := f.unfinished()
			progress := func() (share float64) {
				f.read(func(c *engine.Conn) (err error) {
					share, err = index.Progress(c, u.Num)
					return err
				})
				return share
			}
			if got := progress(); got != 0 {
				t.Errorf("progress before the first slice: got %v, want 0", got)
			}
			if u.Status != index.Building || u.Kind != kind || u.Bucket != bucketNum {
				t.Fatalf("got %+v, want the index to be built", u)
			}
			f.must(func(tx *commit.Tx, _ *commit.Bucket) error { return index.Continue(tx, u.Num, f.bucket.Plan) })
			f.wantAgree() // as far as it has come
			if got := progress(); got <= 0 || got >= 1 {
				t.Errorf("progress after a slice: got %v, want some", got)
			}
			f.put(f.stored("new", `{"title":"title of a new one"}`))
			f.execute("DELETE FROM object WHERE id = '1'")
			if got := 1 + f.finish(); got != slices {
				t.Errorf("got %d slices, want %d", got, slices)
			}
			f.want(indexStatuses, "READY")
			f.wantAgree()
			f.must(func(tx *commit.Tx, state *commit.Bucket) error { return index.Drop(tx, state, kind, "title") })
			f.want(indexStatuses, "DROPPING")
			f.finish()
			f.want(indexStatuses, "")
			f.want("SELECT (SELECT count(*) FROM entries) + (SELECT count(*) FROM texts)", "0")
		})
	}
}

// An index without objects to read is ready at once.
func TestAddToEmptyBucket(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.add(index.Value, "n")
	f.want(indexStatuses, "READY")
	if u := f.unfinished(); u.Num != 0 {
		t.Errorf("got %+v to work on, want nothing", u)
	}
}

// A status that no index has is damage. Other indexes are not held up by it.
func TestContinueDamaged(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.putSome(1)
	f.add(index.Value, "n")
	f.add(index.Value, "title")
	f.execute("UPDATE indexes SET status = 'NONE' WHERE path = 'n'")
	damaged := f.unfinished()
	err := f.write(func(tx *commit.Tx, _ *commit.Bucket) error { return index.Continue(tx, damaged.Num, f.bucket.Plan) })
	if !errors.Is(err, engine.ErrCorrupt) {
		t.Errorf("got %v, want ErrCorrupt", err)
	}
	f.read(func(c *engine.Conn) error {
		next, err := index.First(c, func(u *index.Unfinished) bool { return u.Num == damaged.Num })
		if next.Kind != index.Value || next.Status != index.Building {
			t.Errorf("got %+v, want the other index", next)
		}
		return err
	})
}

// A bucket that is being deleted loses its indexes, and none is built there any more.
func TestDropAll(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.putSome(120)
	f.add(index.Value, "n")
	f.add(index.Text, "")
	f.must(func(tx *commit.Tx, _ *commit.Bucket) error { return index.Continue(tx, 1, f.bucket.Plan) })
	f.execute("UPDATE buckets SET status = 'IN_PROGRESS'")
	if u := f.unfinished(); u.Num != 0 {
		t.Errorf("got %+v to build in a bucket that is being deleted", u)
	}
	for done, n := false, 0; !done; n++ {
		if n == 10 {
			t.Fatal("the indexes are still there")
		}
		f.must(func(tx *commit.Tx, _ *commit.Bucket) (err error) {
			done, err = index.DropAll(tx, bucketNum)
			return err
		})
	}
	f.want("SELECT (SELECT count(*) FROM indexes) + (SELECT count(*) FROM entries) + (SELECT count(*) FROM texts)", "0")
}

// Compare finds what disagrees with the objects, and rebuilding the index repairs it.
func TestCompare(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		damage string
		found  func(index.Comparison) bool
	}{
		"entry missing": {"DELETE FROM entries WHERE seq & 7 = 3", func(c index.Comparison) bool { return c.Want == 14 && c.Got == 12 }},
		"other entry":   {"UPDATE entries SET seq = seq + 1 WHERE key = (SELECT max(key) FROM entries)", func(c index.Comparison) bool { return c.Want == c.Got && c.Differ }},
		"flag missing":  {"UPDATE indexes SET many = 0", func(c index.Comparison) bool { return c.Many && !c.Cut }},
		"no text":       {"INSERT INTO texts (texts) VALUES ('delete-all')", func(c index.Comparison) bool { return c.Lost == 6 && c.Looked == 6 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t)
			f.add(index.Value, "tags")
			f.add(index.Text, "title")
			f.putSome(5)
			f.put(f.stored("two", `{"tags":["a","b"],"title":"two tags"}`))
			f.wantAgree()
			f.execute(test.damage)
			found := false
			for _, c := range f.compare() {
				found = found || test.found(c)
			}
			if !found {
				t.Errorf("got %+v, want the damage", f.compare())
			}
		})
	}
}

// An index of an old format counts as being built. It is rebuilt, ready or not, unless it is
// being dropped.
func TestOldFormat(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.add(index.Value, "n")
	f.add(index.Text, "title")
	f.putSome(5)
	f.execute("UPDATE indexes SET form = 1")
	f.execute("DELETE FROM entries")
	f.wantAgree()
	if u := f.unfinished(); u.Num != 1 || u.Status != index.Ready {
		t.Fatalf("got %+v, want the ready index 1", u)
	}
	f.must(func(tx *commit.Tx, _ *commit.Bucket) error { return index.Continue(tx, 1, nil) })
	f.want(indexStatuses, "DROPPING READY BUILDING")
	f.execute("UPDATE indexes SET status = 'BUILDING' WHERE num = 2")
	f.finish()
	f.want(indexStatuses, "READY READY")
	f.want("SELECT group_concat(DISTINCT form) FROM indexes", "2")
	f.wantAgree()
	f.execute("UPDATE indexes SET form = 1, status = 'DROPPING'")
	f.finish()
	f.want(indexStatuses, "")
}

// A rebuilt index is another one, with the objects' entries.
func TestRebuild(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.add(index.Value, "n")
	f.putSome(5)
	f.execute("UPDATE entries SET key = x'036200' WHERE seq & 7 = 3")
	f.must(func(tx *commit.Tx, _ *commit.Bucket) error { return index.Rebuild(tx, bucketNum, 1) })
	f.want(indexStatuses, "DROPPING BUILDING")
	f.finish()
	f.want(indexStatuses, "READY")
	f.wantAgree()
	f.must(func(tx *commit.Tx, _ *commit.Bucket) error { return index.Rebuild(tx, bucketNum, 1) }) // it has been dropped
	f.want(indexStatuses, "READY")
}
