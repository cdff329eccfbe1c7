package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/querytest"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func TestListQueries(t *testing.T) {
	t.Parallel()
	where := func(f bucketlite.Filter) bucketlite.Query { return bucketlite.Query{Filter: f} }
	search := func(term string) bucketlite.Query { return bucketlite.Query{Search: term} }
	by := func(sort ...bucketlite.Sort) bucketlite.Query { return bucketlite.Query{Sort: sort} }
	reversed := func(q bucketlite.Query) bucketlite.Query { q.Reverse = true; return q }
	minding := func(q bucketlite.Query) bucketlite.Query { q.CaseSensitive = true; return q }
	_, lists := storetest.NewVaried(t)
	for name, tests := range map[string][]struct {
		name string
		q    bucketlite.Query
		want string
	}{
		"namespaces": {
			{"all", bucketlite.Query{}, "alpha Beta ÉTÉ été alphabet"},
			{"newest first", reversed(bucketlite.Query{}), "alphabet été ÉTÉ Beta alpha"},
			{"count of buckets, reversed", reversed(by(bucketlite.Desc("bucket_count"))), "alpha Beta alphabet été ÉTÉ"},
			{"name in any case", where(bucketlite.Eq("namespace_name", "ÉtÉ")), "ÉTÉ été"},
			{"name in its case", minding(where(bucketlite.Eq("namespace_name", "été"))), "été"},
			{"count of buckets", where(bucketlite.Gt("bucket_count", 1)), "alpha"},
			{"count of objects", by(bucketlite.Desc("object_count")), "Beta alpha ÉTÉ été alphabet"},
			{"within an array of objects", where(bucketlite.Eq("feature_extractors.feature_extractor_name", "FACE")), "ÉTÉ"},
			{"within an array of both", where(bucketlite.Eq("feature_extractors.params.fields", "title")), "ÉTÉ"},
			{"search in names", search("ALPHA"), "alpha alphabet"},
			{"search in descriptions", search("tests of"), "Beta alphabet"},
			{"search in the case", minding(search("Tests")), "Beta"},
			{"search among ids", search("ns_"), "alpha Beta ÉTÉ été alphabet"},
			{"search elsewhere", search("title"), ""},
		},
		"buckets": {
			{"all", bucketlite.Query{}, "videos Photos PDFs audio empty locked archived"},
			{"newest first", reversed(bucketlite.Query{}), "archived locked empty audio PDFs Photos videos"},
			{"blank search", search(" \t"), "videos Photos PDFs audio empty locked archived"},
			{"name", where(bucketlite.Eq("bucket_name", "photos")), "Photos"},
			{"status", where(bucketlite.Eq("status", "ARCHIVED")), "archived"},
			{"lock", where(bucketlite.Eq("is_locked", true)), "locked"},
			{"storage class", where(bucketlite.Ne("storage_class", "standard")), "Photos archived"},
			{"metadata", where(bucketlite.Eq("metadata.team", "RED")), "videos Photos locked"},
			{"number in metadata", where(bucketlite.Eq("metadata.rank", 5)), "videos Photos"},
			{"large number in metadata", where(bucketlite.Gt("metadata.rank", 9007199254740992)), "audio"},
			{"undeclared time is text", where(bucketlite.Eq("metadata.since", "2024-03-01T13:00:00+01:00")), ""},
			{"null or absent", where(bucketlite.IsNull("metadata.team")), "audio empty archived"},
			{"statistics", where(bucketlite.Gte("storage_stats.max_size_bytes", 1)), "Photos PDFs empty locked"},
			{"nothing ever put", where(bucketlite.IsNull("last_upload_at")), "videos audio archived"},
			{"created within", where(bucketlite.And(bucketlite.Gte("created_at", "2024-05-06T07:15:00Z"), bucketlite.Lt("created_at", "2024-05-06T09:18:00+02:00"))), "Photos PDFs"},
			{"by a number that some lack", by(bucketlite.Asc("metadata.rank")), "archived videos Photos empty audio PDFs locked"},
			{"by it, descending", by(bucketlite.Desc("metadata.rank")), "PDFs audio empty videos Photos archived locked"},
			{"by two", by(bucketlite.Desc("object_count"), bucketlite.Desc("bucket_name")), "locked PDFs empty Photos videos audio archived"},
			{"by name is not folded", by(bucketlite.Asc("bucket_name")), "PDFs Photos archived audio empty locked videos"},
			{"by time", by(bucketlite.Desc("updated_at")), "videos archived locked empty audio PDFs Photos"},
			{"search in metadata", search("GREEN"), "locked"},
			{"search all parts", search("red changed"), "videos"},
			{"search in the case", minding(search("Red")), "Photos"},
			{"search accents", search("éCLAIR"), "locked"},
			{"filter, search and sort", bucketlite.Query{Filter: bucketlite.Exists("metadata.team"), Search: "RED", Sort: []bucketlite.Sort{bucketlite.Desc("created_at")}}, "locked PDFs Photos videos"},
		},
		"tasks": {
			{"newest first of a type", reversed(where(bucketlite.Eq("task_type", "api_buckets_delete"))), "older Old"},
			{"type", where(bucketlite.Eq("task_type", "api_buckets_delete")), "Old older"},
			{"detail", where(bucketlite.StartsWith("additional_data.bucket_name", "old")), "Old older"},
			{"progress", where(bucketlite.Gt("additional_data.progress.processed", 1)), "batch 2 batch 4"},
			{"by detail", by(bucketlite.Desc("additional_data.bucket_name")), "older Old batch 2 batch 4"},
			{"search", search("OLDE"), "older"},
			{"search elsewhere", search("api_buckets"), ""},
		},
		"objects": {
			{"all", bucketlite.Query{}, "o1 o2 o3 o4 o5 o6 o7 o8 O8"},
			{"newest first", reversed(bucketlite.Query{}), "O8 o8 o7 o6 o5 o4 o3 o2 o1"},
			{"newest first of a filter", reversed(where(bucketlite.Eq("title", "RED sneaker"))), "o2 o1"},
			{"by instant, reversed", reversed(by(bucketlite.Asc("at"))), "o6 o8 o2 o1 o4 O8 o7 o5 o3"},
			{"by numbers and text, reversed", reversed(by(bucketlite.Desc("n"))), "O8 o4 o5 o8 o7 o2 o1 o3 o6"},
			{"id in any case", where(bucketlite.Eq("object_id", "o8")), "o8 O8"},
			{"id in its case", minding(where(bucketlite.Eq("object_id", "o8"))), "o8"},
			{"field", where(bucketlite.Eq("title", "RED sneaker")), "o1 o2"},
			{"number", where(bucketlite.Eq("n", 5)), "o1 o2"},
			{"instant", where(bucketlite.Eq("at", "2024-03-01T11:00:00-01:00")), "o1 o2 o8"},
			{"key prefix", where(bucketlite.StartsWith("key_prefix", "shop")), "o4 o6"},
			{"blob", where(bucketlite.Eq("blobs.details.mime_type", "text/markdown")), "o8"},
			{"size of a blob", where(bucketlite.Gt("blobs.details.size_bytes", 5)), "o8"},
			{"by field", by(bucketlite.Asc("title")), "o6 o1 o3 o4 o8 o2 o7 o5 O8"},
			{"by field, descending", by(bucketlite.Desc("title")), "o7 o2 o8 o4 o3 o1 o6 o5 O8"},
			{"by numbers and text", by(bucketlite.Desc("n")), "O8 o4 o5 o7 o8 o1 o2 o3 o6"},
			{"by instant", by(bucketlite.Asc("at")), "o6 o1 o2 o8 o4 o3 o5 o7 O8"},
			{"by the smallest element", by(bucketlite.Asc("tags")), "o3 O8 o1 o2 o4 o5 o6 o7 o8"},
			{"by the largest element", by(bucketlite.Desc("tags")), "o1 O8 o3 o2 o4 o5 o6 o7 o8"},
			{"by values of many types", by(bucketlite.Asc("more.x"), bucketlite.Desc("object_id")), "o2 o1 O8 o4 o3 o8 o7 o6 o5"},
			{"by a blob", by(bucketlite.Desc("blobs.details.filename")), "o8 o7 o1 o2 o3 o4 o5 o6 O8"},
			{"search in fields", search("SNEAKER"), "o1 o2 o7"},
			{"search in filenames and prefixes", search("h s"), "o4 o6 o7 o8"},
			{"search in the case", minding(search("Shop")), "o6"},
		},
		"uploads": {
			{"status", where(bucketlite.Eq("status", "FAILED")), "c.txt"},
			{"size", where(bucketlite.Eq("file_size_bytes", 5)), "a.txt winter.txt"},
			{"metadata", where(bucketlite.Eq("metadata.campaign", "summer")), "a.txt B.txt"},
			{"metadata in its case", minding(where(bucketlite.Eq("metadata.campaign", "summer"))), "a.txt"},
			{"confirmed", where(bucketlite.Exists("completed_at")), "a.txt"},
			{"expired", where(bucketlite.Lt("expires_at", "2024-05-06T08:00:00Z")), "c.txt"},
			{"by name", by(bucketlite.Desc("filename")), "winter.txt gone.txt c.txt a.txt B.txt"},
			{"by time that some lack", by(bucketlite.Desc("verified_at")), "winter.txt a.txt B.txt c.txt gone.txt"},
			{"newest first", reversed(bucketlite.Query{}), "gone.txt winter.txt c.txt B.txt a.txt"},
			{"by time of creation", by(bucketlite.Desc("created_at")), "gone.txt winter.txt c.txt B.txt a.txt"},
			{"search", search("summer"), "a.txt B.txt gone.txt"},
			{"search in names", search("winter txt"), "winter.txt"},
		},
		"batches": {
			{"status", where(bucketlite.In("status", "DRAFT", "completed")), "0 1 3 4"},
			{"newest first", reversed(bucketlite.Query{}), "4 3 2 1 0"},
			{"object", where(bucketlite.Eq("object_ids", "o4")), "1 2 4"},
			{"metadata", where(bucketlite.Eq("metadata.i", 1)), "1 4"},
			{"failures", where(bucketlite.Gt("error_summary.network", 1)), "2"},
			{"by metadata", by(bucketlite.Desc("metadata.i")), "2 1 4 0 3"},
			{"search", search("NIGHT ly"), "0 2"},
			{"search for objects", search("O8"), "2 3"},
		},
		"failed jobs": {
			{"category", where(bucketlite.Eq("error.error_type", "validation")), "o3 O8"},
			{"newest first", reversed(bucketlite.Query{}), "O8 o7 o6 o5 o4 o3 o2 o1"},
			{"message", where(bucketlite.Contains("error.message", "NO WAY")), "o3 O8"},
			{"instant", where(bucketlite.Exists("error.timestamp")), "o1 o2 o3 o4 o5 o6 o7 O8"},
			{"by time", by(bucketlite.Desc("error.timestamp")), "O8 o7 o6 o5 o4 o3 o2 o1"},
			{"by message", by(bucketlite.Asc("error.message")), "O8 o3 o1 o2 o4 o5 o6 o7"},
			{"search", search("way"), "o3 O8"},
		},
	} {
		for _, tt := range tests {
			t.Run(name+", "+tt.name, func(t *testing.T) {
				tt.q.Total = true
				p, err := lists[name].Page(tt.q)
				if err != nil {
					t.Fatal(err)
				}
				got := strings.Join(lists[name].NamesOf(p.Results), " ")
				if got != tt.want || p.Total != int64(len(p.Results)) || p.Next != "" {
					t.Errorf("got %s, %d of them, and next %q, want %s", got, p.Total, p.Next, tt.want)
				}
			})
		}
	}
}

