//go:build unix

package proof_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/vfstest"
)

func init() { children["count writes"] = childCountWrites }

// A put writes to the log once, and now and then once more: when the log begins anew, or
// when only one page has changed. With Options.PlainIO it writes twice for each page.
func TestWritesOfPut(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		plain    bool
		from, to float64
	}{{false, 1, 1.5}, {true, 6, 30}} {
		t.Run(fmt.Sprintf("plain %t", test.plain), func(t *testing.T) {
			t.Parallel()
			c := startChild(t, "count writes", t.TempDir(), strconv.FormatBool(test.plain))
			got, err := strconv.ParseFloat(c.line(t), 64)
			if err != nil || got < test.from || got > test.to {
				t.Errorf("got %v writes a put, %v, want from %v to %v", got, err, test.from, test.to)
			}
			t.Logf("%.2f writes a put", got)
			c.wait(t)
		})
	}
}

// childCountWrites prints how often the log is written to for one put. It is a process of
// its own since it changes what lies beneath SQLite.
func childCountWrites(args []string) error {
	const puts = 200
	ctx := context.Background()
	if err := vfstest.Install(); err != nil {
		return err
	}
	d, err := vfstest.Record(args[0])
	if err != nil {
		return err
	}
	st, err := bucketlite.Open(ctx, filepath.Join(args[0], "test.db"), &bucketlite.Options{Durability: bucketlite.DurabilityNormal, PlainIO: args[1] == "true"})
	if err != nil {
		return err
	}
	defer st.Close()
	ns, err := st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "test"})
	if err != nil {
		return err
	}
	b, err := ns.CreateBucket(ctx, bucketlite.BucketConfig{Name: "records", Schema: recordSchema,
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"sku"}, DefaultPolicy: bucketlite.Insert}})
	if err != nil {
		return err
	}
	before := len(d.Calls())
	for i := range puts {
		if _, err := b.Put(ctx, bucketlite.ObjectInput{Fields: newRecord(i)}, nil); err != nil {
			return errors.Join(err, st.Close())
		}
	}
	writes := 0
	for _, c := range d.Calls()[before:] {
		if c.Kind == vfstest.Write && c.OnLog() {
			writes++
		}
	}
	fmt.Println(float64(writes) / puts)
	return nil
}
