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
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// picture announces one of the pictures of an album's object.
func picture(k string) bucketlite.UploadInput {
	return bucketlite.UploadInput{Filename: "a.png", ContentType: "image/png", Property: "pictures", ObjectMetadata: map[string]any{"k": k}}
}

func TestConfirmCreatesObject(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	c := storetest.NewManualClock()
	st := storetest.OpenPath(t, path, &bucketlite.Options{Now: c.Now})
	for name, b := range map[string]*bucketlite.Bucket{
		"no key": storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "no key", Schema: storetest.Schema(t, `"title":{"type":"string","default":"untitled"},"photo":{"type":"image"}`)}),
		"key":    album(t, st, byK(bucketlite.Upsert)),
	} {
		t.Run(name, func(t *testing.T) {
			in := bucketlite.UploadInput{Filename: "photo.png", ContentType: "image/png",
				ObjectMetadata: map[string]any{"k": "a", "tags": []any{"x"}}, Metadata: map[string]any{"from": "test"}}
			id := storetest.CreateUpload(t, b, in).ID
			written := c.Add(time.Second)
			storetest.WriteUpload(t, b, id, png(1))
			now := c.Add(time.Second)
			u := storetest.ConfirmUpload(t, b, id)
			wantUpload := *u
			wantUpload.Status, wantUpload.CompletedAt, wantUpload.VerifiedAt, wantUpload.ETag = bucketlite.StatusCompleted, &now, &written, `"`+storetest.HashOf(png(1))+`"`
			storetest.WantEqual(t, "upload", *u, wantUpload)
			if u.ObjectID == "" {
				t.Error("got no object, want one")
			}
			o := mustObject(t, b, u.ObjectID)
			storetest.WantFields(t, o, `{"k":"a","tags":["x"],"title":"untitled"}`)
			want := []bucketlite.Blob{{Property: "photo", Type: bucketlite.Image, Properties: map[string]any{}, Details: bucketlite.BlobDetails{
				Filename: "photo.png", Size: int64(len(png(1))), MIMEType: "image/png", Hash: storetest.HashOf(png(1))}}}
			if diff := cmp.Diff(want, o.Blobs, cmpopts.IgnoreFields(bucketlite.Blob{}, "ID")); diff != "" {
				t.Errorf("blobs (-want +got):\n%s", diff)
			}
			if o.Status != bucketlite.StatusDraft || !o.CreatedAt.Equal(now) {
				t.Errorf("got %+v", o)
			}
			if stats := storetest.MustStats(t, b); stats.LastUploadAt == nil || !stats.LastUploadAt.Equal(now) || stats.ObjectCount != 1 {
				t.Errorf("statistics: got %+v", stats)
			}
			// Again, it is the same.
			before := storetest.Snapshot(t, b)
			c.Add(time.Hour)
			again := storetest.ConfirmUpload(t, b, id)
			if diff := cmp.Diff(u, again, cmpopts.IgnoreUnexported(bucketlite.Upload{})); diff != "" {
				t.Errorf("confirmed again (-first +second):\n%s", diff)
			}
			storetest.WantSnapshot(t, b, before)
			storetest.WantSound(t, path)
		})
	}
}

