package bucketlite_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// itemsWith returns the configuration of a bucket "items" with a schema, keyed by k.
func itemsWith(t testing.TB, schema string) bucketlite.BucketConfig {
	t.Helper()
	return bucketlite.BucketConfig{Name: "items", Schema: rawSchema(t, schema),
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"k"}, DefaultPolicy: bucketlite.Upsert}}
}

// TestEnsureBucketSchema ensures a bucket with a second schema over one item.
func TestEnsureBucketSchema(t *testing.T) {
	t.Parallel()
	const k = `{"properties":{"k":{"type":"string"}}}`
	const kv = `{"properties":{"k":{"type":"string"},"v":{"type":"string"}}}`
	const long = `{"properties":{"k":{"type":"string"},"v":{"type":"string","maxLength":9}}}`
	const short = `{"properties":{"k":{"type":"string"},"v":{"type":"string","maxLength":5}}}`
	for name, tt := range map[string]struct {
		stored, config string
		change         func(*bucketlite.Schema) // of the configuration
		opts           *bucketlite.EnsureOptions
		put            string // before
		version        int64  // afterwards
		want           error
		says           []string // the error's text contains
		silent         []string // it does not contain
	}{
		"equal":            {stored: kv, config: kv, version: 1},
		"loosened":         {stored: short, config: long, version: 2},
		"looser":           {stored: long, config: short, version: 1},
		"new field":        {stored: k, config: kv, version: 2},
		"more fields":      {stored: kv, config: k, version: 1},
		"another text":     {stored: kv, config: `{"properties":{"k":{"type":"string"},"v":{"type":"string","description":"d"}}}`, version: 2},
		"new and loosened": {stored: `{"properties":{"k":{"type":"string","maxLength":5}}}`, config: kv, version: 2},
		"more and looser":  {stored: kv, config: `{"properties":{"k":{"type":"string","maxLength":5}}}`, version: 1},
		"new member": {stored: `{"properties":{"k":{"type":"string"},"o":{"type":"object"}}}`,
			config: `{"properties":{"k":{"type":"string"},"o":{"type":"object","properties":{"a":{"type":"integer"}}}}}`, version: 2},
		"undeclared value":               {stored: k, config: kv, put: `{"k":"a","v":5}`, version: 1, want: bucketlite.ErrInvalid, says: []string{"v: string expected"}},
		"more fields, with an assertion": {stored: short, config: k, put: `{"k":"a","v":"12345"}`, version: 1},
		"both ways": {stored: `{"properties":{"k":{"type":"string"},"v":{"type":"string","maxLength":5},"w":{"type":"string"}}}`,
			config: `{"properties":{"k":{"type":"string"},"v":{"type":"string","maxLength":9},"x":{"type":"date"}}}`, version: 1, want: bucketlite.ErrConflict,
			says: []string{`bucket "items" does not fit the configuration`, "v: maxLength: 5 to 9 (loosens)", "w: dropped (rewrites)", "x: new"}},
		"another type": {stored: kv, config: `{"properties":{"k":{"type":"string"},"v":{"type":"integer"}}}`, version: 1, want: bucketlite.ErrConflict,
			says: []string{"v: type: string to integer (rewrites)"}},
		"another type of the key": {stored: kv, config: `{"properties":{"k":{"type":"integer"},"v":{"type":"string"}}}`, version: 1, want: bucketlite.ErrConflict,
			says: []string{"k: type: string to integer", "a field of the unique key keeps its type"}},
		"required": {stored: kv, config: `{"properties":{"k":{"type":"string"},"v":{"type":"string"},"w":{"type":"string","required":true}}}`, version: 1,
			want: bucketlite.ErrConflict, says: []string{"w: new; objects may have an undeclared member of this name; required (tightens)"}},
		"a required field that the configuration lacks, beside others that may stay": {
			stored: `{"properties":{"k":{"type":"string"},"v":{"type":"string"},"w":{"type":"string","required":true}}}`, config: k, put: `{"k":"a","w":"x"}`, version: 1,
			want: bucketlite.ErrConflict, says: []string{"w: dropped (rewrites)"}, silent: []string{"v: "}},
		"invalid": {stored: kv, config: kv, change: func(s *bucketlite.Schema) { s.Properties["w"] = bucketlite.Field{Type: "strnig"} }, version: 1,
			want: bucketlite.ErrInvalid, says: []string{"bucket_schema.properties.w.type"}},
		"tightened on request": {stored: long, config: short, opts: &bucketlite.EnsureOptions{SchemaChange: &bucketlite.SchemaChangeOptions{}},
			put: `{"k":"a","v":"12345"}`, version: 2},
		"tightened against an object": {stored: long, config: short, opts: &bucketlite.EnsureOptions{SchemaChange: &bucketlite.SchemaChangeOptions{}},
			put: `{"k":"a","v":"123456"}`, version: 1, want: bucketlite.ErrInvalid},
		"dropped on request": {stored: kv, config: k, opts: &bucketlite.EnsureOptions{SchemaChange: &bucketlite.SchemaChangeOptions{Drop: []string{"v"}}},
			put: `{"k":"a","v":"123456"}`, version: 2},
		"dry run": {stored: kv, config: kv, opts: &bucketlite.EnsureOptions{SchemaChange: &bucketlite.SchemaChangeOptions{DryRun: true}}, version: 1, want: bucketlite.ErrBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "a.db")
			st, other := storetest.OpenPath(t, path), storetest.OpenPath(t, path)
			b := storetest.Bucket(t, st, itemsWith(t, tt.stored))
			put := tt.put
			if put == "" {
				put = `{"k":"a"}`
			}
			storetest.PutItem(t, b, storetest.Input(t, put))
			config := itemsWith(t, tt.config)
			if tt.change != nil {
				tt.change(&config.Schema)
			}
			for _, st := range []*bucketlite.Store{other, st} { // the second time it has been done
				got, err := st.EnsureBucket(ctx, "test", config, tt.opts)
				if tt.want == nil && err == nil {
					storetest.WantEqual(t, "id", got.ID(), b.ID())
					storetest.WantNoProblem(t, st)
				} else if tt.want == nil || !errors.Is(err, tt.want) {
					t.Errorf("got error %v, want %v", err, tt.want)
				}
				for _, text := range tt.says {
					if err == nil || !strings.Contains(err.Error(), text) {
						t.Errorf("got error %v, want it to say %q", err, text)
					}
				}
				for _, text := range tt.silent {
					if err != nil && strings.Contains(err.Error(), text) {
						t.Errorf("got error %v, want it not to say %q", err, text)
					}
				}
				info, err := b.Info(ctx)
				storetest.Must(t, err)
				storetest.WantEqual(t, "schema version", info.SchemaVersion, tt.version)
			}
		})
	}
}

