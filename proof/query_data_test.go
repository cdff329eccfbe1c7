package proof_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

var mediaItems = flag.String("items", "../examples/quickstart/data/items.jsonl", "media items that queries are tried on, one JSON object a line")

// mediaItem is an item as the test reads it, by itself.
type mediaItem struct {
	ID       string   `json:"mediaid"`
	Type     string   `json:"mediatype"`
	Title    string   `json:"title"`
	About    string   `json:"description"`
	Language string   `json:"language"`
	Seconds  *float64 `json:"duration"`
	Tags     []string `json:"tags"`
	Released string   `json:"releasedate"`
	Image    *string  `json:"imageurl"`
}

func (m mediaItem) seconds() float64 {
	if m.Seconds == nil {
		return -1
	}
	return *m.Seconds
}

func (m mediaItem) tagged(f func(string) bool) bool { return slices.ContainsFunc(m.Tags, f) }

// Queries of real data find what a loop over it finds.
func TestQueriesOfMediaItems(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	items, inputs := readMedia(t, *mediaItems)
	b := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Name: "media", Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
		"mediaid": {Type: bucketlite.String}, "mediatype": {Type: bucketlite.String}, "title": {Type: bucketlite.String},
		"duration": {Type: bucketlite.Integer}, "tags": {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String}},
	}}})
	for chunk := range slices.Chunk(inputs, 1000) {
		if res, err := b.PutMany(ctx, chunk, nil); err != nil || len(res.Failed) > 0 {
			t.Fatal(err, res)
		}
	}
	lower := strings.ToLower
	byTitle := func(a, b mediaItem) int { return strings.Compare(a.Title, b.Title) }
	tests := []struct {
		name  string
		query bucketlite.Query
		want  func(mediaItem) bool
		order func(a, b mediaItem) int
	}{
		{"all", bucketlite.Query{}, func(mediaItem) bool { return true }, nil},
		{"type", bucketlite.Query{Filter: bucketlite.Eq("mediatype", "AUDIO")}, func(m mediaItem) bool { return m.Type == "audio" }, nil},
		{"type, minding case", bucketlite.Query{Filter: bucketlite.Eq("mediatype", "AUDIO").CaseSensitive()}, func(mediaItem) bool { return false }, nil},
		{"not the type", bucketlite.Query{Filter: bucketlite.Ne("mediatype", "audio")}, func(m mediaItem) bool { return m.Type != "audio" }, nil},
		{"long", bucketlite.Query{Filter: bucketlite.Gt("duration", 3600)}, func(m mediaItem) bool { return m.seconds() > 3600 }, nil},
		{"an hour at most", bucketlite.Query{Filter: bucketlite.Lte("duration", 3600.0)}, func(m mediaItem) bool { return m.Seconds != nil && m.seconds() <= 3600 }, nil},
		{"between", bucketlite.Query{Filter: bucketlite.And(bucketlite.Gte("duration", 60), bucketlite.Lt("duration", 61.5))}, func(m mediaItem) bool { return m.seconds() >= 60 && m.seconds() < 61.5 }, nil},
		{"no length", bucketlite.Query{Filter: bucketlite.IsNull("duration")}, func(m mediaItem) bool { return m.Seconds == nil }, nil},
		{"with an image", bucketlite.Query{Filter: bucketlite.Exists("imageurl")}, func(m mediaItem) bool { return m.Image != nil }, nil},
		{"no string is a number", bucketlite.Query{Filter: bucketlite.Or(bucketlite.Gt("duration", "0"), bucketlite.Eq("mediaid", items[5].ID))}, func(m mediaItem) bool { return m.ID == items[5].ID }, nil},
		{"some ids", bucketlite.Query{Filter: bucketlite.In("mediaid", "111", items[5].ID, items[0].ID, "none")}, func(m mediaItem) bool { return m.ID == "111" || m.ID == items[0].ID || m.ID == items[5].ID }, nil},
		{"neither language", bucketlite.Query{Filter: bucketlite.NotIn("language", "en", "FR")}, func(m mediaItem) bool { return m.Language != "en" && m.Language != "fr" }, nil},
		{"title contains", bucketlite.Query{Filter: bucketlite.Contains("title", "LECTURE")}, func(m mediaItem) bool { return strings.Contains(lower(m.Title), "lecture") }, nil},
		{"title contains, minding case", bucketlite.Query{Filter: bucketlite.Contains("title", "of "), CaseSensitive: true}, func(m mediaItem) bool { return strings.Contains(m.Title, "of ") }, nil},
		{"title begins", bucketlite.Query{Filter: bucketlite.StartsWith("title", "the ")}, func(m mediaItem) bool { return strings.HasPrefix(lower(m.Title), "the ") }, nil},
		{"title ends", bucketlite.Query{Filter: bucketlite.EndsWith("title", "ART")}, func(m mediaItem) bool { return strings.HasSuffix(lower(m.Title), "art") }, nil},
		{"title with a year", bucketlite.Query{Filter: bucketlite.Regex("title", `\b20[0-9]{2}\b`)}, hasYear, nil},
		{"a tag", bucketlite.Query{Filter: bucketlite.Eq("tags", "NGAWEB:audio-video/audio")}, func(m mediaItem) bool {
			return m.tagged(func(s string) bool { return s == "ngaweb:audio-video/audio" })
		}, nil},
		{"no such tag", bucketlite.Query{Filter: bucketlite.Ne("tags", "ngaweb:audio-video/audio")}, func(m mediaItem) bool {
			return !m.tagged(func(s string) bool { return s == "ngaweb:audio-video/audio" })
		}, nil},
		{"a tag contains", bucketlite.Query{Filter: bucketlite.Contains("tags", "video/Lect")}, func(m mediaItem) bool {
			return m.tagged(func(s string) bool { return strings.Contains(s, "video/lect") })
		}, nil},
		{"words", bucketlite.Query{Filter: bucketlite.Words("description", "gallery ART")}, func(m mediaItem) bool {
			words := strings.FieldsFunc(lower(m.About), func(r rune) bool {
				return r < 128 && !('a' <= r && r <= 'z' || '0' <= r && r <= '9') || r == '’' || r == '“' || r == '”' || r == '–' || r == '—' || r == '\u00a0'
			})
			return slices.Contains(words, "gallery") && slices.Contains(words, "art")
		}, nil},
		{"either, not both", bucketlite.Query{Filter: bucketlite.And(
			bucketlite.Or(bucketlite.Contains("title", "art"), bucketlite.Gt("duration", 5000)),
			bucketlite.Not(bucketlite.And(bucketlite.Contains("title", "art"), bucketlite.Gt("duration", 5000))))},
			func(m mediaItem) bool { return strings.Contains(lower(m.Title), "art") != (m.seconds() > 5000) }, nil},
		{"by title", bucketlite.Query{Sort: []bucketlite.Sort{bucketlite.Asc("title")}}, func(mediaItem) bool { return true }, byTitle},
		{"the longest first", bucketlite.Query{Filter: bucketlite.Eq("mediatype", "video"), Sort: []bucketlite.Sort{bucketlite.Desc("duration"), bucketlite.Asc("title")}},
			func(m mediaItem) bool { return m.Type == "video" }, func(a, b mediaItem) int { return cmp.Or(cmp.Compare(b.seconds(), a.seconds()), byTitle(a, b)) }},
		{"the latest first", bucketlite.Query{Filter: bucketlite.StartsWith("releasedate", "201"), Sort: []bucketlite.Sort{bucketlite.Desc("releasedate")}},
			func(m mediaItem) bool { return strings.HasPrefix(m.Released, "201") }, func(a, b mediaItem) int { return strings.Compare(b.Released, a.Released) }},
	}
	// The second time the same is found with indexes.
	for _, indexed := range []bool{false, true} {
		if indexed {
			if err := b.EnsureIndex(ctx, "mediaid", "mediatype", "title", "duration", "tags", "releasedate"); err != nil {
				t.Fatal(err)
			}
			if err := b.EnsureTextIndex(ctx); err != nil {
				t.Fatal(err)
			}
		}
		for _, test := range tests {
			var want, got []string
			hits := slices.DeleteFunc(slices.Clone(items), func(m mediaItem) bool { return !test.want(m) })
			if test.order != nil {
				slices.SortStableFunc(hits, test.order)
			}
			for _, m := range hits {
				want = append(want, m.ID)
			}
			for o, err := range b.Objects(ctx, test.query) {
				if err != nil {
					t.Fatalf("%s: %v", test.name, err)
				}
				got = append(got, o.Fields["mediaid"].(string))
			}
			if !slices.Equal(got, want) {
				t.Errorf("indexed %t: %s: got %d items %.300v, want %d %.300v", indexed, test.name, len(got), got, len(want), want)
			}
		}
		wantGroups(t, b, items)
	}
	t.Logf("%d queries of %d items, with indexes and without", len(tests), len(items))
}

