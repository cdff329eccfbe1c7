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
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func TestUploadExpires(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	c := storetest.NewManualClock()
	st := storetest.OpenPath(t, path, &bucketlite.Options{Now: c.Now})
	b := storetest.Items(t, st)
	in := storetest.DocUpload("k")
	in.ExpiresIn = 60
	id := storetest.CreateUpload(t, b, in).ID
	storetest.WriteUpload(t, b, id, "text")
	confirmed := storetest.CreateUpload(t, b, in).ID
	storetest.WriteUpload(t, b, confirmed, "confirmed")
	c.Add(time.Minute - time.Microsecond)
	if u := storetest.MustUpload(t, b, id); u.Status != bucketlite.StatusPending || u.ETag == "" {
		t.Errorf("just before: got %+v, want it pending", u)
	}
	storetest.ConfirmUpload(t, b, confirmed)
	c.Add(time.Microsecond)
	// It has expired before the collector comes to it, and looks the same after.
	for range 2 {
		u := storetest.MustUpload(t, b, id)
		if u.Status != bucketlite.StatusFailed || u.Message == "" || u.ETag != "" || u.CompletedAt != nil {
			t.Errorf("got %+v, want it failed", u)
		}
		for name, err := range map[string]error{
			"write":   storetest.ErrorOf(b.WriteUpload(ctx, id, strings.NewReader("text"))),
			"confirm": storetest.ErrorOf(b.ConfirmUpload(ctx, id, nil)),
		} {
			if !errors.Is(err, bucketlite.ErrConflict) {
				t.Errorf("%s: got %v, want ErrConflict", name, err)
			}
		}
		storetest.CreateUpload(t, b, storetest.DocUpload("l")) // wakes the collector
		storetest.WantStored(t, st, path, int64(len("confirmed")))
	}
	if u := storetest.MustUpload(t, b, confirmed); u.Status != bucketlite.StatusCompleted {
		t.Errorf("confirmed: got %+v", u)
	}
	storetest.WantSound(t, path)
}

// awaitCollector returns when the collector has done all that there was to do. It
// goes round, so that once it has collected two contents, one after the other,
// everything else has had its turn.
func awaitCollector(t *testing.T, b *bucketlite.Bucket, path string) {
	t.Helper()
	db := storetest.OpenRaw(t, path)
	for i := range 2 {
		id := storetest.CreateUpload(t, b, storetest.DocUpload("probe")).ID
		u := storetest.WriteUpload(t, b, id, fmt.Sprint("probe ", i))
		if err := b.CancelUpload(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		if !storetest.Eventually(func() bool {
			return storetest.Dump(t, db, "SELECT 1 FROM contents WHERE hash = unhex(?)", u.FileHash) == ""
		}) {
			t.Fatal("the collector stands still")
		}
	}
}

// Records go 30 days after the end, but not those that alone hold bytes.
func TestUploadsAreForgotten(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	c := storetest.NewManualClock()
	st := storetest.OpenPath(t, path, &bucketlite.Options{Now: c.Now})
	b := storetest.Items(t, st)
	loose := storetest.DocUpload("k")
	loose.CreateObject = new(false)
	ids := map[string]string{
		"canceled": storetest.CreateUpload(t, b, storetest.DocUpload("a")).ID,
		"expired":  storetest.CreateUpload(t, b, storetest.DocUpload("b")).ID,
		"object":   upload(t, b, storetest.DocUpload("c"), "of an object").ID,
		"used":     upload(t, b, loose, "used").ID,
		"unused":   upload(t, b, loose, "unused").ID,
	}
	storetest.WriteUpload(t, b, ids["expired"], "expired")
	if err := b.CancelUpload(ctx, ids["canceled"]); err != nil {
		t.Fatal(err)
	}
	in := storetest.Item("used", "")
	in.Blobs = []bucketlite.BlobInput{{Property: "doc", UploadID: ids["used"]}}
	storetest.PutItem(t, b, in)
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
	c.Add(30*24*time.Hour - time.Microsecond)
	wantLeft("canceled", "expired", "object", "unused", "used")
	c.Add(time.Microsecond)
	wantLeft("expired", "unused")
	c.Add(time.Hour)
	wantLeft("unused")
	storetest.WantStored(t, st, path, int64(len("of an object")+len("used")+len("unused")))
	storetest.WantSound(t, path)
}

// With a bucket go its uploads, and the bytes they hold.
func TestDeleteBucketWithUploads(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	kept := upload(t, storetest.Bucket(t, st, storetest.ItemsConfig("kept")), storetest.DocUpload("k"), "shared")
	for range 5 {
		if _, err := b.CreateUploads(ctx, slices.Repeat([]bucketlite.UploadInput{storetest.DocUpload("k")}, 100), nil); err != nil {
			t.Fatal(err)
		}
	}
	i := 0
	for u, err := range b.Uploads(ctx, bucketlite.Query{Limit: 20}) {
		if err != nil {
			t.Fatal(err)
		}
		i++
		storetest.WriteUpload(t, b, u.ID, []string{"shared", fmt.Sprint("own", i)}[i%2])
	}
	loose := storetest.DocUpload("k")
	loose.CreateObject = new(false)
	upload(t, b, loose, "confirmed")
	upload(t, b, storetest.DocUpload("k"), "of an object")
	storetest.WaitDeleted(t, st, mustDelete(t, b), 1)
	db := storetest.OpenRaw(t, path)
	if got, want := storetest.Dump(t, db, "SELECT id FROM uploads"), kept.ID+"\n"; got != want {
		t.Errorf("uploads: got %s, want %s", got, want)
	}
	storetest.WantStored(t, st, path, int64(len("shared")))
	storetest.WantSound(t, path)
}