// Onto an object that has the key, confirming is a patch.
func TestConfirmPatchesObject(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	c := storetest.NewManualClock()
	st := storetest.OpenPath(t, path, &bucketlite.Options{Now: c.Now})
	b := album(t, st, byK(bucketlite.Upsert))
	first := storetest.Put(t, b, bucketlite.ObjectInput{KeyPrefix: "p", Fields: map[string]any{"k": "a", "n": 1, "other": "kept", "gone": "x"},
		Blobs: []bucketlite.BlobInput{{Property: "film", Data: "s3://film"}, {Property: "photo", Data: "s3://photo"}}}, "")
	for _, policy := range []bucketlite.Policy{"", bucketlite.Update} {
		in := bucketlite.UploadInput{Filename: "photo.png", ContentType: "image/png", Policy: policy,
			ObjectMetadata: map[string]any{"k": "a", "n": 2, "gone": nil}}
		now := c.Add(time.Second)
		u := upload(t, b, in, png(1))
		if u.ObjectID != first.ID {
			t.Errorf("got object %s, want %s", u.ObjectID, first.ID)
		}
		o := mustObject(t, b, first.ID)
		storetest.WantFields(t, o, `{"k":"a","n":2,"other":"kept","title":"untitled"}`)
		if len(o.Blobs) != 2 {
			t.Fatalf("blobs: got %d, want 2", len(o.Blobs))
		}
		storetest.WantEqual(t, "first property, second hash and key prefix", []string{o.Blobs[0].Property, o.Blobs[1].Details.Hash, o.KeyPrefix},
			[]string{"film", storetest.HashOf(png(1)), "p"})
		if stats := storetest.MustStats(t, b); !stats.LastUploadAt.Equal(now) {
			t.Errorf("last upload: got %s, want %s", stats.LastUploadAt, now)
		}
		storetest.WantSound(t, path)
	}
	// Other bytes take the place of those of the same property.
	upload(t, b, bucketlite.UploadInput{Filename: "photo.png", ContentType: "image/png", ObjectMetadata: map[string]any{"k": "a"}}, png(2))
	storetest.WantStored(t, st, path, int64(len(png(2))))
	// Those of an array are added, even the same.
	for _, n := range []int{3, 4, 3} {
		upload(t, b, picture("a"), png(n))
	}
	if got, want := readBlobs(t, b, first.ID, "pictures"), []string{storetest.HashOf(png(3)), storetest.HashOf(png(4)), storetest.HashOf(png(3))}; !slices.Equal(got, want) {
		t.Errorf("pictures: got %q, want %q", got, want)
	}
	if got := mustObject(t, b, first.ID); len(got.Blobs) != 5 {
		t.Errorf("got %d blobs, want 5", len(got.Blobs))
	}
	storetest.WantExact(t, b)
	storetest.WantSound(t, path)
	// The whole must conform.
	in := bucketlite.UploadInput{Filename: "photo.png", ContentType: "image/png", ObjectMetadata: map[string]any{"k": "a", "film": nil}}
	upload(t, b, in, png(1))
	if got := readBlobs(t, b, first.ID, "film"); len(got) != 0 {
		t.Errorf("film: got %q, want it removed", got)
	}
	storetest.Put(t, b, bucketlite.ObjectInput{Fields: map[string]any{"k": "text", "doc": "at the root"}}, "")
	id := storetest.CreateUpload(t, b, storetest.DocUpload("text")).ID
	storetest.WriteUpload(t, b, id, "in a blob")
	before := uploads(t, b)
	_, err := b.ConfirmUpload(ctx, id, nil)
	storetest.WantIssues(t, err, map[string]string{"doc": "property"})
	wantUploads(t, b, before)
}

// A confirmation that the policy forbids is refused, and can be tried again.
func TestConfirmByPolicy(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := album(t, st, byK(bucketlite.Upsert))
	in := picture("a")
	in.Policy = bucketlite.Insert
	insert := storetest.CreateUpload(t, b, in).ID
	storetest.WriteUpload(t, b, insert, png(1))
	in.Policy = bucketlite.Update
	update := storetest.CreateUpload(t, b, in).ID
	storetest.WriteUpload(t, b, update, png(2))

	before := uploads(t, b)
	_, err := b.ConfirmUpload(ctx, update, nil)
	storetest.WantError(t, err, bucketlite.ErrNotFound)
	wantUploads(t, b, before)

	o := storetest.Put(t, b, bucketlite.ObjectInput{Fields: map[string]any{"k": "a"}}, "")
	_, err = b.ConfirmUpload(ctx, insert, nil)
	var conflict *bucketlite.ConflictError
	if !errors.As(err, &conflict) || conflict.ExistingID != o.ID || !errors.Is(err, bucketlite.ErrExists) {
		t.Errorf("insert: got %v, want ErrExists with %s", err, o.ID)
	}
	wantUploads(t, b, before)
	if u := storetest.ConfirmUpload(t, b, update); u.ObjectID != o.ID {
		t.Errorf("update: got object %q, want %q", u.ObjectID, o.ID)
	}
	storetest.WantSound(t, path)
	if err := b.DeleteObject(ctx, o.ID, nil); err != nil {
		t.Fatal(err)
	}
	if u := storetest.ConfirmUpload(t, b, insert); u.ObjectID == "" || u.ObjectID == o.ID {
		t.Errorf("insert: got object %q, want a new one", u.ObjectID)
	}
	storetest.WantSound(t, path)
}

