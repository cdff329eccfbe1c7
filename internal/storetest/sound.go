package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// WantStored waits until the store holds exactly so many bytes of content, and
// no piece of anything else.
func WantStored(t testing.TB, st *bucketlite.Store, path string, want int64) {
	t.Helper()
	got := ""
	db := OpenRaw(t, path)
	ok := Eventually(func() bool {
		stats, err := st.Stats(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		var stored, pieces int64
		if err := db.QueryRow("SELECT (SELECT coalesce(sum(size), 0) FROM contents), (SELECT coalesce(sum(length(data)), 0) FROM chunks)").Scan(&stored, &pieces); err != nil {
			t.Fatal(err)
		}
		got = fmt.Sprintf("%d counted, %d described, %d in chunks", stats.ContentBytes, stored, pieces)
		return stats.ContentBytes == want && stored == want && pieces == want
	})
	if !ok {
		t.Errorf("content: got %s, want %d", got, want)
	}
}

// WantContent fails unless the store comes to hold so many bytes of content.
func WantContent(t *testing.T, st *bucketlite.Store, want int64) {
	t.Helper()
	var stats *bucketlite.StoreStats
	if !Eventually(func() bool {
		var err error
		if stats, err = st.Stats(context.Background()); err != nil {
			t.Fatal(err)
		}
		return stats.ContentBytes == want
	}) {
		t.Errorf("content: got %+v, want %d bytes", stats, want)
	}
}

// EqualStats compares statistics by the times their pointers point to.
func EqualStats(a, b *bucketlite.Stats) bool {
	equalTime := func(a, b *time.Time) bool { return a == b || a != nil && b != nil && a.Equal(*b) }
	x, y := *a, *b
	x.LastUploadAt, x.UpdatedAt, y.LastUploadAt, y.UpdatedAt = nil, nil, nil, nil
	return x == y && equalTime(a.LastUploadAt, b.LastUploadAt) && equalTime(a.UpdatedAt, b.UpdatedAt)
}

func MustStats(t testing.TB, b *bucketlite.Bucket) *bucketlite.Stats {
	t.Helper()
	stats, err := b.Stats(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return stats
}

// WantExact fails unless the bucket's statistics equal a recount of its objects.
func WantExact(t testing.TB, b *bucketlite.Bucket) {
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
		AddToStats(&want, o.Size)
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

// AddToStats counts one more object.
func AddToStats(s *bucketlite.Stats, size int64) {
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

// usedContents counts the references to stored content, by its hash: the blobs,
// and the uploads that hold their bytes.
const usedContents = `SELECT hash, count(*) AS n FROM (
	SELECT j.value -> 'details' ->> 'hash' AS hash FROM object o, json_each(o.blobs) j WHERE hash IS NOT NULL
	UNION ALL SELECT lower(hex(hash)) FROM uploads WHERE holds = 1) GROUP BY 1`

// Invariants are queries that return nothing as long as a file is sound.
var Invariants = map[string]string{
	"integrity": "SELECT * FROM pragma_integrity_check WHERE integrity_check <> 'ok'",
	"fields":    "SELECT id FROM object WHERE NOT json_valid(fields, 8)",
	"orphans": `SELECT id FROM object WHERE seq >> 40 <> partition OR partition NOT IN (
		SELECT partition FROM buckets UNION ALL SELECT partition FROM schema_changes WHERE since IS NULL AND partition IS NOT NULL UNION ALL SELECT num FROM old_partitions)`,
	"hours": `SELECT partition FROM (SELECT partition FROM hours UNION SELECT partition FROM status_counts UNION SELECT partition FROM untallied)
		WHERE partition NOT IN (SELECT partition FROM buckets UNION ALL SELECT num FROM old_partitions)`,
	"references": "WITH used AS (" + usedContents + `) SELECT lower(hex(c.hash)), c.uses, u.n
		FROM contents c LEFT JOIN used u ON u.hash = lower(hex(c.hash)) WHERE c.uses <> coalesce(u.n, 0)`,
	"missing content": "WITH used AS (" + usedContents + `) SELECT hash FROM used
		WHERE hash NOT IN (SELECT lower(hex(hash)) FROM contents WHERE hash IS NOT NULL)`,
	"content bytes": `SELECT live_bytes, waiting_bytes FROM store WHERE live_bytes <> (SELECT total(size) FROM contents WHERE uses > 0)
		OR waiting_bytes <> (SELECT total(size) FROM contents WHERE uses = 0 AND (hash IS NOT NULL OR coalesce(lease_until, 0) = 0))`,
	"sizes of what has no hash": `SELECT num FROM contents c WHERE hash IS NULL AND
		size <> (SELECT total(length(data)) FROM chunks WHERE id >= c.num << 24 AND id < (c.num + 1) << 24)`,
	"uploads of no bucket": "SELECT id FROM uploads WHERE bucket NOT IN (SELECT num FROM buckets)",
	"uploads": `SELECT id, status FROM uploads WHERE
		CASE status
			WHEN 'PENDING' THEN (holds <> 0) <> (hash IS NOT NULL) OR ended_at IS NOT NULL OR object IS NOT NULL
			WHEN 'PROCESSING' THEN (holds <> 0) <> (hash IS NOT NULL) OR ended_at IS NOT NULL OR object IS NOT NULL OR task IS NULL
			WHEN 'COMPLETED' THEN hash IS NULL OR ended_at IS NULL OR holds = 0 AND object IS NULL
			WHEN 'SKIPPED' THEN holds <> 0 OR hash IS NOT NULL OR ended_at IS NULL OR object IS NULL
			WHEN 'FAILED' THEN holds <> 0 OR hash IS NOT NULL OR ended_at IS NULL OR object IS NOT NULL
			WHEN 'CANCELED' THEN holds <> 0 OR hash IS NOT NULL OR ended_at IS NULL OR object IS NOT NULL
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
		WHERE k.sweep IS DISTINCT FROM 'delete' AND (k.total, k.total, k.open, k.failed, k.skipped) IS NOT (j.n, j.last, j.open, j.failed, j.skipped)`,
	"batch failures": `SELECT k.id, k.failures FROM batches k WHERE k.sweep IS DISTINCT FROM 'delete' AND coalesce(k.failures, '{}') <> (
			SELECT json_group_object(category, n) FROM (
				SELECT error ->> 'error_type' AS category, count(*) AS n FROM jobs WHERE batch = k.num AND status = 'FAILED' GROUP BY 1 ORDER BY 1))`,
	"batch counts": `SELECT b.id FROM buckets b LEFT JOIN batch_counts c ON c.bucket = b.num WHERE
			(coalesce(c.total, 0), coalesce(c.active, 0), coalesce(c.completed, 0), coalesce(c.failed, 0)) IS NOT (
				SELECT count(*), total(status IN ('DRAFT', 'PENDING', 'IN_PROGRESS')), total(status IN ('COMPLETED', 'COMPLETED_WITH_ERRORS')),
					total(status = 'FAILED')
				FROM batches WHERE bucket = b.num AND sweep IS DISTINCT FROM 'delete')
		UNION ALL SELECT bucket FROM batch_counts WHERE bucket NOT IN (SELECT num FROM buckets)`,
	"batch tasks": `SELECT k.id, k.status, t.status FROM batches k LEFT JOIN tasks t ON t.id = k.task
		WHERE k.sweep IS DISTINCT FROM 'delete' AND t.status IS NOT k.status AND NOT (k.status = 'DRAFT' AND k.task IS NULL)
			AND (t.id IS NOT NULL OR k.status IN ('PENDING', 'IN_PROGRESS'))`,
	"tasks without batch": `SELECT id FROM tasks WHERE type = 'api_buckets_batches_process' AND ended_at IS NULL
		AND id NOT IN (SELECT task FROM batches WHERE task IS NOT NULL)`,
	"progress": `SELECT id, status, processed, total FROM tasks WHERE type = 'api_buckets_batches_process'
		AND (processed > total OR processed < total AND status IN ('COMPLETED', 'COMPLETED_WITH_ERRORS', 'FAILED'))`,
	"open jobs": `SELECT k.id, k.status, j.position, j.status FROM jobs j JOIN batches k ON k.num = j.batch
		WHERE j.status IN ('PENDING', 'PROCESSING') AND k.status NOT IN ('PENDING', 'IN_PROGRESS') AND k.sweep IS NULL`,
	"indexes": `SELECT num FROM indexes i WHERE kind NOT IN ('value', 'text', 'age') OR status NOT IN ('BUILDING', 'READY', 'DROPPING')
		OR status <> 'DROPPING' AND partition NOT IN (SELECT partition FROM buckets UNION ALL SELECT partition FROM schema_changes WHERE since IS NULL AND partition IS NOT NULL)
		OR status = 'BUILDING' AND built <= partition << 40 OR status = 'READY' AND built <> partition << 40 OR built >> 40 <> partition`,
	"entries of no index": "SELECT DISTINCT idx FROM entries WHERE idx NOT IN (SELECT num FROM indexes)",
	"entries of no object": `SELECT idx, seq FROM entries JOIN indexes i ON i.num = idx JOIN buckets b ON b.partition = i.partition
		WHERE i.status <> 'DROPPING' AND b.status <> 'IN_PROGRESS' AND NOT EXISTS (SELECT 1 FROM object WHERE object.seq = entries.seq)`,
	"objects of no entry": `SELECT i.num, o.seq FROM indexes i JOIN buckets b ON b.partition = i.partition JOIN object o ON o.partition = i.partition AND o.seq >= i.built
		WHERE i.kind = 'value' AND i.status <> 'DROPPING' AND b.status <> 'IN_PROGRESS' EXCEPT SELECT idx, seq FROM entries`,
	"texts of no index": "SELECT id FROM texts_docsize WHERE id >> 40 NOT IN (SELECT partition FROM indexes WHERE kind = 'text')",
	"texts of no object": `SELECT id FROM texts_docsize WHERE id NOT IN (SELECT seq FROM object) AND id >> 40 IN (
		SELECT indexes.partition FROM indexes JOIN buckets b ON b.partition = indexes.partition WHERE kind = 'text' AND b.status <> 'IN_PROGRESS'
		GROUP BY 1 HAVING total(indexes.status = 'DROPPING') = 0)`,
	"objects of no text": `SELECT i.num, o.seq FROM indexes i JOIN buckets b ON b.partition = i.partition JOIN object o ON o.partition = i.partition AND o.seq >= i.built
		WHERE i.kind = 'text' AND i.status <> 'DROPPING' AND b.status <> 'IN_PROGRESS' AND o.seq NOT IN (SELECT id FROM texts_docsize)`,
	"leases": "SELECT batch, position FROM jobs WHERE (status = 'PROCESSING') <> (owner IS NOT NULL)",
	"queued objects": `SELECT id, status FROM object WHERE status IN ('PENDING', 'PROCESSING') AND partition NOT IN (SELECT num FROM old_partitions)
		AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.seq = ((SELECT coalesce((SELECT num FROM buckets WHERE partition = object.partition), (SELECT bucket FROM schema_changes WHERE partition = object.partition))) << 40) | (object.seq & 0xffffffffff) AND jobs.status IN ('PENDING', 'PROCESSING'))`,
}

// WantSound fails unless the file at path is whole and agrees with itself.
func WantSound(t testing.TB, path string) {
	t.Helper()
	ctx := context.Background()
	db := OpenRaw(t, path)
	for name, query := range Invariants {
		if got := Dump(t, db, query); got != "" {
			t.Errorf("%s: got %s, want nothing", name, got)
		}
	}
	st := OpenPath(t, path, &bucketlite.Options{ReadOnly: true})
	defer st.Close()
	WantNoProblem(t, st)
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
				WantExact(t, b)
			}
		}
	}
}

// WantNoProblem fails unless a check of the store finds nothing.
func WantNoProblem(t testing.TB, st *bucketlite.Store) *bucketlite.CheckReport {
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
