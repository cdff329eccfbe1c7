package proof_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite"
)

var groupedRecords = flag.Int("aggregated", 100_000, "how many records BenchmarkAggregate groups")

// BenchmarkAggregate compares with a GROUP BY in SQL over the same rows of the same
// file. An operation is one aggregation of all records.
func BenchmarkAggregate(b *testing.B) {
	ctx := context.Background()
	path := filepath.Join(b.TempDir(), "bench.db")
	st, err := bucketlite.Open(ctx, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { st.Close() })
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	bucket, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "records", Schema: recordSchema})
	if err != nil {
		b.Fatal(err)
	}
	fill(b, bucket, *groupedRecords)
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	metrics := []bucketlite.Metric{
		{Function: bucketlite.MetricCount, Alias: "n"},
		{Function: bucketlite.MetricSum, Field: "price", Alias: "total"},
		{Function: bucketlite.MetricAvg, Field: "price", Alias: "mean"},
	}
	for _, bm := range []struct {
		name string
		a    bucketlite.Aggregation
		twin string
	}{
		{"category",
			bucketlite.Aggregation{GroupBy: []bucketlite.GroupBy{{Field: "category"}}, Metrics: metrics},
			`SELECT json_extract(fields, '$.category'), count(*), sum(json_extract(fields, '$.price')), avg(json_extract(fields, '$.price'))
FROM object GROUP BY 1`},
		{"stock", // a thousand groups
			bucketlite.Aggregation{GroupBy: []bucketlite.GroupBy{{Field: "stock"}}, Metrics: metrics},
			`SELECT json_extract(fields, '$.stock'), count(*), sum(json_extract(fields, '$.price')), avg(json_extract(fields, '$.price'))
FROM object GROUP BY 1`},
		{"filtered",
			bucketlite.Aggregation{GroupBy: []bucketlite.GroupBy{{Field: "category"}}, Metrics: metrics, Filter: bucketlite.Lt("stock", 500)},
			`SELECT json_extract(fields, '$.category'), count(*), sum(json_extract(fields, '$.price')), avg(json_extract(fields, '$.price'))
FROM object WHERE json_extract(fields, '$.stock') < 500 GROUP BY 1`},
		{"month",
			bucketlite.Aggregation{GroupBy: []bucketlite.GroupBy{{Field: "updated", DateTrunc: bucketlite.UnitMonth}}, Metrics: metrics},
			`SELECT strftime('%Y-%m-01T00:00:00Z', json_extract(fields, '$.updated')), count(*),
	sum(json_extract(fields, '$.price')), avg(json_extract(fields, '$.price')) FROM object GROUP BY 1`},
	} {
		b.Run(fmt.Sprintf("%s/objects=%d", bm.name, *groupedRecords), func(b *testing.B) {
			var ours []bucketlite.AggregateGroup
			var theirs [][]any
			versus(b, func(n int) {
				for range n {
					res, err := bucket.Aggregate(ctx, bm.a)
					if err != nil {
						b.Fatal(err)
					}
					ours = res.Groups
				}
			}, func(n int) {
				for range n {
					theirs = aggregateTwin(b, db, bm.twin)
				}
			})
			if len(ours) != len(theirs) {
				b.Fatalf("got %d groups, want %d", len(ours), len(theirs))
			}
			for i, g := range ours {
				// SQLite adds floats up in another way, whose last digits differ.
				want := theirs[i]
				total, mean := want[2].(float64), want[3].(float64)
				if by := fmt.Sprint(g.Group[bm.a.GroupBy[0].Field]); by != fmt.Sprint(want[0]) || g.Int("n") != want[1].(int64) ||
					!near(g.Float("total"), total) || !near(g.Float("mean"), mean) {
					b.Fatalf("got %v, want %v", g, want)
				}
			}
		})
	}
}

func near(a, b float64) bool { return a-b < 1e-9*b && b-a < 1e-9*b }

// aggregateTwin returns the rows of a query with four columns.
func aggregateTwin(b *testing.B, db *sql.DB, query string) (all [][]any) {
	b.Helper()
	rows, err := db.Query(query)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		row := make([]any, 4)
		if err := rows.Scan(&row[0], &row[1], &row[2], &row[3]); err != nil {
			b.Fatal(err)
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return all
}