// Differences beside the schema.
func TestEnsureBucketKeeps(t *testing.T) {
	t.Parallel()
	const kv = `{"properties":{"k":{"type":"string"},"v":{"type":"string"}}}`
	for name, tt := range map[string]struct {
		change func(*bucketlite.BucketConfig)
		says   string // the text of the error; empty for none
	}{
		"nothing":        {func(*bucketlite.BucketConfig) {}, ""},
		"description":    {func(c *bucketlite.BucketConfig) { c.Description = "other" }, ""},
		"metadata":       {func(c *bucketlite.BucketConfig) { c.Metadata = map[string]any{"team": "other"} }, ""},
		"storage class":  {func(c *bucketlite.BucketConfig) { c.StorageClass = bucketlite.StorageArchive }, ""},
		"retention":      {func(c *bucketlite.BucketConfig) { c.Retention.MaxObjects = 1 }, ""},
		"no policy":      {func(c *bucketlite.BucketConfig) { c.UniqueKey.DefaultPolicy = "" }, ""},
		"another policy": {func(c *bucketlite.BucketConfig) { c.UniqueKey.DefaultPolicy = bucketlite.Insert }, "unique key: got k with the policy upsert, want k with the policy insert"},
		"another key":    {func(c *bucketlite.BucketConfig) { c.UniqueKey.Fields = []string{"v", "k"} }, "unique key: got k with the policy upsert, want k, v with the policy upsert"},
		"no key":         {func(c *bucketlite.BucketConfig) { c.UniqueKey = nil }, "unique key: got k with the policy upsert, want none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			st := storetest.OpenMemory(t)
			config := itemsWith(t, kv)
			config.Description, config.Metadata = "an operator's", map[string]any{"team": "web"}
			b := storetest.Bucket(t, st, config)
			before, err := b.Info(ctx)
			storetest.Must(t, err)
			config = itemsWith(t, kv)
			tt.change(&config)
			_, err = st.EnsureBucket(ctx, "test", config, nil)
			if tt.says == "" {
				storetest.Must(t, err)
			} else {
				var mismatch *bucketlite.MismatchError
				if !errors.As(err, &mismatch) || !errors.Is(err, bucketlite.ErrConflict) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("got %v, want a mismatch that says %q", err, tt.says)
				}
			}
			after, err := b.Info(ctx)
			storetest.Must(t, err)
			storetest.WantEqual(t, "info", after, before)
		})
	}
}