// hasYear reports whether a number from 2000 to 2099 stands in the title.
func hasYear(m mediaItem) bool {
	numbers := strings.FieldsFunc(m.Title, func(r rune) bool {
		return r >= 128 || !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_')
	})
	return slices.ContainsFunc(numbers, func(s string) bool {
		return len(s) == 4 && strings.HasPrefix(s, "20") && strings.Trim(s, "0123456789") == ""
	})
}

// wantGroups checks an aggregation against sums of the test's own.
func wantGroups(t *testing.T, b *bucketlite.Bucket, items []mediaItem) {
	t.Helper()
	res, err := b.Aggregate(context.Background(), bucketlite.Aggregation{
		GroupBy: []bucketlite.GroupBy{{Field: "mediatype"}, {Field: "language"}},
		Metrics: []bucketlite.Metric{{Function: bucketlite.MetricCount, Alias: "n"}, {Function: bucketlite.MetricSum, Field: "duration", Alias: "seconds"}, {Function: bucketlite.MetricMax, Field: "duration", Alias: "longest"}},
		Filter:  bucketlite.Gte("duration", 10),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := make(map[string][3]float64)
	for _, m := range items {
		if m.seconds() >= 10 {
			g := want[m.Type+" "+m.Language]
			want[m.Type+" "+m.Language] = [3]float64{g[0] + 1, g[1] + m.seconds(), max(g[2], m.seconds())}
		}
	}
	got := make(map[string][3]float64)
	for _, g := range res.Groups {
		got[fmt.Sprint(g.Group["mediatype"], " ", g.Group["language"])] = [3]float64{g.Float("n"), g.Float("seconds"), g.Float("longest")}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("groups: got %v, want %v", got, want)
	}
}

func readMedia(t *testing.T, path string) (items []mediaItem, inputs []bucketlite.ObjectInput) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var m mediaItem
		var in bucketlite.ObjectInput
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(lines.Bytes(), &in); err != nil {
			t.Fatal(err)
		}
		items, inputs = append(items, m), append(inputs, in)
	}
	if len(items) < 100 {
		t.Fatalf("%s: %d items, too few to prove anything", path, len(items))
	}
	return items, inputs
}
