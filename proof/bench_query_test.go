package proof_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

var objects = flag.Int("objects", 100_000, "objects in the bucket that queries are measured on")

// queries is a bucket of many records, indexed by category and price, and beside
// it the twin: the same rows in the same form, with the indexes one would make by
// hand, asked in SQL. Both return rows in full, the twin's as JSON text.
type queries struct {
	b      *testing.B
	bucket *bucketlite.Bucket
	twin   *sql.DB
}

func newQueries(b *testing.B, n int, indexed bool) *queries {
	b.Helper()
	ctx := context.Background()
	st, bucket := benchBucket(b, bucketlite.DurabilityNormal, n)
	if indexed {
		start := time.Now()
		if err := bucket.EnsureIndex(ctx, "category", "price", "stock"); err != nil {
			b.Fatal(err)
		}
		b.Logf("three indexes of %d objects took %v", n, time.Since(start))
	}
	path := filepath.Join(b.TempDir(), "twin.db")
	if err := st.Backup(ctx, path, nil); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		b.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	b.Cleanup(func() { db.Close() })
	if indexed {
		_, err = db.Exec(`
CREATE INDEX twin_category ON object (partition, json_extract(fields, '$.category'), seq);
CREATE INDEX twin_price ON object (partition, json_extract(fields, '$.price'), seq);
CREATE INDEX twin_stock ON object (partition, json_extract(fields, '$.stock'), seq);`)
		if err != nil {
			b.Fatal(err)
		}
	}
	return &queries{b, bucket, db}
}

// page returns the ids on a page, which must be full.
func (q *queries) page(query bucketlite.Query) (ids []string, next string) {
	p, err := q.bucket.List(context.Background(), query)
	if err != nil || len(p.Results) == 0 {
		q.b.Fatal(err, len(p.Results))
	}
	for _, o := range p.Results {
		ids = append(ids, o.ID)
	}
	return ids, p.Next
}

// count returns how many objects match.
func (q *queries) count(f bucketlite.Filter) int64 {
	p, err := q.bucket.List(context.Background(), bucketlite.Query{Filter: f, Limit: 1, Total: true})
	if err != nil {
		q.b.Fatal(err)
	}
	return p.Total
}

// twinPage runs a statement of the twin's that returns ids and fields.
func (q *queries) twinPage(stmt *sql.Stmt, args ...any) (ids []string) {
	rows, err := stmt.Query(args...)
	if err != nil {
		q.b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var fields sql.RawBytes
		if err := rows.Scan(&id, &fields); err != nil {
			q.b.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(fields, &m); err != nil {
			q.b.Fatal(err)
		}
		ids = append(ids, id)
	}
	if rows.Err() != nil {
		q.b.Fatal(rows.Err())
	}
	return ids
}

func (q *queries) prepare(text string) *sql.Stmt {
	stmt, err := q.twin.Prepare(text)
	if err != nil {
		q.b.Fatal(err)
	}
	return stmt
}

// versusPages measures a page beside the twin's, which must have the same objects.
func (q *queries) versusPages(name string, query bucketlite.Query, text string, args ...any) {
	stmt := q.prepare(text)
	parent := q.b
	defer func() { q.b = parent }()
	q.b.Run(name, func(b *testing.B) {
		q.b = b
		ours, _ := q.page(query)
		if twin := q.twinPage(stmt, args...); !slices.Equal(ours, twin) {
			b.Fatalf("got %d objects %v…, the twin %d %v…", len(ours), ours[0], len(twin), twin[0])
		}
		versus(b, func(n int) {
			for range n {
				q.page(query)
			}
		}, func(n int) {
			for range n {
				q.twinPage(stmt, args...)
			}
		})
	})
}

// versusCounts measures a scan of every object beside the twin's.
func (q *queries) versusCounts(name string, f bucketlite.Filter, where string) {
	stmt := q.prepare("SELECT count(*) FROM object WHERE " + where)
	twin := func() (n int64) {
		if err := stmt.QueryRow().Scan(&n); err != nil {
			q.b.Fatal(err)
		}
		return n
	}
	parent := q.b
	defer func() { q.b = parent }()
	q.b.Run(name, func(b *testing.B) {
		q.b = b
		if ours, twin := q.count(f), twin(); ours != twin || ours == 0 {
			b.Fatalf("got %d, the twin %d", ours, twin)
		}
		versus(b, func(n int) {
			for range n {
				q.count(f)
			}
		}, func(n int) {
			for range n {
				twin()
			}
		})
	})
}

// How the twin reads, with an index and without.
const (
	twinSelect = "SELECT id, json(fields) FROM object WHERE partition = 1 AND "
	twinScan   = "SELECT id, json(fields) FROM object WHERE seq > 1 << 40 AND seq < 2 << 40 "
)

// BenchmarkScan examines every object of a bucket without indexes.
func BenchmarkScan(b *testing.B) {
	q := newQueries(b, *objects, false)
	q.versusCounts("number", bucketlite.Gt("price", 990), "json_extract(fields, '$.price') > 990")
	q.versusCounts("text", bucketlite.Eq("category", "socks").CaseSensitive(), "json_extract(fields, '$.category') = 'socks'")
	q.versusCounts("text contains", bucketlite.Contains("title", "number 99").CaseSensitive(), "instr(json_extract(fields, '$.title'), 'number 99')")
	q.versusCounts("folded", bucketlite.Eq("category", "SOCKS"), "json_extract(fields, '$.category') = 'socks'")
	q.versusCounts("folded contains", bucketlite.Contains("title", "NUMBER 99"), "instr(json_extract(fields, '$.title'), 'number 99')")
	q.versusCounts("and", bucketlite.And(bucketlite.Gt("price", 900), bucketlite.Lt("stock", 100)),
		"json_extract(fields, '$.price') > 900 AND json_extract(fields, '$.stock') < 100")
	q.versusCounts("undeclared", bucketlite.IsNull("nothing"), "json_extract(fields, '$.nothing') IS NULL")
	q.versusPages("sorted", bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Desc("price")}},
		twinScan+"ORDER BY json_extract(fields, '$.price') DESC, seq LIMIT 100")
}