// A refused confirmation changes nothing.
func TestConfirmRefused(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	id := storetest.CreateUpload(t, b, storetest.DocUpload("k")).ID
	_, err := b.ConfirmUpload(ctx, id, nil)
	storetest.WantError(t, err, bucketlite.ErrConflict)
	storetest.WriteUpload(t, b, id, "text")
	before := uploads(t, b)
	hash := storetest.HashOf("text")
	for name, opts := range map[string]*bucketlite.ConfirmUploadOptions{
		"etag":          {ETag: storetest.HashOf("other")},
		"quoted":        {ETag: `"` + storetest.HashOf("other") + `"`},
		"md5":           {ETag: "1cb251ec0d568de6a929b520c4aed8d1"},
		"size":          {Size: 5},
		"etag and size": {ETag: hash, Size: 3},
		"negative size": {Size: -4},
	} {
		u, err := b.ConfirmUpload(ctx, id, opts)
		if u != nil || !errors.Is(err, bucketlite.ErrConflict) || errors.Is(err, bucketlite.ErrExists) {
			t.Errorf("%s: got %v, %v, want ErrConflict", name, u, err)
		}
	}
	wantUploads(t, b, before)
	for _, etag := range []string{hash, `"` + hash + `"`, `W/"` + hash + `"`, strings.ToUpper(hash), ""} {
		u, err := b.ConfirmUpload(ctx, id, &bucketlite.ConfirmUploadOptions{ETag: etag, Size: 4})
		if err != nil || u.Status != bucketlite.StatusCompleted {
			t.Errorf("etag %s: got %v, %v", etag, u, err)
		}
	}
	_, err = b.ConfirmUpload(ctx, id, &bucketlite.ConfirmUploadOptions{ETag: storetest.HashOf("other")})
	storetest.WantError(t, err, bucketlite.ErrConflict)
	storetest.WantSound(t, path)
}

// The confirmation shows wherever uploads can be read.
func TestConfirmedIsTold(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	b := storetest.Items(t, storetest.OpenMemory(t))
	id := upload(t, b, storetest.DocUpload("k"), "text").ID
	for _, change := range []func(context.Context) error{b.Lock, b.Unlock, b.Archive} {
		if err := change(ctx); err != nil {
			t.Fatal(err)
		}
		storetest.ConfirmUpload(t, b, id)
	}
	if err := b.Activate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := b.Suspend(ctx); err != nil {
		t.Fatal(err)
	}
	wantVerdict(t, storetest.ErrorOf(b.ConfirmUpload(ctx, id, nil)), b, bucketlite.StatusSuspended, storetest.RefusedInactive)
}

// 64 confirmations of one upload come to one object, the same for all.
func TestConfirmOneAtOnce(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, policy := range []bucketlite.Policy{bucketlite.Insert, bucketlite.Upsert} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "a.db")
			b := album(t, storetest.OpenPath(t, path), byK(policy))
			id := storetest.CreateUpload(t, b, picture("a")).ID
			storetest.WriteUpload(t, b, id, png(1))
			var ids [64]string
			err := storetest.AtOnce(len(ids), func(i int) error {
				u, err := b.ConfirmUpload(ctx, id, nil)
				if err == nil {
					ids[i] = u.ObjectID
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.Compact(ids[:]); len(got) != 1 || got[0] == "" {
				t.Errorf("got objects %q, want one", got)
			}
			if got := readBlobs(t, b, ids[0], "pictures"); len(got) != 1 {
				t.Errorf("got %d blobs, want 1", len(got))
			}
			if got := storetest.MustStats(t, b).ObjectCount; got != 1 {
				t.Errorf("got %d objects, want 1", got)
			}
			storetest.WantSound(t, path)
		})
	}
}