// EnsureBucket opens a bucket in every state, and changes it where the state allows that.
func TestEnsureBucketStates(t *testing.T) {
	t.Parallel()
	const k = `{"properties":{"k":{"type":"string"}}}`
	const kv = `{"properties":{"k":{"type":"string"},"v":{"type":"string"}}}`
	const wrong = `{"properties":{"k":{"type":"string"},"v":{"type":"date"}}}`
	for name, tt := range map[string]struct {
		do      func(*bucketlite.Bucket, context.Context) error
		version int64 // of the schema, once it has been extended
		indexes []string
		other   bool // another bucket is created
	}{
		"active":    {func(*bucketlite.Bucket, context.Context) error { return nil }, 2, []string{"value index of v READY"}, false},
		"archived":  {(*bucketlite.Bucket).Archive, 1, []string{"value index of v READY"}, false},
		"suspended": {(*bucketlite.Bucket).Suspend, 1, []string{"value index of v READY"}, false},
		"locked":    {(*bucketlite.Bucket).Lock, 1, nil, false},
		"deleted": {func(b *bucketlite.Bucket, ctx context.Context) error { return storetest.ErrorOf(b.Delete(ctx)) },
			1, []string{"value index of v READY"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			st := storetest.Open(t, nil)
			b := storetest.Bucket(t, st, itemsWith(t, k))
			storetest.PutItem(t, b, storetest.Input(t, `{"k":"a"}`))
			storetest.Must(t, tt.do(b, ctx))
			config := itemsWith(t, kv)
			config.Indexes = []string{"v"}
			got, err := st.EnsureBucket(ctx, "test", config, nil)
			storetest.Must(t, err)
			storetest.WantEqual(t, "another bucket", got.ID() != b.ID(), tt.other)
			info, err := got.Info(ctx)
			storetest.Must(t, err)
			storetest.WantEqual(t, "schema version", info.SchemaVersion, tt.version)
			indexes, err := got.Indexes(ctx)
			storetest.Must(t, err)
			var texts []string
			for _, i := range indexes {
				texts = append(texts, i.String()+" "+string(i.Status))
			}
			storetest.WantEqual(t, "indexes", texts, tt.indexes)
			if tt.other {
				return
			}
			if info.SchemaVersion == 1 { // a mismatch is an error in every state
				config = itemsWith(t, `{"properties":{"k":{"type":"string","enum":["a"]},"w":{"type":"date"}}}`)
			} else {
				config = itemsWith(t, wrong)
			}
			for _, opts := range []*bucketlite.EnsureOptions{nil, {SchemaChange: &bucketlite.SchemaChangeOptions{}}} {
				if name == "active" && opts != nil {
					continue
				}
				_, err = st.EnsureBucket(ctx, "test", config, opts)
				storetest.WantError(t, err, bucketlite.ErrConflict)
			}
		})
	}
}

