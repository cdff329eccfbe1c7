package bucketlite

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// A bucket's row and its definition are read by two statements, between which the
// bucket's deletion may end. The file is sound then, and the bucket is not found.
// The test is within the package to stand between the two.
func TestBucketGoneBeforeDefinition(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s, err := Open(ctx, filepath.Join(t.TempDir(), "test.db"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n, err := s.CreateNamespace(ctx, NamespaceConfig{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := n.CreateBucket(ctx, BucketConfig{Name: "items"})
	if err != nil {
		t.Fatal(err)
	}
	task, err := b.Delete(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Wait(ctx, task.ID); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func() error{
		"a handle's": func() error {
			found := s.handle(target{num: b.num, id: b.id, name: b.name}) // by the first statement
			var stored storedDefinition
			err := s.read(ctx, func(c *engine.Conn) (err error) {
				stored, err = found.readDefinition(c)
				return err
			})
			if err == nil {
				err = found.define(stored)
			}
			return err
		},
		"a processor's": func() error { _, err := s.definition(ctx, b.num); return err },
		"a count's": func() error {
			return s.read(ctx, func(c *engine.Conn) error { _, err := b.objectCount(c); return err })
		},
	} {
		if err := read(); !errors.Is(err, ErrNotFound) || errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: got %v, want ErrNotFound", name, err)
		}
	}
}
