package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

func TestUploadExpires(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	c := newManualClock()
	st := openPath(t, path, &bucketlite.Options{Now: c.now})
	b := items(t, st)
	in := docUpload("k")
	in.ExpiresIn = 60
	id := createUpload(t, b, in).ID
	writeUpload(t, b, id, "text")
	confirmed := createUpload(t, b, in).ID
	writeUpload(t, b, confirmed, "confirmed")
	c.add(time.Minute - time.Microsecond)
	if u := mustUpload(t, b, id); u.Status != bucketlite.StatusPending || u.ETag == "" {
		t.Errorf("just before: got %+v, want it pending", u)
	}
	confirmUpload(t, b, confirmed)
	c.add(time.Microsecond)
	// It has expired before the collector comes to it, and looks the same after.
	for range 2 {
		u := mustUpload(t, b, id)
		if u.Status != bucketlite.StatusFailed || u.Message == "" || u.ETag != "" || u.CompletedAt != nil {
			t.Errorf("got %+v, want it failed", u)
		}
		for name, err := range map[string]error{
			"write":   second(b.WriteUpload(ctx, id, strings.NewReader("text"))),
			"confirm": second(b.ConfirmUpload(ctx, id, nil)),
		} {
			if !errors.Is(err, bucketlite.ErrConflict) {
				t.Errorf("%s: got %v, want ErrConflict", name, err)
			}
		}
		createUpload(t, b, docUpload("l")) // wakes the collector
		wantStored(t, st, path, int64(len("confirmed")))
	}
	if u := mustUpload(t, b, confirmed); u.Status != bucketlite.StatusCompleted {
		t.Errorf("confirmed: got %+v", u)
	}
	wantSound(t, path)
}

// awaitCollector returns when the collector has done all that there was to do. It
// goes round, so that once it has collected two contents, one after the other,
// everything else has had its turn.
func awaitCollector(t *testing.T, b *bucketlite.Bucket, path string) {
	t.Helper()
	db := raw(t, path)
	for i := range 2 {
		id := createUpload(t, b, docUpload("probe")).ID
		u := writeUpload(t, b, id, fmt.Sprint("probe ", i))
		if err := b.CancelUpload(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		if !eventually(func() bool { return dump(t, db, "SELECT 1 FROM contents WHERE hash = unhex(?)", u.FileHash) == "" }) {
			t.Fatal("the collector stands still")
		}
	}
}

// Records go 30 days after the end, but not those that alone hold bytes.
func TestUploadsAreForgotten(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	c := newManualClock()
	st := openPath(t, path, &bucketlite.Options{Now: c.now})
	b := items(t, st)
	loose := docUpload("k")
	loose.CreateObject = new(false)
	ids := map[string]string{
		"canceled": createUpload(t, b, docUpload("a")).ID,
		"expired":  createUpload(t, b, docUpload("b")).ID,
		"object":   upload(t, b, docUpload("c"), "of an object").ID,
		"used":     upload(t, b, loose, "used").ID,
		"unused":   upload(t, b, loose, "unused").ID,
	}
	writeUpload(t, b, ids["expired"], "expired")
	if err := b.CancelUpload(ctx, ids["canceled"]); err != nil {
		t.Fatal(err)
	}
	in := item("used", "")
	in.Blobs = []bucketlite.BlobInput{{Property: "doc", UploadID: ids["used"]}}
	putItem(t, b, in)
	left := func() (names []string) {
		for name, id := range ids {
			if _, err := b.Upload(ctx, id); err == nil {
				names = append(names, name)
			} else if !errors.Is(err, bucketlite.ErrNotFound) {
				t.Error(err)
			}
		}
		slices.Sort(names)
		return names
	}
	wantLeft := func(want ...string) {
		t.Helper()
		awaitCollector(t, b, path)
		if got := left(); !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	c.add(30*24*time.Hour - time.Microsecond)
	wantLeft("canceled", "expired", "object", "unused", "used")
	c.add(time.Microsecond)
	wantLeft("expired", "unused")
	c.add(time.Hour)
	wantLeft("unused")
	wantStored(t, st, path, int64(len("of an object")+len("used")+len("unused")))
	wantSound(t, path)
}

// With a bucket go its uploads, and the bytes they hold.
func TestDeleteBucketWithUploads(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := openPath(t, path)
	b := items(t, st)
	kept := upload(t, bucket(t, st, itemsConfig("kept")), docUpload("k"), "shared")
	for range 5 {
		if _, err := b.CreateUploads(ctx, slices.Repeat([]bucketlite.UploadInput{docUpload("k")}, 100), nil); err != nil {
			t.Fatal(err)
		}
	}
	i := 0
	for u, err := range b.Uploads(ctx, bucketlite.Query{Limit: 20}) {
		if err != nil {
			t.Fatal(err)
		}
		i++
		writeUpload(t, b, u.ID, []string{"shared", fmt.Sprint("own", i)}[i%2])
	}
	loose := docUpload("k")
	loose.CreateObject = new(false)
	upload(t, b, loose, "confirmed")
	upload(t, b, docUpload("k"), "of an object")
	finish(t, st, mustDelete(t, b), 1)
	db := raw(t, path)
	if got, want := dump(t, db, "SELECT id FROM uploads"), kept.ID+"\n"; got != want {
		t.Errorf("uploads: got %s, want %s", got, want)
	}
	wantStored(t, st, path, int64(len("shared")))
	wantSound(t, path)
}