// A store that cannot write opens what there is.
func TestEnsureReadOnly(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	storetest.Bucket(t, st, storetest.ItemsConfig("items"))
	reader := storetest.OpenPath(t, path, &bucketlite.Options{ReadOnly: true})
	config := storetest.ItemsConfig("items")
	config.Schema.Properties["more"] = bucketlite.Field{Type: bucketlite.Date}
	config.Indexes = []string{"v"}
	_, err := reader.EnsureBucket(ctx, "test", config, nil)
	storetest.Must(t, err)
	_, err = reader.EnsureNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"})
	storetest.Must(t, err)
	config.Schema.Properties["v"] = bucketlite.Field{Type: bucketlite.Date}
	_, err = reader.EnsureBucket(ctx, "test", config, nil)
	storetest.WantError(t, err, bucketlite.ErrConflict)
	_, err = reader.EnsureBucket(ctx, "test", storetest.ItemsConfig("others"), nil)
	storetest.WantError(t, err, bucketlite.ErrReadOnly)
	_, err = reader.EnsureNamespace(ctx, bucketlite.NamespaceConfig{Name: "others"})
	storetest.WantError(t, err, bucketlite.ErrReadOnly)
}

// A bucket, its namespace and its indexes are created in one commit.
func TestEnsureBucketCreates(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.Open(t, nil)
	config := storetest.ItemsConfig("items")
	config.Description = "things"
	config.Indexes, config.TextIndexes = []string{"v", "n", "v"}, []string{"", "v"}
	b, err := st.EnsureBucket(ctx, "shop", config, nil)
	storetest.Must(t, err)
	storetest.WantIndexes(t, b, "text  READY", "value n READY", "value v READY", "text v READY")
	info, err := b.Info(ctx)
	storetest.Must(t, err)
	storetest.WantEqual(t, "description", info.Description, "things")
	storetest.PutItem(t, b, storetest.Item("a", "x"))
	storetest.WantNoProblem(t, st)
	again, err := st.EnsureBucket(ctx, "shop", config, nil)
	storetest.Must(t, err)
	storetest.WantEqual(t, "id", again.ID(), b.ID())
	ns, err := st.EnsureNamespace(ctx, bucketlite.NamespaceConfig{Name: "shop", Description: "another"})
	storetest.Must(t, err)
	if again, err = ns.EnsureBucket(ctx, config, nil); err != nil || again.ID() != b.ID() {
		t.Errorf("got %v, %v, want bucket %s", again, err, b.ID())
	}
	if again, err = st.EnsureBucket(ctx, ns.ID(), config, nil); err != nil || again.ID() != b.ID() {
		t.Errorf("got %v, %v, want bucket %s", again, err, b.ID())
	}
	before := storetest.EventCursor(t, st)
	if _, err = st.EnsureBucket(ctx, "shop", config, nil); err != nil || storetest.EventCursor(t, st) != before {
		t.Errorf("got %v and another event, want neither", err)
	}
}

