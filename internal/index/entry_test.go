package index_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/query"
)

// Entries follow an object through its changes. Flags of the index stay when the objects
// that set them are gone.
func TestUpdate(t *testing.T) {
	t.Parallel()
	f := open(t)
	for _, path := range []string{"n", "tags", "title"} {
		f.add(index.Value, path)
	}
	f.add(index.Text, "")
	long := strings.Repeat("long ", 1000)
	versions := []index.Stored{
		f.stored("a", `{"n":1,"tags":["x","y"],"title":"One"}`),
		f.stored("a", `{"n":2,"tags":["y","z"]}`),
		f.stored("a", `{"tags":[],"title":"`+long+`"}`),
		f.stored("a", `{"n":2,"tags":"x","title":null}`),
	}
	f.putSome(3)
	seq := f.put(versions[0])
	f.wantAgree()
	for i, next := range versions[1:] {
		f.must(func(tx *commit.Tx, state *commit.Bucket) error {
			if _, err := tx.Exec("UPDATE object SET fields = ? WHERE seq = ?", next.Fields, seq); err != nil {
				return err
			}
			return index.Update(tx, state, f.bucket, seq, versions[i].Row(), next.Row())
		})
		f.wantAgree()
	}
	f.want("SELECT group_concat(path || many || cut, ' ') FROM (SELECT * FROM indexes WHERE kind = 'value' ORDER BY path)", "n00 tags10 title01")
	f.must(func(tx *commit.Tx, state *commit.Bucket) error {
		if _, err := tx.Exec("DELETE FROM object WHERE seq = ?", seq); err != nil {
			return err
		}
		return index.Update(tx, state, f.bucket, seq, versions[3].Row(), nil)
	})
	f.wantAgree()
	f.want("SELECT count(*) FROM entries WHERE seq & 7 = 4", "0")
	f.want("SELECT count(*) FROM texts", "3")
}

// An object whose row is damaged is taken out of the indexes without its entries.
func TestRemove(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.add(index.Value, "n")
	f.add(index.Text, "title")
	f.putSome(2)
	damaged := f.stored("a", `{"n":9,"title":"title 9"}`)
	damaged.Fields = damaged.Fields[:len(damaged.Fields)-3]
	seq := f.put(damaged)
	f.want("SELECT count(*) FROM entries", "4") // the damaged object has two, so that every look finds it
	f.must(func(tx *commit.Tx, state *commit.Bucket) error {
		if _, err := tx.Exec("DELETE FROM object WHERE seq = ?", seq); err != nil {
			return err
		}
		return index.Remove(tx, state, seq)
	})
	f.wantAgree()
	f.want("SELECT count(*) FROM entries", "2")
	f.want("SELECT count(*) FROM texts", "2")
}

// Indexes are read once for all transactions that follow each other, until they change.
func TestLoad(t *testing.T) {
	t.Parallel()
	f := open(t)
	load := func() (list []*index.Index) {
		f.must(func(tx *commit.Tx, state *commit.Bucket) (err error) {
			list, err = index.Load(tx, state)
			return err
		})
		return list
	}
	if got := load(); got != nil {
		t.Fatalf("got %v, want no index", got)
	}
	f.add(index.Value, "n")
	f.add(index.Text, "")
	f.putSome(1)
	first := load()
	if len(first) != 2 || first[0].Kind != index.Text || first[1].Path != "n" || first[1].Status != index.Ready {
		t.Fatalf("got %v, want a text index and one of n", first)
	}
	if second := load(); second[0] != first[0] {
		t.Error("the indexes were read again")
	}
	f.must(func(tx *commit.Tx, state *commit.Bucket) error { return index.Drop(tx, state, index.Text, "") })
	if got := load(); len(got) != 1 || got[0] == first[1] {
		t.Errorf("got %v, want the index of n, read again", got)
	}
}

// A text is found by any of its trigrams, whatever the case. Objects with too much text
// are found by every look, and then matched.
func TestTexts(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.add(index.Text, "title")
	f.putSome(5)
	f.put(f.stored("quotes", `{"title":"a \"quoted\" word"}`))
	f.put(f.stored("huge", `{"title":"`+strings.Repeat("x", 300<<10)+`y"}`))
	for text, want := range map[string][]int64{"TITLE 3": {3}, `"quoted"`: {6}, "xxy": {7}, "titel": {}, "e": {1, 2, 3, 4, 5, 6}} {
		if got := f.all(f.compile(query.Condition("title", query.Contains, text))); !slices.Equal(got, want) {
			t.Errorf("contains %q: got %v, want %v", text, got, want)
		}
	}
	f.wantAgree()
}

// The fields, blobs and columns of an object are members and texts of its document.
func TestDocument(t *testing.T) {
	t.Parallel()
	f := open(t)
	o := f.stored("obj", `{"n":5,"deep":{"list":["one",{"x":"two"}]}}`)
	o.Blobs = `[{"blob_id":"b","details":{"filename":"three.txt"}}]`
	f.put(o)
	seen := 0
	f.visit(f.compile(nil), []string{"blobs"}, func(doc *index.Document) error {
		seen++
		for name, want := range map[string]string{
			"object_id": "obj", "bucket_id": "bkt", "status": "DRAFT", "n": "5",
			"created_at": "2001-09-09T01:46:40Z", "updated_at": "2033-05-18T03:33:20Z",
			"blobs": "[map[blob_id:b details:map[filename:three.txt]]]",
		} {
			if got, ok := doc.Member(name); !ok || fmt.Sprint(got) != want {
				t.Errorf("%s: got %v, %v, want %s", name, got, ok, want)
			}
		}
		for _, name := range []string{"key_prefix", "error", "none"} {
			if got, ok := doc.Member(name); ok {
				t.Errorf("%s: got %v, want it absent", name, got)
			}
		}
		if got, want := slices.Collect(doc.Texts()), []string{"obj", "one", "two", "three.txt"}; !slices.Equal(got, want) {
			t.Errorf("got texts %q, want %q", got, want)
		}
		return nil
	})
	if seen != 1 {
		t.Errorf("got %d objects, want 1", seen)
	}
}
