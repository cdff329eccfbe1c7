package bucketlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/engine"
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

// TestFullDisk fills a disk, deletes, and goes on.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk{path: filepath.Join(t.TempDir(), "a.db"), bytes: 12 << 20}
	ctx := engine.WithCommitHook(context.Background(), disk.commit)
	st, err := bucketlite.Open(ctx, disk.path, bucketlite.WithIdleTime(bucketlite.Options{Durability: bucketlite.DurabilityNormal, Reserve: 1 << 20}, briefIdle))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	deleteOnFullDisk(t, st, disk.path, 200_000)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	wantSound(t, disk.path)
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
	buckets[0] = films(t, stores[0])
	var err error
	if buckets[1], err = namespace(t, stores[1]).Bucket(ctx, buckets[0].Name()); err != nil {
		t.Fatal(err)
	}
	wantReserve(t, disk.path)
	if !eventually(func() bool { return bucketlite.KeepsReserve(stores[0]) && bucketlite.KeepsReserve(stores[1]) }) {
		t.Fatal("a store does not see the reserve")
	}
	ids := fillDisk(t, buckets[0], 0, 200_000)
	if err := buckets[0].DeleteObject(ctx, ids[0], nil); err != nil {
		t.Fatal(err)
	}
	_, err = buckets[1].Put(ctx, filmInput("other", bytes.NewReader(film(251, 1000))), nil)
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
	b := films(t, st)
	ids := fillDisk(t, b, 0, 200_000)
	if err := b.DeleteObject(ctx, ids[0], nil); err != nil {
		t.Errorf("delete on a full disk: got error %v, want none", err)
	}
}

// deleteOnFullDisk fills the disk with blobs of some size, deletes one by one and as a
// bucket, and fails unless that goes through and space comes back.
func deleteOnFullDisk(t testing.TB, st *bucketlite.Store, path string, size int) {
	t.Helper()
	ctx := context.Background()
	b := films(t, st)
	config := itemsConfig("other")
	config.Schema.Properties["film"] = bucketlite.Field{Type: bucketlite.Video}
	other := bucket(t, st, config)
	wantReserve(t, path)
	ids := fillDisk(t, b, 0, size)
	if len(ids) < 20 {
		t.Fatalf("filled: got %d objects, want 20 or more", len(ids))
	}
	for _, id := range ids[:len(ids)/2] {
		if err := b.DeleteObject(ctx, id, nil); err != nil {
			t.Fatalf("delete on a full disk: got error %v, want none", err)
		}
	}
	wantRoom(t, b, "after objects were deleted", size)
	wantReserve(t, path)
	fillDisk(t, b, len(ids), size)
	task, err := b.Delete(ctx)
	if err != nil {
		t.Fatalf("delete of the bucket on a full disk: got error %v, want none", err)
	}
	if _, err := st.Wait(ctx, task.ID); err != nil {
		t.Fatal(err)
	}
	wantRoom(t, other, "after the bucket was deleted", size)
	wantReserve(t, path)
	wantNoProblem(t, st)
}

// wantReserve waits until the store at path has a reserve.
func wantReserve(t testing.TB, path string) {
	t.Helper()
	if !eventually(func() bool { info, err := os.Stat(path + "-reserve"); return err == nil && info.Size() >= 1<<20 }) {
		t.Fatal("reserve: got none, want one of 1 MiB or more")
	}
}

// fillDisk stores blobs until the disk is full, and returns their objects.
func fillDisk(t testing.TB, b *bucketlite.Bucket, first, size int) (ids []string) {
	t.Helper()
	for i := first; ; i++ {
		res, err := b.Put(context.Background(), filmInput(fmt.Sprint(i), bytes.NewReader(film(uint64(i), size))), nil)
		if errors.Is(err, bucketlite.ErrFull) {
			return ids
		}
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, res.Object.ID)
	}
}

// wantRoom waits until an object can be stored again.
func wantRoom(t testing.TB, b *bucketlite.Bucket, when string, size int) {
	t.Helper()
	var err error
	if !eventually(func() bool {
		_, err = b.Put(context.Background(), filmInput(when, bytes.NewReader(film(250, size))), nil)
		return err == nil || !errors.Is(err, bucketlite.ErrFull)
	}) || err != nil {
		t.Fatalf("put %s: got error %v, want none", when, err)
	}
}

func TestReserveOption(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	none := openPath(t, path, &bucketlite.Options{Reserve: -1})
	items(t, none)
	st := openPath(t, path, bucketlite.WithIdleTime(bucketlite.Options{Reserve: 3 << 20}, briefIdle))
	if !eventually(func() bool { return fileSize(t, path+"-reserve") == 3<<20 }) {
		t.Errorf("reserve: got %d bytes, want %d", fileSize(t, path+"-reserve"), 3<<20)
	}
	if err := st.Backup(context.Background(), path+"-reserve", nil); !errors.Is(err, bucketlite.ErrExists) {
		t.Errorf("backup onto the reserve: got error %v, want ErrExists", err)
	}
}