// A refused configuration leaves nothing behind, not even a namespace.
func TestEnsureBucketRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		namespace string
		change    func(*bucketlite.BucketConfig)
		want      error
		path      string // of the only issue
	}{
		"schema":       {"shop", func(c *bucketlite.BucketConfig) { c.Schema.Properties["v"] = bucketlite.Field{Type: "strnig"} }, bucketlite.ErrInvalid, "bucket_schema.properties.v.type"},
		"name":         {"shop", func(c *bucketlite.BucketConfig) { c.Name = "bkt_01KB5V9Q2M8Z7X4T3R6N1C0D5E" }, bucketlite.ErrInvalid, "bucket_name"},
		"namespace":    {" shop", func(c *bucketlite.BucketConfig) {}, bucketlite.ErrInvalid, "namespace_name"},
		"namespace id": {"ns_01KB5V9Q2M8Z7X4T3R6N1C0D5E", func(c *bucketlite.BucketConfig) {}, bucketlite.ErrNotFound, ""},
		"index":        {"shop", func(c *bucketlite.BucketConfig) { c.Indexes = []string{"v", "a..b"} }, bucketlite.ErrInvalid, "indexes[1]"},
		"text index":   {"shop", func(c *bucketlite.BucketConfig) { c.TextIndexes = []string{"created_at"} }, bucketlite.ErrInvalid, "text_indexes[0]"},
		"many indexes": {"shop", func(c *bucketlite.BucketConfig) {
			for i := range bucketlite.MaxIndexes {
				c.Indexes = append(c.Indexes, "v.a"+strings.Repeat("a", i))
			}
			c.TextIndexes = []string{""}
		}, bucketlite.ErrTooLarge, "indexes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			st := storetest.OpenMemory(t)
			config := storetest.ItemsConfig("items")
			tt.change(&config)
			_, err := st.EnsureBucket(ctx, tt.namespace, config, nil)
			storetest.WantError(t, err, tt.want)
			var invalid *bucketlite.ValidationError
			if tt.path != "" && (!errors.As(err, &invalid) || len(invalid.Issues) != 1 || invalid.Issues[0].Path != tt.path) {
				t.Errorf("got %v, want an issue of %s", err, tt.path)
			}
			for n, err := range st.Namespaces(ctx, bucketlite.Query{}) {
				t.Errorf("got namespace %+v, %v, want none", n, err)
			}
		})
	}
}

// While a schema is being changed, EnsureBucket waits for it only if the schema in force
// may not stay.
func TestEnsureBucketWhileChanging(t *testing.T) {
	t.Parallel()
	const more = `{"properties":{"k":{"type":"string"},"v":{"type":"string"},"doc":{"type":"text"},"w":{"type":"date"}}}`
	for name, tt := range map[string]struct {
		config  string
		waits   bool
		want    error
		version int64
	}{
		"schema in force":  {openItems, false, nil, 1},
		"tighter":          {requiredItems, false, nil, 1},
		"the next schema":  {more, true, nil, 2},
		"looser than both": {`{"properties":{"k":{"type":"string"},"v":{"type":"string"},"doc":{"type":"text"},"w":{"type":"date"},"x":{"type":"date"}}}`, true, nil, 3},
		"neither":          {`{"properties":{"k":{"type":"string"},"v":{"type":"date"},"doc":{"type":"text"}}}`, true, bucketlite.ErrConflict, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			h := holdChange(t, more, bucketlite.SchemaChangeOptions{})
			ended := make(chan error, 1)
			go func() {
				ended <- storetest.ErrorOf(h.st.EnsureBucket(ctx, "test", itemsWith(t, tt.config), nil))
			}()
			if !tt.waits {
				storetest.Must(t, <-ended)
				info, err := h.b.Info(ctx)
				storetest.Must(t, err)
				storetest.WantEqual(t, "schema version", info.SchemaVersion, tt.version)
				h.release(t)
				storetest.Must(t, <-h.result)
				return
			}
			select {
			case err := <-ended:
				t.Fatalf("got %v before the change ended", err)
			case <-time.After(20 * time.Millisecond):
			}
			for range 2000 {
				h.steps.step(t)
				if len(ended) > 0 && len(h.result) > 0 {
					break
				}
			}
			storetest.Must(t, <-h.result)
			if err := <-ended; !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			info, err := h.b.Info(ctx)
			storetest.Must(t, err)
			storetest.WantEqual(t, "schema version", info.SchemaVersion, tt.version)
		})
	}
}