// Many uploads of one key, confirmed at once from two stores, come to one object
// that has all their blobs.
func TestConfirmManyOfOneKey(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	first := album(t, storetest.OpenPath(t, path), byK(bucketlite.Upsert))
	second, err := storetest.Namespace(t, storetest.OpenPath(t, path)).Bucket(ctx, "album")
	if err != nil {
		t.Fatal(err)
	}
	buckets := []*bucketlite.Bucket{first, second}
	const n = 64
	var ids, want []string
	for i := range n {
		in := picture("a")
		if i == 0 {
			in.Property, in.Filename = "photo", "photo.png"
		}
		in.ObjectMetadata[fmt.Sprint("field", i)] = i
		id := storetest.CreateUpload(t, first, in).ID
		storetest.WriteUpload(t, first, id, png(i))
		ids = append(ids, id)
		if i > 0 {
			want = append(want, storetest.HashOf(png(i)))
		}
	}
	objects := make([]string, n)
	err = storetest.AtOnce(n, func(i int) error {
		u, err := buckets[i%2].ConfirmUpload(ctx, ids[i], nil)
		if err == nil {
			objects[i] = u.ObjectID
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Compact(objects); len(got) != 1 {
		t.Fatalf("got objects %q, want one", got)
	}
	got := readBlobs(t, first, objects[0], "pictures")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %d pictures, want %d", len(got), len(want))
	}
	if got := readBlobs(t, first, objects[0], "photo"); !slices.Equal(got, []string{storetest.HashOf(png(0))}) {
		t.Errorf("photo: got %q", got)
	}
	if got := mustObject(t, first, objects[0]); len(got.Fields) != n+2 {
		t.Errorf("got %d fields, want %d", len(got.Fields), n+2)
	}
	storetest.WantSound(t, path)
}

// An object that comes and goes while uploads are confirmed onto it loses none.
func TestConfirmAmidDeletions(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	b := album(t, storetest.OpenPath(t, path), byK(bucketlite.Upsert))
	const n = 100
	var ids []string
	for i := range n {
		id := storetest.CreateUpload(t, b, picture("a")).ID
		storetest.WriteUpload(t, b, id, png(i))
		ids = append(ids, id)
	}
	done := make(chan struct{})
	deleted := make(chan error)
	go func() {
		for {
			select {
			case <-done:
				deleted <- nil
				return
			default:
			}
			o, err := b.ObjectByKey(ctx, map[string]any{"k": "a"})
			if err == nil {
				err = b.DeleteObject(ctx, o.ID, nil)
			}
			if err != nil && !errors.Is(err, bucketlite.ErrNotFound) {
				deleted <- err
				return
			}
		}
	}()
	err := storetest.AtOnce(4, func(g int) error {
		for i := g; i < n; i += 4 {
			if _, err := b.ConfirmUpload(ctx, ids[i], nil); err != nil {
				return err
			}
		}
		return nil
	})
	close(done)
	if err := errors.Join(err, <-deleted); err != nil {
		t.Error(err)
	}
	for _, id := range ids {
		if u := storetest.MustUpload(t, b, id); u.Status != bucketlite.StatusCompleted || u.ObjectID == "" {
			t.Errorf("got %+v", u)
		}
	}
	storetest.WantSound(t, path)
}

// Other bytes that come while an upload is being confirmed are either confirmed
// or refused, never mixed up.
func TestConfirmAmidWrites(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	b := storetest.Items(t, storetest.OpenPath(t, path))
	for i := range 30 {
		id := storetest.CreateUpload(t, b, storetest.DocUpload(fmt.Sprint(i))).ID
		storetest.WriteUpload(t, b, id, "first")
		last := "first"
		err := storetest.AtOnce(2, func(g int) error {
			if g == 0 {
				return storetest.ErrorOf(b.ConfirmUpload(ctx, id, nil))
			}
			_, err := b.WriteUpload(ctx, id, strings.NewReader("second"))
			if err == nil {
				last = "second"
			} else if errors.Is(err, bucketlite.ErrConflict) {
				err = nil
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		u := storetest.MustUpload(t, b, id)
		if got := readBlobs(t, b, u.ObjectID, "doc"); !slices.Equal(got, []string{storetest.HashOf(last)}) || u.FileHash != storetest.HashOf(last) {
			t.Errorf("got %q and %s, want %s", got, u.FileHash, storetest.HashOf(last))
		}
	}
	storetest.WantSound(t, path)
}
