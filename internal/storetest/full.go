package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// DeleteOnFullDisk fills the disk with blobs of some size, deletes one by one and as a
// bucket, and fails unless that goes through and space comes back.
func DeleteOnFullDisk(t testing.TB, st *bucketlite.Store, path string, size int) {
	t.Helper()
	ctx := context.Background()
	b := Films(t, st)
	config := ItemsConfig("other")
	config.Schema.Properties["film"] = bucketlite.Field{Type: bucketlite.Video}
	other := Bucket(t, st, config)
	WantReserve(t, path)
	ids := FillDisk(t, b, 0, size)
	if len(ids) < 20 {
		t.Fatalf("filled: got %d objects, want 20 or more", len(ids))
	}
	for _, id := range ids[:len(ids)/2] {
		if err := b.DeleteObject(ctx, id, nil); err != nil {
			t.Fatalf("delete on a full disk: got error %v, want none", err)
		}
	}
	wantRoom(t, b, "after objects were deleted", size)
	WantReserve(t, path)
	FillDisk(t, b, len(ids), size)
	task, err := b.Delete(ctx)
	if err != nil {
		t.Fatalf("delete of the bucket on a full disk: got error %v, want none", err)
	}
	if _, err := st.Wait(ctx, task.ID); err != nil {
		t.Fatal(err)
	}
	wantRoom(t, other, "after the bucket was deleted", size)
	WantReserve(t, path)
	WantNoProblem(t, st)
}

// WantReserve waits until the store at path has a reserve.
func WantReserve(t testing.TB, path string) {
	t.Helper()
	if !Eventually(func() bool { info, err := os.Stat(path + "-reserve"); return err == nil && info.Size() >= 1<<20 }) {
		t.Fatal("reserve: got none, want one of 1 MiB or more")
	}
}

// FillDisk stores blobs until the disk is full, and returns their objects.
func FillDisk(t testing.TB, b *bucketlite.Bucket, first, size int) (ids []string) {
	t.Helper()
	for i := first; ; i++ {
		res, err := b.Put(context.Background(), FilmInput(fmt.Sprint(i), bytes.NewReader(Film(uint64(i), size))), nil)
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
	if !Eventually(func() bool {
		_, err = b.Put(context.Background(), FilmInput(when, bytes.NewReader(Film(250, size))), nil)
		return err == nil || !errors.Is(err, bucketlite.ErrFull)
	}) || err != nil {
		t.Fatalf("put %s: got error %v, want none", when, err)
	}
}