// Many goroutines of several stores on one file ensure one bucket, each a part of them with
// the configuration of another version of the program.
func TestEnsureBucketAtOnce(t *testing.T) {
	t.Parallel()
	for name, versions := range map[string][]string{
		"one version":  {`{"properties":{"k":{"type":"string"},"v":{"type":"string"}}}`},
		"two versions": {`{"properties":{"k":{"type":"string"}}}`, `{"properties":{"k":{"type":"string"},"v":{"type":"string"}}}`},
		"three versions": {`{"properties":{"k":{"type":"string","maxLength":5}}}`, `{"properties":{"k":{"type":"string"}}}`,
			`{"properties":{"k":{"type":"string"},"v":{"type":"string"}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			path := filepath.Join(t.TempDir(), "a.db")
			stores := make([]*bucketlite.Store, 8)
			for i := range stores {
				stores[i] = storetest.OpenPath(t, path)
			}
			ids := make([]string, 32)
			storetest.Must(t, storetest.AtOnce(len(ids), func(i int) error {
				config := itemsWith(t, versions[i%len(versions)])
				config.Indexes, config.TextIndexes = []string{"k"}, []string{""}
				b, err := stores[i%len(stores)].EnsureBucket(ctx, "shop", config, nil)
				if err != nil {
					return err
				}
				ids[i] = b.ID()
				_, err = b.Put(ctx, storetest.Input(t, `{"k":"a"}`), nil)
				return err
			}))
			for _, id := range ids {
				storetest.WantEqual(t, "id", id, ids[0])
			}
			ns, b, err := stores[0].OpenBucket(ctx, "shop", "items")
			storetest.Must(t, err)
			storetest.WantIndexes(t, b, "text  READY", "value k READY")
			info, err := b.Info(ctx)
			storetest.Must(t, err)
			last := rawSchema(t, versions[len(versions)-1])
			if change, err := info.CompareSchema(last, nil); err != nil || change.Effect != bucketlite.EffectNone {
				t.Errorf("got schema %+v, want the newest", info.Schema)
			}
			nsInfo, err := ns.Info(ctx)
			storetest.Must(t, err)
			storetest.WantEqual(t, "buckets", nsInfo.BucketCount, 1)
			storetest.WantNoProblem(t, stores[0])
		})
	}
}

// EnsureBucket builds the missing indexes of a bucket with objects.
func TestEnsureBucketIndexes(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, 500, 10)
	storetest.Ensure(t, b, "n")
	config := storetest.ItemsConfig("items")
	config.Indexes, config.TextIndexes = []string{"v"}, []string{"v"}
	_, err := st.EnsureBucket(ctx, "test", config, nil)
	storetest.Must(t, err)
	storetest.WantIndexes(t, b, "value n READY", "value v READY", "text v READY")
	storetest.WantEntries(t, path, b)
	storetest.HoldTasks(t, path)
	holdIndexes(t, path)
	config.Indexes = append(config.Indexes, "k")
	_, err = st.EnsureBucket(ctx, "test", config, &bucketlite.EnsureOptions{NoWait: true})
	storetest.Must(t, err)
	ended, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	_, err = st.EnsureBucket(ended, "test", config, nil)
	storetest.WantError(t, err, context.DeadlineExceeded)
}

// BenchmarkEnsureBucket compares opening an existing bucket by its configuration with opening
// it by its name.
func BenchmarkEnsureBucket(b *testing.B) {
	ctx := context.Background()
	st := storetest.Open(b, nil)
	config := storetest.ItemsConfig("items")
	config.Indexes = []string{"v", "n"}
	_, err := st.EnsureBucket(ctx, "test", config, nil)
	storetest.Must(b, err)
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _, err := st.OpenBucket(ctx, "test", "items")
			storetest.Must(b, err)
		}
	})
	b.Run("ensure", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := st.EnsureBucket(ctx, "test", config, nil)
			storetest.Must(b, err)
		}
	})
}
