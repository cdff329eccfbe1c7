// Package committest opens stores' files for tests of the packages that work in a
// [commit.Tx], without the store above them.
package committest

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
)

func init() {
	// A step of the migrations names it; no test has rows that it would convert.
	engine.RegisterFunction("bucketlite_jsonb", 3, func([][]byte) []byte { return nil })
}

// File is a store's file in memory. Its tables hold one namespace, "ns", and one bucket
// in it, "videos" with the id "bkt", both with the number 1.
type File struct {
	*engine.DB
	Raised [3]int // how often each [commit.Signal] was given
}

// Open returns a new File, which is closed when the test ends. The working directory must
// be two levels below the root of the module, as it is for the tests of a package in
// internal.
func Open(t testing.TB) *File {
	t.Helper()
	f := &File{}
	committer := commit.NewCommitter(commit.Config{
		Now:        time.Now,
		EventSlack: 1 << 40,
		Signals: [...]func(){commit.Background: func() { f.Raised[commit.Background]++ }, commit.Jobs: func() { f.Raised[commit.Jobs]++ },
			commit.Drafts: func() { f.Raised[commit.Drafts]++ }},
		Overtaken: func() {},
		Last:      func(*commit.Tx) error { return nil },
		Noted:     func(int64) {},
	})
	var err error
	f.DB, err = engine.Open(context.Background(), engine.Config{
		Path: engine.Memory, Readers: 1, LongReads: 1, Migrations: migrations(t), NewGroup: committer.Begin,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	for _, statement := range []string{
		"INSERT INTO namespaces (num, id, name, description, created_at, updated_at) VALUES (1, 'ns', 'media', '', 0, 0)",
		`INSERT INTO buckets (num, status, is_locked, definition, partition, schema_version, rules, clock, object_count, total_size, namespace, id, name, created_at, updated_at, storage_class, description, schema)
VALUES (1, 'ACTIVE', 0, 1, 1, 1, 1, 0, 0, 0, 1, 'bkt', 'videos', 0, 0, 'STANDARD', '', '{}')`,
	} {
		err := f.Write(context.Background(), func(tx *engine.Tx) error { _, err := tx.Exec(statement); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// migrations returns the steps that make the tables of a store.
func migrations(t testing.TB) (steps []string) {
	t.Helper()
	names, err := filepath.Glob("../../migrations/0*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("got %d migrations, %v", len(names), err)
	}
	for _, name := range names {
		sql, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, string(sql))
	}
	return steps
}
