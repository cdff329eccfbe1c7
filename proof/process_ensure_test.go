package proof_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func init() { children["ensure"] = childEnsure }

// childEnsure opens what it needs in a file that may not exist yet, by the first or the
// second version of a program, puts an object and prints the bucket's id.
func childEnsure(args []string) error {
	ctx := context.Background()
	config := storetest.ItemsConfig("items")
	config.Indexes = []string{"n"}
	if args[1] == "2" {
		config.Schema.Properties["later"] = bucketlite.Field{Type: bucketlite.String}
	}
	rendezvous()
	st, err := bucketlite.Open(ctx, args[0], nil)
	if err != nil {
		return err
	}
	b, err := st.EnsureBucket(ctx, "test", config, nil)
	if err != nil {
		return err
	}
	if _, err := b.Put(ctx, storetest.Item(fmt.Sprint(os.Getpid()), ""), nil); err != nil {
		return err
	}
	fmt.Println(b.ID())
	return st.Close()
}

// Eight processes of two versions of a program start at once on a file that does not exist:
// they get one bucket, which has the schema of the later version.
func TestEnsureByProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	var running []*child
	for p := range 8 {
		c := startChild(t, "ensure", path, fmt.Sprint(1+p%2))
		c.line(t)
		running = append(running, c)
	}
	for _, c := range running {
		c.stdin.Close()
	}
	ids := make(map[string]bool)
	for _, c := range running {
		ids[c.line(t)] = true
		c.wait(t)
	}
	st, b, err := childBucket(path)
	storetest.Must(t, err)
	info, err := b.Info(t.Context())
	storetest.Must(t, err)
	indexes, err := b.Indexes(t.Context())
	storetest.Must(t, err)
	if _, later := info.Schema.Properties["later"]; len(ids) != 1 || !ids[b.ID()] || !later || info.SchemaVersion > 2 || len(indexes) != 1 {
		t.Errorf("got buckets %v, schema version %d with the later field %t, indexes %v, want one bucket with the later schema and one index",
			ids, info.SchemaVersion, later, indexes)
	}
	storetest.WantEqual(t, "objects", storetest.MustStats(t, b).ObjectCount, int64(8))
	storetest.Must(t, st.Close())
	storetest.WantSound(t, path)
}
