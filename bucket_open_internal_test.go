package bucketlite

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// A bucket is opened from memory until somebody commits, and nothing is remembered where
// a commit would not be seen.
func TestOpenBucketFromMemory(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		path  string
		plain bool
		want  bool
	}{"file": {"a.db", false, runtime.GOOS != "windows"}, "plain": {"b.db", true, false}, "memory": {":memory:", false, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := test.path
			if path != ":memory:" {
				path = filepath.Join(t.TempDir(), path)
			}
			ctx := context.Background()
			st, err := Open(ctx, path, &Options{PlainIO: test.plain})
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			ns, err := st.CreateNamespace(ctx, NamespaceConfig{Name: "n"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ns.CreateBucket(ctx, BucketConfig{Name: "b"}); err != nil {
				t.Fatal(err)
			}
			names := bucketNames{"n", "b"}
			isKept := func() bool {
				mark, ok := st.db.Mark()
				_, kept := st.opened.find(mark, names)
				return ok && kept
			}
			open := func() {
				t.Helper()
				if _, _, err := st.OpenBucket(ctx, "n", "b"); err != nil {
					t.Fatal(err)
				}
			}
			if open(); isKept() != test.want {
				t.Errorf("after it was opened: got remembered = %t, want %t", isKept(), test.want)
			}
			if _, err := st.CreateNamespace(ctx, NamespaceConfig{Name: "m"}); err != nil {
				t.Fatal(err)
			}
			if isKept() {
				t.Error("after a commit: it is remembered")
			}
			if _, _, err := st.OpenBucket(ctx, "n", "none"); err == nil {
				t.Error("a bucket that does not exist was opened")
			}
			if open(); isKept() != test.want || len(st.opened.of) > 1 {
				t.Errorf("after it was opened again: got remembered = %t and %d buckets, want %t and one", isKept(), len(st.opened.of), test.want)
			}
		})
	}
}

func TestOpenedBucketsAreBounded(t *testing.T) {
	t.Parallel()
	var m openedBuckets
	for i := range 2 * maxOpened {
		m.keep(engine.Mark{}, bucketNames{"n", fmt.Sprint(i)}, openedBucket{})
	}
	if len(m.of) != maxOpened {
		t.Errorf("got %d buckets, want %d", len(m.of), maxOpened)
	}
}
