package bucketlite_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"modernc.org/sqlite"
)

var (
	long = flag.Bool("long", false, "let the model and the crash tests run for longer")
	seed = flag.Uint64("seed", 0, "seed of the model test, 0 for a new one")
)

// roleVariable names the environment variable that turns the test binary into
// one of the children.
const roleVariable = "BUCKETLITE_TEST_CHILD"

// children are the programs that tests run as other processes. They get their
// arguments from the command line, and fail by returning an error.
var children = map[string]func(args []string) error{
	"upsert":  childUpsert,
	"load":    childLoad,
	"put":     childPut,
	"delete":  childDelete,
	"stream":  childStream,
	"uploads": childUploads,
	"watch":   childWatch,
	"process": childProcess,
	"index":   childIndex,
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		time.AfterFunc(2*time.Minute, func() { os.Exit(2) }) // should the parent be gone
		if err := children[role](os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "child %q: %v\n", role, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(m.Run()) // the fuzzer leaves a goroutine of its own behind
	}
	waitTogether()
	before := runtime.NumGoroutine()
	code := m.Run()
	if code == 0 && !goroutinesFallTo(before) {
		fmt.Fprintf(os.Stderr, "goroutines after all tests: got %d, want %d\n", runtime.NumGoroutine(), before)
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

// waitTogether lets more tests run at once than there are processors, unless the command
// line says how many, since many of them wait: for disks, leases and other processes.
func waitTogether() {
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if !given {
		flag.Set("test.parallel", fmt.Sprint(4*runtime.GOMAXPROCS(0)))
	}
}

// goroutinesFallTo reports whether no more than n goroutines are left, giving
// those that have been told to end the time to do so.
func goroutinesFallTo(n int) bool {
	return eventually(func() bool { return runtime.NumGoroutine() <= n })
}

// eventually polls until f holds, for what another process or the background
// collector does.
func eventually(f func() bool) bool {
	for deadline := time.Now().Add(time.Minute); !f(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// atOnce runs f in n goroutines and returns their errors.
func atOnce(n int, f func(i int) error) error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() { errs[i] = f(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// itemsConfig is a bucket of items: a key, a number, a string and a document.
func itemsConfig(name string) bucketlite.BucketConfig {
	return bucketlite.BucketConfig{
		Name: name,
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"k": {Type: bucketlite.String}, "n": {Type: bucketlite.Integer},
			"v": {Type: bucketlite.String}, "doc": {Type: bucketlite.Text},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert},
	}
}

// items creates a bucket of items.
func items(t testing.TB, st *bucketlite.Store) *bucketlite.Bucket {
	t.Helper()
	return bucket(t, st, itemsConfig("items"))
}

// item is an input for a bucket of items.
func item(k string, v string) bucketlite.ObjectInput {
	return bucketlite.ObjectInput{Fields: map[string]any{"k": k, "v": v}}
}

// itemWithDoc is an item with stored content.
func itemWithDoc(k string, doc string) bucketlite.ObjectInput {
	in := item(k, "")
	in.Blobs = []bucketlite.BlobInput{{Property: "doc", Reader: strings.NewReader(doc)}}
	return in
}

// putItem stores an item.
func putItem(t testing.TB, b *bucketlite.Bucket, in bucketlite.ObjectInput) *bucketlite.Object {
	t.Helper()
	res, err := b.Put(context.Background(), in, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res.Object
}

// putItems stores n items with the keys "0", "1", … and values of some length.
func putItems(t testing.TB, b *bucketlite.Bucket, n, length int) {
	t.Helper()
	if err := fillItems(b, n, length); err != nil {
		t.Fatal(err)
	}
}

func fillItems(b *bucketlite.Bucket, n, length int) error {
	v := strings.Repeat("v", length)
	for start := 0; start < n; start += bucketlite.MaxPutMany {
		var inputs []bucketlite.ObjectInput
		for i := start; i < min(n, start+bucketlite.MaxPutMany); i++ {
			inputs = append(inputs, item(fmt.Sprint(i), v))
		}
		if err := batchError(b.PutMany(context.Background(), inputs, nil)); err != nil {
			return err
		}
	}
	return nil
}

// batchError returns why a batch, or the first input that failed, was refused.
func batchError(res *bucketlite.PutManyResult, err error) error {
	if err == nil && len(res.Failed) > 0 {
		err = res.Failed[0].Err
	}
	return err
}

// last drains a sequence and returns the error that ended it.
func last[T any](seq func(yield func(T, error) bool)) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}

// wantExact fails unless the bucket's statistics equal a recount of its objects.
func wantExact(t testing.TB, b *bucketlite.Bucket) {
	t.Helper()
	ctx := context.Background()
	got, err := b.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := bucketlite.Stats{LastUploadAt: got.LastUploadAt, UpdatedAt: got.UpdatedAt}
	for o, err := range b.Objects(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		addToStats(&want, o.Size)
	}
	for k, err := range b.Batches(ctx, bucketlite.BatchQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		addToBatchStats(&want.Batches, k.Status)
	}
	if *got != want {
		t.Errorf("statistics: got %+v, want %+v", *got, want)
	}
}

// addToStats counts one more object.
func addToStats(s *bucketlite.Stats, size int64) {
	if s.ObjectCount == 0 || size < s.Storage.Min {
		s.Storage.Min = size
	}
	s.Storage.Max = max(s.Storage.Max, size)
	s.ObjectCount++
	s.TotalSize += size
	s.Storage.Total = s.TotalSize
	s.Storage.Avg = s.TotalSize / s.ObjectCount
}

// addToBatchStats counts one more batch.
func addToBatchStats(s *bucketlite.BatchStats, status bucketlite.Status) {
	s.Total++
	switch status {
	case bucketlite.StatusDraft, bucketlite.StatusPending, bucketlite.StatusInProgress:
		s.Active++
	case bucketlite.StatusCompleted, bucketlite.StatusCompletedWithErrors:
		s.Completed++
	case bucketlite.StatusFailed:
		s.Failed++
	}
}

// raw opens the file with the bare driver, as a foreign process would.
func raw(t testing.TB, path string) *sql.DB {
	t.Helper()
	// A store may be recovering the file just then.
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(20000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// dump returns the rows of a query as text.
func dump(t testing.TB, db *sql.DB, query string, args ...any) string {
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

// holdTasks keeps every store from beginning any task of the file at path, as if
// another store that has stopped had leased it, until releaseTasks.
func holdTasks(t testing.TB, path string) {
	t.Helper()
	execute(t, raw(t, path), `CREATE TRIGGER hold AFTER INSERT ON tasks BEGIN
		UPDATE tasks SET lease_owner = 'nobody/9999h', lease_until = 1 << 62 WHERE num = new.num; END`)
}

// releaseTasks ends the leases made since holdTasks, and makes no more. It opens
// the file once more, since a store that opens looks for tasks at once.
func releaseTasks(t testing.TB, path string) {
	t.Helper()
	execute(t, raw(t, path), "DROP TRIGGER hold; UPDATE tasks SET lease_until = 0 WHERE lease_owner = 'nobody/9999h'")
	openPath(t, path)
}

// execute runs statements, waiting for others who are writing.
func execute(t testing.TB, db *sql.DB, statements string) {
	t.Helper()
	if _, err := db.Exec("PRAGMA busy_timeout = 20000; BEGIN IMMEDIATE; " + statements + "; COMMIT"); err != nil {
		t.Fatal(err)
	}
}

// reseal gives every object the checksum of its row, after statements that edit rows
// as a fault of the library would.
const reseal = "; UPDATE object SET sum = object_sum(seq, id, version, key, key_prefix, created_at, updated_at, fields, blobs)"

func init() {
	sqlite.MustRegisterDeterministicScalarFunction("object_sum", 9, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		n := func(i int) int64 { v, _ := args[i].(int64); return v }
		text := func(i int) string { v, _ := args[i].(string); return v }
		blob := func(i int) []byte { v, _ := args[i].([]byte); return v }
		return bucketlite.ObjectSum(n(0), text(1), n(2), blob(3), text(4), n(5), n(6), blob(7), text(8)), nil
	})
}

// usedContents counts the references to stored content, by its hash: the blobs,
// and the uploads that hold their bytes.
const usedContents = `SELECT hash, count(*) AS n FROM (
	SELECT j.value ->> '$.details.hash' AS hash FROM object o, json_each(o.blobs) j WHERE hash IS NOT NULL
	UNION ALL SELECT lower(hex(hash)) FROM uploads WHERE holds = 1) GROUP BY 1`

// invariants are queries that return nothing as long as a file is sound.
var invariants = map[string]string{
	"integrity": "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
	"fields":    "SELECT id FROM object WHERE NOT json_valid(fields, 8)",
	"orphans":   "SELECT id FROM object WHERE bucket NOT IN (SELECT num FROM buckets) OR seq >> 40 <> bucket",
	"deltas":    "SELECT bucket, clock FROM deltas WHERE bucket NOT IN (SELECT num FROM buckets)",
	"references": "WITH used AS (" + usedContents + `) SELECT lower(hex(c.hash)), c.uses, u.n
		FROM contents c LEFT JOIN used u ON u.hash = lower(hex(c.hash)) WHERE c.uses <> ifnull(u.n, 0)`,
	"missing content": "WITH used AS (" + usedContents + `) SELECT hash FROM used
		WHERE hash NOT IN (SELECT lower(hex(hash)) FROM contents WHERE hash IS NOT NULL)`,
	"content bytes": `SELECT live_bytes, waiting_bytes FROM store WHERE live_bytes <> (SELECT total(size) FROM contents WHERE uses > 0)
		OR waiting_bytes <> (SELECT total(size) FROM contents WHERE uses = 0 AND (hash IS NOT NULL OR ifnull(lease_until, 0) = 0))`,
	"sizes of what has no hash": `SELECT num FROM contents c WHERE hash IS NULL AND
		size <> (SELECT total(length(data)) FROM chunks WHERE id >= c.num << 24 AND id < (c.num + 1) << 24)`,
	"uploads of no bucket": "SELECT id FROM uploads WHERE bucket NOT IN (SELECT num FROM buckets)",
	"uploads": `SELECT id, status FROM uploads WHERE
		CASE status
			WHEN 'PENDING' THEN holds <> (hash IS NOT NULL) OR ended_at IS NOT NULL OR object IS NOT NULL
			WHEN 'PROCESSING' THEN holds <> (hash IS NOT NULL) OR ended_at IS NOT NULL OR object IS NOT NULL OR task IS NULL
			WHEN 'COMPLETED' THEN hash IS NULL OR ended_at IS NULL OR holds = 0 AND object IS NULL
			WHEN 'SKIPPED' THEN holds OR hash IS NOT NULL OR ended_at IS NULL OR object IS NULL
			WHEN 'FAILED' THEN holds OR hash IS NOT NULL OR ended_at IS NULL OR object IS NOT NULL
			WHEN 'CANCELED' THEN holds OR hash IS NOT NULL OR ended_at IS NULL OR object IS NOT NULL
			ELSE true
		END`,
	"events": `SELECT last FROM (SELECT last, count, length(data) AS size, lag(last) OVER (ORDER BY last) AS before FROM events)
		WHERE last - count <> before OR last < count OR count < 1 OR size < 3 * count`,
	"chunks": "SELECT id FROM chunks WHERE id >> 24 NOT IN (SELECT num FROM contents)",
	"pieces": `SELECT num FROM contents c WHERE hash IS NOT NULL AND
		size <> (SELECT total(length(data)) FROM chunks WHERE id >= c.num << 24 AND id < (c.num + 1) << 24)`,

	"batches": "SELECT id FROM batches WHERE bucket NOT IN (SELECT num FROM buckets)",
	"jobs":    "SELECT batch, position FROM jobs WHERE batch NOT IN (SELECT num FROM batches)",
	"batch totals": `SELECT k.id, k.status, k.sweep FROM batches k LEFT JOIN (
			SELECT batch, count(*) AS n, max(position) AS last, total(status IN ('PENDING', 'PROCESSING')) AS open,
				total(status = 'FAILED') AS failed, total(status = 'SKIPPED') AS skipped
			FROM jobs GROUP BY batch) j ON j.batch = k.num
		WHERE k.sweep IS NOT 'delete' AND (k.total, k.total, k.open, k.failed, k.skipped) IS NOT (j.n, j.last, j.open, j.failed, j.skipped)`,
	"batch failures": `SELECT k.id, k.failures FROM batches k WHERE k.sweep IS NOT 'delete' AND ifnull(k.failures, '{}') <> (
			SELECT json_group_object(category, n) FROM (
				SELECT error ->> '$.error_type' AS category, count(*) AS n FROM jobs WHERE batch = k.num AND status = 'FAILED' GROUP BY 1 ORDER BY 1))`,
	"batch counts": `SELECT b.id FROM buckets b LEFT JOIN batch_counts c ON c.bucket = b.num WHERE
			(ifnull(c.total, 0), ifnull(c.active, 0), ifnull(c.completed, 0), ifnull(c.failed, 0)) IS NOT (
				SELECT count(*), total(status IN ('DRAFT', 'PENDING', 'IN_PROGRESS')), total(status IN ('COMPLETED', 'COMPLETED_WITH_ERRORS')),
					total(status = 'FAILED')
				FROM batches WHERE bucket = b.num AND sweep IS NOT 'delete')
		UNION ALL SELECT bucket FROM batch_counts WHERE bucket NOT IN (SELECT num FROM buckets)`,
	"batch tasks": `SELECT k.id, k.status, t.status FROM batches k LEFT JOIN tasks t ON t.id = k.task
		WHERE k.sweep IS NOT 'delete' AND t.status IS NOT k.status AND NOT (k.status = 'DRAFT' AND k.task IS NULL)
			AND (t.id IS NOT NULL OR k.status IN ('PENDING', 'IN_PROGRESS'))`,
	"tasks without batch": `SELECT id FROM tasks WHERE type = 'api_buckets_batches_process' AND ended_at IS NULL
		AND id NOT IN (SELECT task FROM batches WHERE task IS NOT NULL)`,
	"progress": `SELECT id, status, processed, total FROM tasks WHERE type = 'api_buckets_batches_process'
		AND (processed > total OR processed < total AND status IN ('COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAILED'))`,
	"open jobs": `SELECT k.id, k.status, j.position, j.status FROM jobs j JOIN batches k ON k.num = j.batch
		WHERE j.status IN ('PENDING', 'PROCESSING') AND k.status NOT IN ('PENDING', 'IN_PROGRESS') AND k.sweep IS NULL`,
	"indexes": `SELECT num FROM indexes i WHERE kind NOT IN ('value', 'text') OR status NOT IN ('BUILDING', 'READY', 'DROPPING')
		OR status <> 'DROPPING' AND bucket NOT IN (SELECT num FROM buckets)
		OR status = 'BUILDING' AND built <= bucket << 40 OR status = 'READY' AND built <> bucket << 40 OR built >> 40 <> bucket`,
	"entries of no index": "SELECT DISTINCT idx FROM entries WHERE idx NOT IN (SELECT num FROM indexes)",
	"entries of no object": `SELECT idx, seq FROM entries JOIN indexes i ON i.num = idx JOIN buckets b ON b.num = i.bucket
		WHERE i.status <> 'DROPPING' AND b.status <> 'IN_PROGRESS' AND NOT EXISTS (SELECT 1 FROM object WHERE object.seq = entries.seq)`,
	"objects of no entry": `SELECT i.num, o.seq FROM indexes i JOIN buckets b ON b.num = i.bucket JOIN object o ON o.bucket = b.num AND o.seq >= i.built
		WHERE i.kind = 'value' AND i.status <> 'DROPPING' AND b.status <> 'IN_PROGRESS' EXCEPT SELECT idx, seq FROM entries`,
	"texts of no index": "SELECT id FROM texts_docsize WHERE id >> 40 NOT IN (SELECT bucket FROM indexes WHERE kind = 'text')",
	"texts of no object": `SELECT id FROM texts_docsize WHERE id NOT IN (SELECT seq FROM object) AND id >> 40 IN (
		SELECT bucket FROM indexes JOIN buckets b ON b.num = bucket WHERE kind = 'text' AND b.status <> 'IN_PROGRESS'
		GROUP BY bucket HAVING total(indexes.status = 'DROPPING') = 0)`,
	"objects of no text": `SELECT i.num, o.seq FROM indexes i JOIN buckets b ON b.num = i.bucket JOIN object o ON o.bucket = b.num AND o.seq >= i.built
		WHERE i.kind = 'text' AND i.status <> 'DROPPING' AND b.status <> 'IN_PROGRESS' AND o.seq NOT IN (SELECT id FROM texts_docsize)`,
	"leases": "SELECT batch, position FROM jobs WHERE (status = 'PROCESSING') <> (owner IS NOT NULL)",
	"queued objects": `SELECT id, status FROM object WHERE status IN ('PENDING', 'PROCESSING')
		AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.seq = object.seq AND jobs.status IN ('PENDING', 'PROCESSING'))`,
}

// wantSound fails unless the file at path is whole and agrees with itself.
func wantSound(t testing.TB, path string) {
	t.Helper()
	ctx := context.Background()
	db := raw(t, path)
	for name, query := range invariants {
		if got := dump(t, db, query); got != "" {
			t.Errorf("%s: got %s, want nothing", name, got)
		}
	}
	st := openPath(t, path, &bucketlite.Options{ReadOnly: true})
	defer st.Close()
	wantNoProblem(t, st)
	for info, err := range st.Namespaces(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		ns, err := st.Namespace(ctx, info.ID)
		if err != nil {
			t.Fatal(err)
		}
		for info, err := range ns.Buckets(ctx, bucketlite.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			b, err := ns.Bucket(ctx, info.ID)
			if err != nil {
				t.Fatal(err)
			}
			if info.Status != bucketlite.StatusSuspended {
				wantExact(t, b)
			}
		}
	}
}

// wantNoProblem fails unless a check of the store finds nothing.
func wantNoProblem(t testing.TB, st *bucketlite.Store) *bucketlite.CheckReport {
	t.Helper()
	report, err := st.Check(context.Background(), nil)
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	if err := report.Err(); err != nil || len(report.Problems) > 0 {
		t.Errorf("check: got %v, want no problem", report.Problems[:min(10, len(report.Problems))])
	}
	return report
}

// manualClock is a clock that moves only when told to.
type manualClock struct {
	mu sync.Mutex
	t  time.Time
}

func newManualClock() *manualClock {
	return &manualClock{t: time.Date(2024, 5, 6, 7, 8, 9, 123456789, time.UTC)}
}

func (c *manualClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// add moves the clock and returns what it shows then, as the file keeps it.
func (c *manualClock) add(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	return c.t.Truncate(time.Microsecond)
}

// fixture is what the calls need to succeed.
type fixture struct {
	st   *bucketlite.Store
	ns   *bucketlite.Namespace
	b    *bucketlite.Bucket
	id   string // of an object
	task string
	up   string // an upload whose bytes have come
	dir  string // for files
	path string // of the store, where a test sets it

	// Batches of that object.
	draft, submitted, failed string
}

// newFixture makes a file with a bucket, an object and a task.
func newFixture(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "test.db")
	st := openPath(t, path)
	other := bucket(t, st, itemsConfig("other"))
	b := items(t, st)
	o := putItem(t, b, itemWithDoc("k", "text"))
	writeUpload(t, b, createUpload(t, b, docUpload("k")).ID, "document")
	(&fixture{st: st, b: b, id: o.ID}).makeBatches(t)
	task, err := other.Delete(context.Background())
	if err == nil {
		_, err = st.Wait(context.Background(), task.ID)
	}
	if err == nil {
		err = st.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func openFixture(t *testing.T, path string, opts *bucketlite.Options) *fixture {
	t.Helper()
	return fixtureOf(t, openPath(t, path, opts))
}

// fixtureOf finds what newFixture made in an open store.
func fixtureOf(t *testing.T, st *bucketlite.Store) *fixture {
	t.Helper()
	ctx := context.Background()
	f := &fixture{st: st, ns: namespace(t, st), dir: t.TempDir()}
	var err error
	if f.b, err = f.ns.Bucket(ctx, "items"); err != nil {
		t.Fatal(err)
	}
	o, err := f.b.ObjectByKey(ctx, map[string]any{"k": "k"})
	if err != nil {
		t.Fatal(err)
	}
	f.id = o.ID
	for u, err := range f.b.Uploads(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		f.up = u.ID
	}
	f.findBatches(t)
	for task, err := range st.Tasks(ctx, bucketlite.TaskQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		f.task = task.ID
	}
	return f
}

// calls are the methods of a store and its handles, called so that they succeed.
var calls = map[string]struct {
	writes bool
	do     func(ctx context.Context, f *fixture) error
}{
	"Store.CreateNamespace": {true, func(ctx context.Context, f *fixture) error {
		return second(f.st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "new"}))
	}},
	"Store.Namespace": {false, func(ctx context.Context, f *fixture) error { return second(f.st.Namespace(ctx, "test")) }},
	"Store.OpenBucket": {false, func(ctx context.Context, f *fixture) error {
		_, _, err := f.st.OpenBucket(ctx, "test", f.b.ID())
		return err
	}},
	"Store.Namespaces": {false, func(ctx context.Context, f *fixture) error { return last(f.st.Namespaces(ctx, bucketlite.Query{})) }},
	"Store.ListNamespaces": {false, func(ctx context.Context, f *fixture) error {
		return second(f.st.ListNamespaces(ctx, bucketlite.Query{}))
	}},
	"Store.NamespaceListStats": {false, func(ctx context.Context, f *fixture) error {
		return second(f.st.NamespaceListStats(ctx, bucketlite.Query{}))
	}},
	"Store.Task":  {false, func(ctx context.Context, f *fixture) error { return second(f.st.Task(ctx, f.task)) }},
	"Store.Tasks": {false, func(ctx context.Context, f *fixture) error { return last(f.st.Tasks(ctx, bucketlite.TaskQuery{})) }},
	"Store.ListTasks": {false, func(ctx context.Context, f *fixture) error {
		return second(f.st.ListTasks(ctx, bucketlite.TaskQuery{}))
	}},
	"Store.CancelTask":  {true, func(ctx context.Context, f *fixture) error { return second(f.st.CancelTask(ctx, f.task)) }},
	"Store.Wait":        {false, func(ctx context.Context, f *fixture) error { return second(f.st.Wait(ctx, f.task)) }},
	"Store.Stats":       {false, func(ctx context.Context, f *fixture) error { return second(f.st.Stats(ctx)) }},
	"Store.EventCursor": {false, func(ctx context.Context, f *fixture) error { return second(f.st.EventCursor(ctx)) }},
	"Store.Watch":       {false, func(ctx context.Context, f *fixture) error { return first(f.st.Watch(ctx, fromStart)) }},
	"Store.Check":       {false, func(ctx context.Context, f *fixture) error { return second(f.st.Check(ctx, nil)) }},
	"Store.Backup": {false, func(ctx context.Context, f *fixture) error {
		return f.st.Backup(ctx, filepath.Join(f.dir, rand.Text()), nil)
	}},

	"Namespace.Info":        {false, func(ctx context.Context, f *fixture) error { return second(f.ns.Info(ctx)) }},
	"Namespace.Bucket":      {false, func(ctx context.Context, f *fixture) error { return second(f.ns.Bucket(ctx, "items")) }},
	"Namespace.Buckets":     {false, func(ctx context.Context, f *fixture) error { return last(f.ns.Buckets(ctx, bucketlite.Query{})) }},
	"Namespace.ListBuckets": {false, func(ctx context.Context, f *fixture) error { return second(f.ns.ListBuckets(ctx, bucketlite.Query{})) }},
	"Namespace.ListBuckets, sorted": {false, func(ctx context.Context, f *fixture) error {
		return second(f.ns.ListBuckets(ctx, bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("bucket_name")}}))
	}},
	"Namespace.BucketListStats": {false, func(ctx context.Context, f *fixture) error {
		return second(f.ns.BucketListStats(ctx, bucketlite.Query{}))
	}},
	"Namespace.Watch": {false, func(ctx context.Context, f *fixture) error { return first(f.ns.Watch(ctx, fromStart)) }},
	"Namespace.Update": {true, func(ctx context.Context, f *fixture) error {
		return second(f.ns.Update(ctx, bucketlite.NamespaceUpdate{}))
	}},
	"Namespace.Delete": {true, func(ctx context.Context, f *fixture) error { return second(f.ns.Delete(ctx)) }},
	"Namespace.CreateBucket": {true, func(ctx context.Context, f *fixture) error {
		return second(f.ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "new"}))
	}},

	"Bucket.Info":  {false, func(ctx context.Context, f *fixture) error { return second(f.b.Info(ctx)) }},
	"Bucket.Stats": {false, func(ctx context.Context, f *fixture) error { return second(f.b.Stats(ctx)) }},
	"Bucket.Growth": {false, func(ctx context.Context, f *fixture) error {
		return second(f.b.Growth(ctx, time.Unix(0, 0), time.Now(), bucketlite.UnitMonth))
	}},
	"Bucket.Watch":    {false, func(ctx context.Context, f *fixture) error { return first(f.b.Watch(ctx, fromStart)) }},
	"Bucket.Update":   {true, func(ctx context.Context, f *fixture) error { return second(f.b.Update(ctx, bucketlite.BucketUpdate{})) }},
	"Bucket.Activate": {true, func(ctx context.Context, f *fixture) error { return f.b.Activate(ctx) }},
	"Bucket.Archive":  {true, func(ctx context.Context, f *fixture) error { return f.b.Archive(ctx) }},
	"Bucket.Suspend":  {true, func(ctx context.Context, f *fixture) error { return f.b.Suspend(ctx) }},
	"Bucket.Lock":     {true, func(ctx context.Context, f *fixture) error { return f.b.Lock(ctx) }},
	"Bucket.Unlock":   {true, func(ctx context.Context, f *fixture) error { return f.b.Unlock(ctx) }},
	"Bucket.Delete":   {true, func(ctx context.Context, f *fixture) error { return second(f.b.Delete(ctx)) }},
	"Bucket.Object":   {false, func(ctx context.Context, f *fixture) error { return second(f.b.Object(ctx, f.id)) }},
	"Bucket.Objects":  {false, func(ctx context.Context, f *fixture) error { return last(f.b.Objects(ctx, bucketlite.Query{})) }},
	"Bucket.List":     {false, func(ctx context.Context, f *fixture) error { return second(f.b.List(ctx, bucketlite.Query{})) }},
	"Bucket.ListRaw":  {false, func(ctx context.Context, f *fixture) error { return second(f.b.ListRaw(ctx, bucketlite.Query{})) }},
	"Bucket.Aggregate": {false, func(ctx context.Context, f *fixture) error {
		return second(f.b.Aggregate(ctx, bucketlite.Aggregation{
			GroupBy: []bucketlite.GroupBy{{Field: "v"}}, Metrics: []bucketlite.Metric{{Function: bucketlite.MetricCount, Alias: "n"}}}))
	}},
	"Bucket.Explain":         {false, func(ctx context.Context, f *fixture) error { return second(f.b.Explain(ctx, bucketlite.Query{})) }},
	"Bucket.Indexes":         {false, func(ctx context.Context, f *fixture) error { return second(f.b.Indexes(ctx)) }},
	"Bucket.EnsureIndex":     {true, func(ctx context.Context, f *fixture) error { return f.b.EnsureIndex(ctx, "v") }},
	"Bucket.EnsureTextIndex": {true, func(ctx context.Context, f *fixture) error { return f.b.EnsureTextIndex(ctx) }},
	"Bucket.DropIndex":       {true, func(ctx context.Context, f *fixture) error { return f.b.DropIndex(ctx, "v") }},
	"Bucket.DropTextIndex":   {true, func(ctx context.Context, f *fixture) error { return f.b.DropTextIndex(ctx) }},
	"Bucket.List, sorted": {false, func(ctx context.Context, f *fixture) error {
		return second(f.b.List(ctx, bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("k")}}))
	}},
	"Bucket.ObjectByKey": {false, func(ctx context.Context, f *fixture) error {
		return second(f.b.ObjectByKey(ctx, map[string]any{"k": "k"}))
	}},
	"Bucket.OpenBlob":     {false, func(ctx context.Context, f *fixture) error { return second(f.b.OpenBlob(ctx, f.id, "doc")) }},
	"Bucket.Put":          {true, func(ctx context.Context, f *fixture) error { return second(f.b.Put(ctx, item("k", "w"), nil)) }},
	"Bucket.Patch":        {true, func(ctx context.Context, f *fixture) error { return second(f.b.Patch(ctx, f.id, item("k", "w"), nil)) }},
	"Bucket.DeleteObject": {true, func(ctx context.Context, f *fixture) error { return f.b.DeleteObject(ctx, f.id, nil) }},
	"Bucket.CreateUpload": {true, func(ctx context.Context, f *fixture) error { return second(f.b.CreateUpload(ctx, docUpload("k"))) }},
	"Bucket.CreateUploads": {true, func(ctx context.Context, f *fixture) error {
		return second(f.b.CreateUploads(ctx, []bucketlite.UploadInput{docUpload("k")}, nil))
	}},
	"Bucket.CheckUploadSize": {false, func(ctx context.Context, f *fixture) error { return f.b.CheckUploadSize(ctx, f.up, 5) }},
	"Bucket.WriteUpload": {true, func(ctx context.Context, f *fixture) error {
		return second(f.b.WriteUpload(ctx, f.up, strings.NewReader("other")))
	}},
	"Bucket.ConfirmUpload": {true, func(ctx context.Context, f *fixture) error { return second(f.b.ConfirmUpload(ctx, f.up, nil)) }},
	"Bucket.ConfirmUploads": {true, func(ctx context.Context, f *fixture) error {
		return second(f.b.ConfirmUploads(ctx, []bucketlite.Confirmation{{UploadID: f.up}}))
	}},
	"Bucket.CancelUpload": {true, func(ctx context.Context, f *fixture) error { return f.b.CancelUpload(ctx, f.up) }},
	"Bucket.Upload":       {false, func(ctx context.Context, f *fixture) error { return second(f.b.Upload(ctx, f.up)) }},
	"Bucket.Uploads":      {false, func(ctx context.Context, f *fixture) error { return last(f.b.Uploads(ctx, bucketlite.Query{})) }},
	"Bucket.ListStats":    {false, func(ctx context.Context, f *fixture) error { return second(f.b.ListStats(ctx, bucketlite.Query{})) }},
	"Bucket.UploadListStats": {false, func(ctx context.Context, f *fixture) error {
		return second(f.b.UploadListStats(ctx, bucketlite.Query{}))
	}},
	"Bucket.ListUploads": {false, func(ctx context.Context, f *fixture) error { return second(f.b.ListUploads(ctx, bucketlite.Query{})) }},
	"Bucket.ListUploads, counted": {false, func(ctx context.Context, f *fixture) error {
		return second(f.b.ListUploads(ctx, bucketlite.Query{Total: true}))
	}},
	"Bucket.PutMany": {true, func(ctx context.Context, f *fixture) error {
		return batchError(f.b.PutMany(ctx, []bucketlite.ObjectInput{item("k", "w")}, nil))
	}},

	"Bucket.CreateBatch": {true, func(ctx context.Context, f *fixture) error {
		return second(f.b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{f.id}}))
	}},
	"Bucket.AddToBatch": {true, func(ctx context.Context, f *fixture) error {
		return second(f.b.AddToBatch(ctx, f.draft, []string{f.id}, nil))
	}},
	"Bucket.Batch":   {false, func(ctx context.Context, f *fixture) error { return second(f.b.Batch(ctx, f.draft)) }},
	"Bucket.Batches": {false, func(ctx context.Context, f *fixture) error { return last(f.b.Batches(ctx, bucketlite.BatchQuery{})) }},
	"Bucket.ListBatches": {false, func(ctx context.Context, f *fixture) error {
		return second(f.b.ListBatches(ctx, bucketlite.BatchQuery{}))
	}},
	"Bucket.UpdateBatch": {true, func(ctx context.Context, f *fixture) error {
		return second(f.b.UpdateBatch(ctx, f.draft, bucketlite.BatchUpdate{}))
	}},
	"Bucket.DeleteBatch": {true, func(ctx context.Context, f *fixture) error { return f.b.DeleteBatch(ctx, f.draft) }},
	"Bucket.SubmitBatch": {true, func(ctx context.Context, f *fixture) error { return second(f.b.SubmitBatch(ctx, f.draft)) }},
	"Bucket.CancelBatch": {true, func(ctx context.Context, f *fixture) error { return second(f.b.CancelBatch(ctx, f.submitted)) }},
	"Bucket.RetryBatch": {true, func(ctx context.Context, f *fixture) error {
		return second(f.b.RetryBatch(ctx, f.failed, &bucketlite.RetryBatchOptions{All: true}))
	}},
	"Bucket.FailedJobs": {false, func(ctx context.Context, f *fixture) error {
		return last(f.b.FailedJobs(ctx, f.failed, bucketlite.Query{}))
	}},
	"Bucket.ListFailedJobs": {false, func(ctx context.Context, f *fixture) error {
		return second(f.b.ListFailedJobs(ctx, f.failed, bucketlite.Query{}))
	}},
}

// first returns the error a sequence begins with, if it does.
func first[T any](seq func(yield func(T, error) bool)) error {
	for _, err := range seq {
		return err
	}
	return nil
}

// second returns the error of a call that returns a value as well.
func second[T any](_ T, err error) error { return err }

// copyFile returns a copy of a closed file.
func copyFile(t testing.TB, path string) string {
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

// reopenItems opens the file at path once more and returns its bucket of items.
func reopenItems(t testing.TB, path string) *bucketlite.Bucket {
	t.Helper()
	b, err := namespace(t, openPath(t, path)).Bucket(context.Background(), "items")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// keysOf returns the sorted keys of the bucket's items.
func keysOf(t testing.TB, b *bucketlite.Bucket) []string {
	t.Helper()
	var keys []string
	for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Fields["k"].(string))
	}
	slices.Sort(keys)
	return keys
}