// A path that is declared a time wants a time, and is compared as one.
func TestListTimes(t *testing.T) {
	t.Parallel()
	_, lists := storetest.NewVaried(t)
	for name, l := range lists {
		forms, err := l.Each(bucketlite.Query{})
		if err != nil {
			t.Fatal(err)
		}
		isTime := regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`)
		for path, values := range storetest.PathsOf(forms) {
			for _, v := range values {
				s, isString := v.(string)
				if !isString || !isTime.MatchString(s) || strings.HasPrefix(path, "metadata.") {
					continue
				}
				if l.Kind(path) == "" {
					t.Errorf("%s: %s is a time, and not declared so", name, path)
				}
				// The same instant, as it is written elsewhere.
				other := regexp.MustCompile(`(\.\d+)?Z$`).ReplaceAllString(s, "${1}000-00:00")
				if !strings.Contains(s, ".") {
					other = strings.Replace(other, "000-", ".000-", 1)
				}
				p, err := l.Page(bucketlite.Query{Filter: bucketlite.Eq(path, other)})
				if err != nil || len(p.Results) == 0 {
					t.Errorf("%s: %s eq %q: got %v, want what has %q", name, path, other, err, s)
				}
			}
		}
		for _, path := range l.Times {
			_, err := l.Page(bucketlite.Query{Filter: bucketlite.Gt(path, "yesterday")})
			wantQueryError(t, err, "filters.value: type")
		}
	}
}

func TestListFaults(t *testing.T) {
	t.Parallel()
	_, lists := storetest.NewVaried(t)
	deep := strings.Repeat("a.", 32) + "a"
	for name, l := range lists {
		for _, tt := range []struct {
			name string
			q    bucketlite.Query
			want []string // nil: no QueryError
		}{
			{"operand", bucketlite.Query{Filter: bucketlite.And(bucketlite.Eq("a", 1), bucketlite.Gt("a", true))}, []string{"filters.AND[1].value: type"}},
			{"pattern", bucketlite.Query{Filter: bucketlite.Regex("a", "(")}, []string{"filters.value: pattern"}},
			{"path", bucketlite.Query{Filter: bucketlite.Eq("a..b", 1)}, []string{"filters.field: path"}},
			{"search", bucketlite.Query{Search: strings.Repeat("x", 1<<16+1)}, []string{"search: size"}},
			{"sort path", bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("a"), bucketlite.Asc("")}}, []string{"sort[1].field: path"}},
			{"sort depth", bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc(deep)}}, []string{"sort[0].field: path"}},
			{"sort direction", bucketlite.Query{Sort: []bucketlite.Sort{{Field: "a", Direction: "up"}}}, []string{"sort[0].direction: enum"}},
			{"sort by many", bucketlite.Query{Sort: make([]bucketlite.Sort, 9)}, []string{"sort: size"}},
			{"several", bucketlite.Query{Filter: bucketlite.Lt("a", nil), Search: "\xff", Sort: []bucketlite.Sort{{Direction: "up"}}, Select: []string{""}},
				[]string{"filters.value: type", "search: utf8", "sort[0].field: path", "sort[0].direction: enum", "select[0]: path"}},
			{"offset", bucketlite.Query{Offset: -1}, nil},
			{"large offset", bucketlite.Query{Offset: 10_001}, nil},
			{"offset and cursor", bucketlite.Query{Offset: 1, Cursor: "x"}, nil},
		} {
			t.Run(name+", "+tt.name, func(t *testing.T) {
				p, err := l.Page(tt.q)
				if p != nil {
					t.Errorf("got %+v, want no page", p)
				}
				_, eachErr := l.Each(tt.q)
				for _, err := range []error{err, eachErr} {
					if storetest.WantError(t, err, bucketlite.ErrBadRequest); tt.want != nil {
						wantQueryError(t, err, tt.want...)
					}
				}
			})
		}
		if _, err := l.Page(bucketlite.Query{Offset: 10_000}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name != "objects" {
			_, err := l.Page(bucketlite.Query{Select: []string{l.ID, "created_at"}, Sort: []bucketlite.Sort{bucketlite.Asc("")}})
			wantQueryError(t, err, "sort[0].field: path", "select: path")
		}
	}
}

// mover is a list whose members come and go.
type mover struct {
	create func(name string, rank int) error
	remove func(name string) error
	page   func(q bucketlite.Query) (*bucketlite.Page[map[string]any], error)

	name, rank string // where they stand in the JSON form, below metadata if it has one
}

// While members come and go between pages, paging returns nothing twice, and misses
// nothing that is there all the while, however the list is filtered and sorted.
func TestQueriesAmidChanges(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	r := storetest.NewRand(t)
	st := storetest.OpenMemory(t)
	ns := storetest.Namespace(t, st)
	b := storetest.Bucket(t, st, bucketlite.BucketConfig{})
	batches := make(map[string]string)
	for name, m := range map[string]mover{
		"objects": {
			func(name string, rank int) error {
				return storetest.ErrorOf(b.Put(ctx, bucketlite.ObjectInput{ID: name, Fields: map[string]any{"rank": rank}}, nil))
			},
			func(name string) error { return b.DeleteObject(ctx, name, nil) },
			storetest.FormPages(t, b.List), "object_id", "rank",
		},
		"buckets": {
			func(name string, rank int) error {
				return storetest.ErrorOf(ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: name, Metadata: map[string]any{"rank": rank}}))
			},
			func(name string) error {
				b, err := ns.Bucket(ctx, name)
				if err == nil {
					_, err = b.Delete(ctx)
				}
				return err
			},
			storetest.FormPages(t, ns.ListBuckets), "bucket_name", "metadata.rank",
		},
		"batches": {
			func(name string, rank int) error {
				k, err := b.CreateBatch(ctx, bucketlite.BatchInput{
					ObjectIDs: []string{"any"}, SkipValidation: true, Metadata: map[string]any{"rank": rank, "name": name},
				})
				if err == nil {
					batches[name] = k.ID
				}
				return err
			},
			func(name string) error { return b.DeleteBatch(ctx, batches[name]) },
			storetest.FormPages(t, storetest.BatchPages(b)), "metadata.name", "metadata.rank",
		},
	} {
		t.Run(name, func(t *testing.T) {
			const n = 40
			var movers []string
			add := func(name string) {
				if err := m.create(name, r.IntN(5)); err != nil {
					t.Fatal(err)
				}
			}
			for i := range n {
				add(fmt.Sprint("stays", i))
				movers = append(movers, fmt.Sprint("m", i))
				add(movers[i])
			}
			made := n
			change := func() {
				for range r.IntN(4) {
					if i := r.IntN(2 * n); i < len(movers) {
						if err := m.remove(movers[i]); err != nil {
							t.Fatal(err)
						}
						movers = slices.Delete(movers, i, i+1)
					} else {
						movers = append(movers, fmt.Sprint("m", made))
						add(movers[len(movers)-1])
						made++
					}
				}
			}
			for _, filter := range []bucketlite.Filter{{}, bucketlite.Ne(m.rank, 3)} {
				for _, sort := range [][]bucketlite.Sort{nil, {bucketlite.Asc(m.rank)}, {bucketlite.Desc(m.rank)}, {bucketlite.Desc(m.name)}, {bucketlite.Asc(m.rank), bucketlite.Desc(m.name)}} {
					m.meetAll(t, bucketlite.Query{Filter: filter, Sort: sort, Reverse: r.IntN(2) == 0, Limit: 1 + r.IntN(9)}, n, change)
				}
			}
		})
	}
}

// meetAll pages through a list that changes between pages, and fails unless it
// gets each of n members that stay once, as far as they are wanted, and in order.
func (m *mover) meetAll(t *testing.T, q bucketlite.Query, n int, change func()) {
	t.Helper()
	var met []map[string]any
	names := make(map[string]bool)
	for i := 0; ; i++ {
		p, err := m.page(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range p.Results {
			name := storetest.PathsOf([]map[string]any{form})[m.name][0].(string)
			if names[name] {
				t.Fatalf("%v: met %s twice", q, name)
			}
			names[name] = true
			met = append(met, form)
		}
		if q.Cursor = p.Next; p.Next == "" {
			break
		}
		change()
	}
	for i := 1; i < len(met); i++ {
		for _, by := range q.Sort {
			desc := by.Direction == bucketlite.SortDescending
			if querytest.Less(met[i-1], met[i], by.Field, "", desc) {
				break
			}
			if querytest.Less(met[i], met[i-1], by.Field, "", desc) {
				t.Fatalf("%v: got %v before %v", q, met[i-1], met[i])
			}
		}
	}
	q.Limit, q.Cursor, q.Total = 1000, "", true
	all, err := m.page(q)
	if err != nil {
		t.Fatal(err)
	}
	stayed := 0
	for _, form := range all.Results {
		if name := storetest.PathsOf([]map[string]any{form})[m.name][0].(string); strings.HasPrefix(name, "stays") {
			if stayed++; !names[name] {
				t.Errorf("%v: missed %s", q, name)
			}
		}
	}
	if stayed == 0 || q.Filter.String() == (bucketlite.Filter{}).String() && stayed != n || all.Total != int64(len(all.Results)) {
		t.Errorf("%v: got %d that stayed, of %d and %d", q, stayed, len(all.Results), all.Total)
	}
}

// A page and its total are of one moment, whatever is written meanwhile.
func TestTotalIsOfOneMoment(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.Open(t, &bucketlite.Options{Durability: bucketlite.DurabilityNormal}))
	var stop atomic.Bool
	defer stop.Store(true)
	ended := make(chan error, 1)
	go func() {
		ended <- storetest.AtOnce(2, func(g int) error {
			for i := 0; !stop.Load(); i++ {
				k, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: []string{"any"}, SkipValidation: true})
				if err == nil {
					_, err = b.Put(ctx, storetest.Item(fmt.Sprint(g), ""), nil)
				}
				if err == nil && i%50 < 40 {
					err = errors.Join(b.DeleteBatch(ctx, k.ID), deleteKey(b, fmt.Sprint(g)))
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}()
	for i := range 100 {
		for _, q := range []bucketlite.Query{{}, {Filter: bucketlite.Exists("created_at")}, {Sort: []bucketlite.Sort{bucketlite.Desc("created_at")}}} {
			q.Limit, q.Total = 1000, true
			batches, err := b.ListBatches(ctx, bucketlite.BatchQuery{Query: q})
			if err != nil {
				t.Fatal(err)
			}
			objects, err := b.List(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			if n, m := int64(len(batches.Results)), int64(len(objects.Results)); n != batches.Total && n < 1000 || m != objects.Total {
				t.Fatalf("round %d: got %d of %d batches and %d of %d objects", i, n, batches.Total, m, objects.Total)
			}
		}
	}
	stop.Store(true)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
