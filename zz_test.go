package bucketlite_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"
)

func TestZZ(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	b := items(t, openPath(t, path))
	putItems(t, b, 20000, 10)
	for range 2 {
		s := time.Now()
		ensure(t, b, "v")
		t.Log("v", time.Since(s))
		s = time.Now()
		ensureText(t, b)
		t.Log("text", time.Since(s))
		s = time.Now()
		must(t, b.DropTextIndex(context.Background()))
		must(t, b.DropIndex(context.Background(), "v"))
		wantEmptyIndexes(t, path)
		t.Log("drop", time.Since(s))
	}
}
