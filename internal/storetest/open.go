package storetest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// ForeignLock takes the write lock with the bare driver, until the function it
// returns is called.
func ForeignLock(t *testing.T, path string) (release func()) {
	t.Helper()
	conn, err := OpenRaw(t, path).Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	execute := func(statement string) {
		if _, err := conn.ExecContext(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
	}
	execute("BEGIN IMMEDIATE")
	return func() {
		execute("ROLLBACK")
		conn.Close()
	}
}

// Open opens a store on a file of its own, with the default options unless some
// are given, and closes it when the test ends.
func Open(t testing.TB, opts ...*bucketlite.Options) *bucketlite.Store {
	t.Helper()
	return OpenPath(t, filepath.Join(t.TempDir(), "test.db"), opts...)
}

// OpenMemory is open for a private store in memory.
func OpenMemory(t testing.TB, opts ...*bucketlite.Options) *bucketlite.Store {
	t.Helper()
	return OpenPath(t, ":memory:", opts...)
}

// OpenPath is open for the file at path.
func OpenPath(t testing.TB, path string, opts ...*bucketlite.Options) *bucketlite.Store {
	t.Helper()
	var o *bucketlite.Options
	if len(opts) > 0 {
		o = opts[0]
	}
	st, err := bucketlite.Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return st
}

// Namespace returns the store's namespace "test", creating it on first use.
func Namespace(t testing.TB, st *bucketlite.Store) *bucketlite.Namespace {
	t.Helper()
	ctx := context.Background()
	ns, err := st.Namespace(ctx, "test")
	if errors.Is(err, bucketlite.ErrNotFound) {
		ns, err = st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"})
	}
	if err != nil {
		t.Fatal(err)
	}
	return ns
}

// Bucket creates a bucket in the store's namespace "test". Its name is "objects"
// unless config has one.
func Bucket(t testing.TB, st *bucketlite.Store, config bucketlite.BucketConfig) *bucketlite.Bucket {
	t.Helper()
	if config.Name == "" {
		config.Name = "objects"
	}
	b, err := Namespace(t, st).CreateBucket(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Schema parses a schema from the members of its "properties".
func Schema(t testing.TB, properties string) bucketlite.Schema {
	t.Helper()
	s, err := bucketlite.ParseSchema([]byte(`{"properties":{` + properties + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Input parses an ObjectInput.
func Input(t testing.TB, text string) bucketlite.ObjectInput {
	t.Helper()
	var in bucketlite.ObjectInput
	if err := in.UnmarshalJSON([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return in
}

// Put stores an object that must be accepted, and returns it.
func Put(t testing.TB, b *bucketlite.Bucket, in bucketlite.ObjectInput, policy bucketlite.Policy) *bucketlite.Object {
	t.Helper()
	res, err := b.Put(context.Background(), in, &bucketlite.PutOptions{Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	return res.Object
}

// OpenRaw opens the file with the bare driver, as a foreign process would.
func OpenRaw(t testing.TB, path string) *sql.DB {
	t.Helper()
	// A store may be recovering the file just then.
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// Dump returns the rows of a query as text.
func Dump(t testing.TB, db *sql.DB, query string, args ...any) string {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for rows.Next() {
		values := make([]any, len(columns))
		targets := make([]any, len(columns))
		for i := range values {
			targets[i] = &values[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, values...)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// HoldTasks keeps every store from beginning any task of the file at path, as if
// another store that has stopped had leased it, until releaseTasks.
func HoldTasks(t testing.TB, path string) {
	t.Helper()
	Execute(t, OpenRaw(t, path), `CREATE TRIGGER hold AFTER INSERT ON tasks BEGIN
		UPDATE tasks SET lease_owner = 'nobody/9999h', lease_until = 1 << 62 WHERE num = new.num; END`)
}

// ReleaseTasks ends the leases made since holdTasks, and makes none after that. It opens
// the file once more, since a store that opens finds tasks at once.
func ReleaseTasks(t testing.TB, path string) {
	t.Helper()
	Execute(t, OpenRaw(t, path), "DROP TRIGGER hold; UPDATE tasks SET lease_until = 0 WHERE lease_owner = 'nobody/9999h'")
	OpenPath(t, path)
}

// Execute runs statements, waiting for others who are writing.
func Execute(t testing.TB, db *sql.DB, statements string) {
	t.Helper()
	if _, err := db.Exec("PRAGMA busy_timeout = 20000; BEGIN IMMEDIATE; " + statements + "; COMMIT"); err != nil {
		t.Fatal(err)
	}
}

// ManualClock is a clock that moves only when a test moves it.
type ManualClock struct {
	mu sync.Mutex
	t  time.Time
}

func NewManualClock() *ManualClock {
	return &ManualClock{t: time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)}
}

func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Add moves the clock and returns what it shows then, as the file keeps it.
func (c *ManualClock) Add(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	return c.t.Truncate(time.Microsecond)
}

// CopyFile returns a copy of a closed file.
func CopyFile(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// ReopenItems opens the file at path once more and returns its bucket of items.
func ReopenItems(t testing.TB, path string) *bucketlite.Bucket {
	t.Helper()
	b, err := Namespace(t, OpenPath(t, path)).Bucket(context.Background(), "items")
	if err != nil {
		t.Fatal(err)
	}
	return b
}
