package consoletest

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi/consoletest/seed"
)

// A store can be filled, names lead to ids, and the damage is there.
func TestSeed(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "seed.db")
	s, err := seed.Fill(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.Path("console/n/{studio}/b/{studio/products}/o/{studio/products/lamp-01}/"), "console/n/"+s.ID("studio")+"/b/"+s.ID("studio/products")+"/o/lamp-01/"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	st, err := bucketlite.Open(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	_, damaged, err := st.OpenBucket(ctx, seed.Main, "damaged")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := damaged.List(ctx, bucketlite.Query{}); !errors.Is(err, bucketlite.ErrCorrupt) {
		t.Errorf("list: got %v, want ErrCorrupt", err)
	}
	_, indexing, err := st.OpenBucket(ctx, seed.Main, "indexing")
	if err != nil {
		t.Fatal(err)
	}
	indexes, err := indexing.Indexes(ctx)
	if err != nil || len(indexes) != 1 || indexes[0].Status != bucketlite.IndexBuilding {
		t.Errorf("indexes: got %v (%v), want one that is BUILDING", indexes, err)
	}
}
