package proof_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Changes of the schema of a bucket with a million objects: an optional field of a closed
// schema, and an assertion, for which every object is checked. The scan is a search of the
// same objects. Small puts are measured alone and beside the check; percentiles are in
// microseconds.
func BenchmarkChangeSchema(b *testing.B) {
	const (
		objects = 1_000_000
		anyN    = `,"n":{"type":"integer"}`
	)
	ctx := context.Background()
	schema := func(more string) bucketlite.Schema {
		s, err := bucketlite.ParseSchema([]byte(`{"additionalProperties":false,"properties":{"k":{"type":"string"},"v":{"type":"string"}` + more + `}}`))
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	st := storetest.Open(b, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
	bu := storetest.Bucket(b, st, bucketlite.BucketConfig{Schema: schema(anyN)})
	inputs := make([]bucketlite.ObjectInput, 10_000)
	for i := 0; i < objects; i += len(inputs) {
		for k := range inputs {
			inputs[k] = bucketlite.ObjectInput{Fields: map[string]any{"k": fmt.Sprint(i + k), "v": "a text of some forty characters in each", "n": i + k}}
		}
		storetest.Must(b, storetest.PutManyError(bu.PutMany(ctx, inputs, nil)))
	}
	puts := func(until <-chan struct{}) (took []time.Duration) {
		for i := 0; ; i++ {
			select {
			case <-until:
				slices.Sort(took)
				return took
			default:
			}
			began := time.Now()
			_, err := bu.Put(ctx, bucketlite.ObjectInput{Fields: map[string]any{"k": fmt.Sprint("put ", i), "v": "small", "n": 1}}, nil)
			took = append(took, time.Since(began))
			if err != nil {
				b.Error(err)
				return took
			}
		}
	}
	p99 := func(took []time.Duration) float64 { return float64(took[len(took)*99/100].Microseconds()) }
	change := func(s bucketlite.Schema, want bucketlite.SchemaEffect) time.Duration {
		began := time.Now()
		c, err := bu.ChangeSchema(ctx, s, nil)
		if err != nil || c.Effect != want {
			b.Fatalf("got %+v, %v, want %s", c, err, want)
		}
		return time.Since(began)
	}
	for n := 0; b.Loop(); n++ {
		field := fmt.Sprintf(`,"f%d":{"type":"string"}`, n)
		b.ReportMetric(float64(change(schema(anyN+field), bucketlite.EffectLoosens).Microseconds())/1000, "loosens-ms")

		began := time.Now()
		page, err := bu.List(ctx, bucketlite.Query{Filter: bucketlite.Eq("n", -1), Total: true})
		if err != nil || page.Total != 0 {
			b.Fatalf("scan: got %v, %v, want nothing", page, err)
		}
		scan := time.Since(began) / 2 // the page and the total are a scan each

		idle := make(chan struct{})
		time.AfterFunc(3*time.Second, func() { close(idle) })
		alone := puts(idle)

		quiet := change(schema(field+fmt.Sprintf(`,"n":{"type":"integer","maximum":%d}`, 10*objects-n)), bucketlite.EffectTightens)
		ended := make(chan struct{})
		var beside []time.Duration
		var writer sync.WaitGroup
		writer.Go(func() { beside = puts(ended) })
		busy := change(schema(field+fmt.Sprintf(`,"n":{"type":"integer","maximum":%d}`, 5*objects-n)), bucketlite.EffectTightens)
		close(ended)
		writer.Wait()
		b.ReportMetric(float64(scan.Milliseconds()), "scan-ms")
		b.ReportMetric(float64(quiet.Milliseconds()), "check-ms")
		b.ReportMetric(float64(busy.Milliseconds()), "check-beside-puts-ms")
		b.ReportMetric(p99(alone), "put-p99-alone-µs")
		b.ReportMetric(p99(beside), "put-p99-beside-µs")
	}
}
