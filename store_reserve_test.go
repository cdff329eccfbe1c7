package bucketlite_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// briefIdle is the idle time of stores in tests that wait for work at rest.
const briefIdle = 200 * time.Millisecond

// smallDisk is a disk that has room for so many bytes: it refuses commits while the
// files of the store at path have more.
type smallDisk struct {
	path  string
	bytes int64
}

func (d smallDisk) used() (n int64) {
	for _, suffix := range []string{"", "-wal", "-reserve"} {
		if info, err := os.Stat(d.path + suffix); err == nil {
			n += info.Size()
		}
	}
	return n
}

func (d smallDisk) commit(commit func() error) error {
	if d.used() > d.bytes {
		return bucketlite.ErrFull
	}
	return commit()
}

// TestFullDisk fills a disk, deletes, and continues.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk{path: filepath.Join(t.TempDir(), "a.db"), bytes: 12 << 20}
	ctx := engine.WithCommitHook(context.Background(), disk.commit)
	st, err := bucketlite.Open(ctx, disk.path, bucketlite.WithIdleTime(bucketlite.Options{Durability: bucketlite.DurabilityNormal, Reserve: 1 << 20}, briefIdle))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	storetest.DeleteOnFullDisk(t, st, disk.path, 200_000)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	storetest.WantSound(t, disk.path)
}

// When one store has given the reserve up, the others on the same file leave the space
// to deletions too.
func TestReserveIsSpentForAllStores(t *testing.T) {
	t.Parallel()
	disk := smallDisk{path: filepath.Join(t.TempDir(), "a.db"), bytes: 12 << 20}
	ctx := engine.WithCommitHook(context.Background(), disk.commit)
	var stores [2]*bucketlite.Store
	var buckets [2]*bucketlite.Bucket
	for i := range stores {
		st, err := bucketlite.Open(ctx, disk.path, bucketlite.WithIdleTime(bucketlite.Options{Durability: bucketlite.DurabilityNormal, Reserve: 1 << 20}, briefIdle))
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		stores[i] = st
	}
	buckets[0] = storetest.Films(t, stores[0])
	var err error
	if buckets[1], err = storetest.Namespace(t, stores[1]).Bucket(ctx, buckets[0].Name()); err != nil {
		t.Fatal(err)
	}
	storetest.WantReserve(t, disk.path)
	if !storetest.Eventually(func() bool { return bucketlite.KeepsReserve(stores[0]) && bucketlite.KeepsReserve(stores[1]) }) {
		t.Fatal("a store does not see the reserve")
	}
	ids := storetest.FillDisk(t, buckets[0], 0, 200_000)
	if len(ids) < 2 {
		t.Fatalf("got %d objects before the disk was full, want more", len(ids))
	}
	if err := buckets[0].DeleteObject(ctx, ids[0], nil); err != nil {
		t.Fatal(err)
	}
	_, err = buckets[1].Put(ctx, storetest.FilmInput("other", bytes.NewReader(storetest.Film(251, 1000))), nil)
	// Emptying the log may have made so much room that the reserve is back by now.
	if back := fileSize(t, disk.path+"-reserve") >= 1<<20; !errors.Is(err, bucketlite.ErrFull) && !(err == nil && back) {
		t.Errorf("put by another store: got error %v, want ErrFull", err)
	}
	if err := buckets[1].DeleteObject(ctx, ids[1], nil); err != nil {
		t.Errorf("delete by another store: got error %v, want none", err)
	}
}

// Without a reserve, deletions still get the space that the log has.
func TestDeleteWithoutReserve(t *testing.T) {
	t.Parallel()
	disk := smallDisk{path: filepath.Join(t.TempDir(), "a.db"), bytes: 12 << 20}
	ctx := engine.WithCommitHook(context.Background(), disk.commit)
	st, err := bucketlite.Open(ctx, disk.path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal, Reserve: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	b := storetest.Films(t, st)
	ids := storetest.FillDisk(t, b, 0, 200_000)
	if err := b.DeleteObject(ctx, ids[0], nil); err != nil {
		t.Errorf("delete on a full disk: got error %v, want none", err)
	}
}

func TestReserveOption(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	none := storetest.OpenPath(t, path, &bucketlite.Options{Reserve: -1})
	storetest.Items(t, none)
	st := storetest.OpenPath(t, path, bucketlite.WithIdleTime(bucketlite.Options{Reserve: 3 << 20}, briefIdle))
	if !storetest.Eventually(func() bool { return fileSize(t, path+"-reserve") == 3<<20 }) {
		t.Errorf("reserve: got %d bytes, want %d", fileSize(t, path+"-reserve"), 3<<20)
	}
	if err := st.Backup(context.Background(), path+"-reserve", nil); !errors.Is(err, bucketlite.ErrExists) {
		t.Errorf("backup onto the reserve: got error %v, want ErrExists", err)
	}
}
