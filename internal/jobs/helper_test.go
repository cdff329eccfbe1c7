package jobs_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jobs"
	"github.com/bucketlite/bucketlite/internal/lease"
)

func init() {
	// A step of the migrations names it; no test has rows that it would convert.
	engine.RegisterFunction("bucketlite_jsonb", 3, func([][]byte) []byte { return nil })
}

// file is a store's file with one bucket, number 1, and a task, "task".
type file struct {
	testing.TB
	db     *engine.DB
	raised [2]int // signals, by their number
}

func open(t testing.TB) *file {
	t.Helper()
	f := &file{TB: t}
	committer := commit.NewCommitter(commit.Config{
		Now:        time.Now,
		EventSlack: 1 << 40,
		Signals:    [...]func(){commit.Background: func() { f.raised[commit.Background]++ }, commit.Jobs: func() { f.raised[commit.Jobs]++ }},
		Overtaken:  func() {},
		Last:       func(*commit.Tx) error { return nil },
		Noted:      func(int64) {},
	})
	var err error
	f.db, err = engine.Open(context.Background(), engine.Config{
		Path: engine.Memory, Readers: 1, LongReads: 1, Migrations: migrations(t), NewGroup: committer.Begin,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.db.Close() })
	f.write(func(tx *commit.Tx) error {
		_, err := tx.Exec("INSERT INTO namespaces (num, id, name, description, created_at, updated_at) VALUES (1, 'ns', 'media', '', 0, 0)")
		if err == nil {
			_, err = tx.Exec(`
INSERT INTO buckets (num, status, locked, clock, object_count, total_size, namespace, id, name, created_at, updated_at, storage_class, description, schema)
VALUES (1, 'ACTIVE', 0, 0, 0, 0, 1, 'bkt', 'videos', 0, 0, 'STANDARD', '', '{}')`)
		}
		if err == nil {
			err = (&jobs.Task{ID: "task", Type: "process", Namespace: 1, Bucket: int64(1), Inputs: "[]", Detail: "{}", Total: 10}).Insert(tx)
		}
		return err
	})
	return f
}

// migrations returns the steps that make the tables of a store.
func migrations(t testing.TB) (steps []string) {
	t.Helper()
	names, err := filepath.Glob("../../migrations/*.sql")
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

// write runs an operation in a transaction.
func (f *file) write(op func(*commit.Tx) error) {
	f.Helper()
	err := f.db.Write(context.Background(), func(tx *engine.Tx) error { return op(commit.Of(tx)) })
	if err != nil {
		f.Fatal(err)
	}
}

// read runs a query on a connection for reading.
func (f *file) read(query func(*engine.Conn) error) {
	f.Helper()
	if err := f.db.Read(context.Background(), query); err != nil {
		f.Fatal(err)
	}
}

// text returns the only value of a query, as text.
func (f *file) text(query string) (text string) {
	f.Helper()
	f.read(func(c *engine.Conn) error {
		_, err := c.QueryRow(query, nil, func(r engine.Row) { text = fmt.Sprint(r[0]) })
		return err
	})
	return text
}

// batch creates n objects, "1" to n, and a batch "b" of them.
func (f *file) batch(n int) {
	f.Helper()
	f.write(func(tx *commit.Tx) error {
		var ids []any
		for i := 1; i <= n; i++ {
			ids = append(ids, fmt.Sprint(i))
			_, err := tx.Exec(`
INSERT INTO object (seq, bucket, id, version, size, status, created_at, updated_at, fields) VALUES (?, 1, ?, 1, 0, 'DRAFT', 0, 0, x'')`,
				int64(1<<40+i), fmt.Sprint(i))
			if err != nil {
				return err
			}
		}
		return jobs.CreateBatch(tx, 1, "b", nil, ids)
	})
}

// change runs an operation on the batch "b".
func (f *file) change(op func(*commit.Tx, *jobs.Batch) error) {
	f.Helper()
	f.write(func(tx *commit.Tx) error {
		b, err := jobs.FindBatch(tx, 1, "b")
		if err != nil {
			return err
		}
		return op(tx, b)
	})
}

// submit submits the batch "b" under the task.
func (f *file) submit() {
	f.Helper()
	f.change(func(tx *commit.Tx, b *jobs.Batch) error { return b.Submit(tx, "task") })
}

// processor returns a processor whose leases last for a time.
func processor(name string, lasts time.Duration) *jobs.Processor {
	return &jobs.Processor{
		Owner: lease.Owner(name, lasts), Lease: lasts, Attempts: 2, Pause: time.Minute, Leases: &lease.Watcher{},
		Abandoned: func(_ *commit.Tx, object string) (*jobs.Failure, error) {
			return failure("runtime", "stopped at "+object), nil
		},
	}
}

func failure(category, message string) *jobs.Failure {
	return &jobs.Failure{Category: category, Message: message, Detail: fmt.Sprintf(`{"error_type":%q,"message":%q}`, category, message)}
}

// take has a processor take up to n jobs.
func (f *file) take(p *jobs.Processor, n int, overdue ...jobs.Overdue) *jobs.Taking[string] {
	f.Helper()
	var t *jobs.Taking[string]
	f.write(func(tx *commit.Tx) error {
		t = &jobs.Taking[string]{Processor: p, Most: n, Idle: n, Overdue: overdue, Columns: "o.status",
			Scan: func(status *string, r engine.Row, i int) { *status = r.Text(i) }}
		l := jobs.NewLedger(tx)
		if err := jobs.Take(l, t); err != nil {
			return err
		}
		return l.Save()
	})
	return t
}

// settle settles outcomes of leases.
func (f *file) settle(outcomes ...jobs.Outcome) {
	f.Helper()
	f.write(func(tx *commit.Tx) error {
		l := jobs.NewLedger(tx)
		for i := range outcomes {
			if err := l.Settle(&outcomes[i]); err != nil {
				return err
			}
		}
		return l.Save()
	})
}

// want fails unless the only value of a query is the text.
func (f *file) want(query, want string) {
	f.Helper()
	if got := f.text(query); got != want {
		f.Errorf("%s: got %s, want %s", query, got, want)
	}
}