// BenchmarkIndexed reads pages of a bucket with indexes. Beside the twin, the
// first of them is measured on a bucket of 10,000 objects too.
func BenchmarkIndexed(b *testing.B) {
	for _, n := range []int{10_000, *objects} {
		b.Run(fmt.Sprint("objects=", n), func(b *testing.B) {
			q := newQueries(b, n, true)
			q.versusPages("equal many", bucketlite.Query{Filter: bucketlite.Eq("category", "Hats")},
				twinSelect+"json_extract(fields, '$.category') = 'hats' ORDER BY seq LIMIT 100")
			q.versusPages("equal few", bucketlite.Query{Filter: bucketlite.Eq("stock", 5)},
				twinSelect+"json_extract(fields, '$.stock') = 5 ORDER BY seq LIMIT 100")
			q.versusPages("range", bucketlite.Query{Filter: bucketlite.Lt("price", 1)},
				twinSelect+"json_extract(fields, '$.price') < 1 ORDER BY seq LIMIT 100")
			q.versusPages("sorted up", bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("price")}},
				twinSelect+"true ORDER BY json_extract(fields, '$.price'), seq LIMIT 100")
			q.versusPages("sorted down", bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Desc("price")}},
				twinSelect+"true ORDER BY json_extract(fields, '$.price') DESC, seq LIMIT 100")
			q.versusCounts("count", bucketlite.Eq("category", "hats"), "partition = 1 AND json_extract(fields, '$.category') = 'hats'")
		})
	}
}

// BenchmarkDeepPage compares a page that is reached by cursor deep in a bucket, the
// last if there are fewer than a million objects and a few, with the first.
func BenchmarkDeepPage(b *testing.B) {
	q := newQueries(b, *objects, false)
	deep, cursor := 1, ""
	for _, next := q.page(bucketlite.Query{}); next != "" && deep < 10_000; deep++ {
		cursor = next
		_, next = q.page(bucketlite.Query{Cursor: cursor})
	}
	b.Logf("page %d", deep)
	b.ResetTimer()
	versus(b, func(n int) {
		for range n {
			q.page(bucketlite.Query{Cursor: cursor})
		}
	}, func(n int) {
		for range n {
			q.page(bucketlite.Query{})
		}
	})
}
