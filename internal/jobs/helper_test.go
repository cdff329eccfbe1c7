package jobs_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/committest"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jobs"
	"github.com/bucketlite/bucketlite/internal/lease"
)

// file is a store's file with one bucket, number 1, and a task, "task".
type file struct {
	testing.TB
	*committest.File
}

func open(t testing.TB) *file {
	t.Helper()
	f := &file{t, committest.Open(t)}
	f.write(func(tx *commit.Tx) error {
		return (&jobs.Task{ID: "task", Type: "process", Namespace: 1, Bucket: int64(1), Inputs: "[]", Detail: "{}", Total: 10}).Insert(tx)
	})
	return f
}

// write runs an operation in a transaction.
func (f *file) write(op func(*commit.Tx) error) {
	f.Helper()
	err := f.File.Write(context.Background(), func(tx *engine.Tx) error { return op(commit.Of(tx)) })
	if err != nil {
		f.Fatal(err)
	}
}

// read runs a query on a connection for reading.
func (f *file) read(query func(*engine.Conn) error) {
	f.Helper()
	if err := f.File.Read(context.Background(), query); err != nil {
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
INSERT INTO object (seq, partition, id, version, size, status, created_at, updated_at, fields) VALUES (?, 1, ?, 1, 0, 'DRAFT', 0, 0, x'')`,
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
