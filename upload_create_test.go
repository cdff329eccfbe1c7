package bucketlite_test

import (
	"context"
	"encoding/json"
	"errors"
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

func TestCreateUpload(t *testing.T) {
	t.Parallel()
	c := storetest.NewManualClock()
	st := storetest.OpenMemory(t, &bucketlite.Options{Now: c.Now})
	b := album(t, st, byK(bucketlite.Upsert))
	ns, err := storetest.Namespace(t, st).Info(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	now := c.Add(0).UTC()
	tests := map[string]struct {
		in   bucketlite.UploadInput
		want bucketlite.Upload
	}{
		"defaults": {
			in: bucketlite.UploadInput{Filename: "photo.png", ContentType: "image/png", ObjectMetadata: map[string]any{"k": "a"}},
			want: bucketlite.Upload{Filename: "photo.png", ContentType: "image/png", ExpiresIn: 3600, Metadata: map[string]any{},
				CreateObject: true, ObjectMetadata: map[string]any{"k": "a"}, Property: "photo", Type: bucketlite.Image,
				SkipDuplicates: true, Policy: bucketlite.Upsert},
		},
		"everything": {
			in: bucketlite.UploadInput{Filename: "a.b.png", ContentType: "image/png; x=1", Size: 7, ExpiresIn: 60,
				Metadata: map[string]any{"from": json.Number("1.50")}, CreateObject: new(true), ObjectMetadata: map[string]any{"k": "a", "other": nil},
				Property: "pictures", Type: "IMAGE", FileHash: storetest.HashOf("x"), SkipDuplicates: new(false), Policy: bucketlite.Update},
			want: bucketlite.Upload{Filename: "a.b.png", ContentType: "image/png; x=1", Size: 7, ExpiresIn: 60,
				Metadata: map[string]any{"from": json.Number("1.50")}, CreateObject: true, ObjectMetadata: map[string]any{"k": "a", "other": nil},
				Property: "pictures", Type: bucketlite.Image, FileHash: storetest.HashOf("x"), Policy: bucketlite.Update},
		},
		"no object": {
			in: bucketlite.UploadInput{Filename: "x.y.mp4", ContentType: "video/mp4", CreateObject: new(false)},
			want: bucketlite.Upload{Filename: "x.y.mp4", ContentType: "video/mp4", ExpiresIn: 3600, Metadata: map[string]any{},
				Property: "x.y", Type: bucketlite.Video, SkipDuplicates: true},
		},
		"no object, unknown type": {
			in: bucketlite.UploadInput{Filename: "blob", ContentType: "application/x-unheard-of", CreateObject: new(false)},
			want: bucketlite.Upload{Filename: "blob", ContentType: "application/x-unheard-of", ExpiresIn: 3600, Metadata: map[string]any{},
				Property: "blob", SkipDuplicates: true},
		},
		"no object, a stem that is another field": {
			in: bucketlite.UploadInput{Filename: "title.pdf", ContentType: "application/pdf", CreateObject: new(false), Policy: "ignored"},
			want: bucketlite.Upload{Filename: "title.pdf", ContentType: "application/pdf", ExpiresIn: 3600, Metadata: map[string]any{},
				Property: "title", Type: bucketlite.PDF, SkipDuplicates: true},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := storetest.CreateUpload(t, b, tt.in)
			tt.want.ID, tt.want.BucketID, tt.want.Status = got.ID, b.ID(), bucketlite.StatusPending
			tt.want.Key = ns.ID + "/" + b.ID() + "/" + got.ID + "/" + tt.in.Filename
			tt.want.CreatedAt, tt.want.ExpiresAt = now, now.Add(time.Duration(tt.want.ExpiresIn)*time.Second)
			if diff := cmp.Diff(&tt.want, got, cmpopts.IgnoreUnexported(bucketlite.Upload{})); diff != "" {
				t.Errorf("upload (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(got, storetest.MustUpload(t, b, got.ID), cmpopts.IgnoreUnexported(bucketlite.Upload{})); diff != "" {
				t.Errorf("read (-created +read):\n%s", diff)
			}
		})
	}
}

func TestCreateUploadRefused(t *testing.T) {
	t.Parallel()
	small := &bucketlite.Options{MaxBlobBytes: 1000, MaxObjectBytes: 2000}
	plain := album(t, storetest.OpenMemory(t, small), nil)
	keyed := album(t, storetest.OpenMemory(t, small), byK(bucketlite.Insert))
	upsert := album(t, storetest.OpenMemory(t, small), byK(bucketlite.Upsert))
	undecided := album(t, storetest.OpenMemory(t, small), byK(""))
	required := storetest.Bucket(t, storetest.OpenMemory(t), bucketlite.BucketConfig{Schema: storetest.Schema(t, `
		"k":{"type":"string"}, "must":{"type":"string","required":true}, "photo":{"type":"image","required":true}, "film":{"type":"video","required":true},
		"two":{"type":"array","items":{"type":"image"},"minItems":2}`), UniqueKey: byK("")})
	png := func(change func(in *bucketlite.UploadInput)) bucketlite.UploadInput {
		in := bucketlite.UploadInput{Filename: "photo.png", ContentType: "image/png", ObjectMetadata: map[string]any{"k": "a"}}
		change(&in)
		return in
	}
	long := strings.Repeat("x", 300)
	tests := map[string]struct {
		b    *bucketlite.Bucket
		in   bucketlite.UploadInput
		want map[string]string
	}{
		"nothing": {plain, bucketlite.UploadInput{}, map[string]string{"filename": "required", "content_type": "required", "blob_property": "property"}},
		"path": {plain, png(func(in *bucketlite.UploadInput) { in.Filename, in.Property = "../photo.png", "photo" }),
			map[string]string{"filename": "name"}},
		"slash":     {plain, png(func(in *bucketlite.UploadInput) { in.Filename, in.Property = "a/photo.png", "photo" }), map[string]string{"filename": "name"}},
		"backslash": {plain, png(func(in *bucketlite.UploadInput) { in.Filename, in.Property = `a\photo.png`, "photo" }), map[string]string{"filename": "name"}},
		"NUL":       {plain, png(func(in *bucketlite.UploadInput) { in.Filename, in.Property = "photo.png\x00", "photo" }), map[string]string{"filename": "name"}},
		"too long":  {plain, png(func(in *bucketlite.UploadInput) { in.Filename, in.Property = long, "photo" }), map[string]string{"filename": "name"}},
		"dots":      {plain, png(func(in *bucketlite.UploadInput) { in.Filename, in.Property = "..", "photo" }), map[string]string{"filename": "name"}},
		"no UTF-8":  {plain, png(func(in *bucketlite.UploadInput) { in.Filename, in.Property = "\xff.png", "photo" }), map[string]string{"filename": "name"}},

		"content type":        {plain, png(func(in *bucketlite.UploadInput) { in.ContentType = "picture" }), map[string]string{"content_type": "mime"}},
		"content type, other": {plain, png(func(in *bucketlite.UploadInput) { in.ContentType = "video/mp4" }), map[string]string{"content_type": "mime"}},
		"content type of nothing": {plain, png(func(in *bucketlite.UploadInput) {
			in.ContentType, in.CreateObject, in.Property = "x", new(false), "none"
		}),
			map[string]string{"content_type": "mime"}},

		"undeclared": {plain, png(func(in *bucketlite.UploadInput) { in.Property = "none" }), map[string]string{"blob_property": "property"}},
		"no file":    {plain, png(func(in *bucketlite.UploadInput) { in.Property = "title" }), map[string]string{"blob_property": "property"}},
		"no files":   {plain, png(func(in *bucketlite.UploadInput) { in.Property = "list" }), map[string]string{"blob_property": "property"}},
		"name too long": {plain, png(func(in *bucketlite.UploadInput) { in.Property, in.CreateObject = long, new(false) }),
			map[string]string{"blob_property": "name"}},
		"type":         {plain, png(func(in *bucketlite.UploadInput) { in.Type = "video" }), map[string]string{"blob_type": "type"}},
		"type, array":  {plain, png(func(in *bucketlite.UploadInput) { in.Property, in.Type = "pictures", "array" }), map[string]string{"blob_type": "type"}},
		"type unknown": {plain, png(func(in *bucketlite.UploadInput) { in.Property, in.Type, in.CreateObject = "x", "string", new(false) }), map[string]string{"blob_type": "type", "content_type": "mime"}},

		"size below 0": {plain, png(func(in *bucketlite.UploadInput) { in.Size = -1 }), map[string]string{"file_size_bytes": "minimum"}},
		"size":         {plain, png(func(in *bucketlite.UploadInput) { in.Size = 1001 }), map[string]string{"file_size_bytes": "size"}},
		"too short":    {plain, png(func(in *bucketlite.UploadInput) { in.ExpiresIn = 59 }), map[string]string{"presigned_url_expiration": "minimum"}},
		"too late":     {plain, png(func(in *bucketlite.UploadInput) { in.ExpiresIn = 86401 }), map[string]string{"presigned_url_expiration": "maximum"}},
		"hash, upper":  {plain, png(func(in *bucketlite.UploadInput) { in.FileHash = strings.ToUpper(storetest.HashOf("a")) }), map[string]string{"file_hash": "pattern"}},
		"hash, short":  {plain, png(func(in *bucketlite.UploadInput) { in.FileHash = storetest.HashOf("a")[2:] }), map[string]string{"file_hash": "pattern"}},
		"hash, digits": {plain, png(func(in *bucketlite.UploadInput) { in.FileHash = "g" + storetest.HashOf("a")[1:] }), map[string]string{"file_hash": "pattern"}},

		"metadata": {plain, png(func(in *bucketlite.UploadInput) { in.Metadata = map[string]any{"a": []any{"\xff"}} }), map[string]string{"metadata.a[0]": "utf8"}},
		"fields": {plain, png(func(in *bucketlite.UploadInput) {
			in.ObjectMetadata = map[string]any{"n": 11, "title": 5, "a b": "\x00"}
		}),
			map[string]string{`object_metadata["a b"]`: "nul"}},
		"fields, types": {plain, png(func(in *bucketlite.UploadInput) { in.ObjectMetadata = map[string]any{"n": 11, "title": 5} }),
			map[string]string{"object_metadata.n": "maximum", "object_metadata.title": "type"}},
		"fields, at root and in the blob": {plain, png(func(in *bucketlite.UploadInput) { in.ObjectMetadata = map[string]any{"photo": "x"} }),
			map[string]string{"object_metadata.photo": "property"}},
		"fields, too large": {plain, png(func(in *bucketlite.UploadInput) { in.ObjectMetadata = map[string]any{"v": strings.Repeat("v", 1995)} }),
			map[string]string{"object_metadata": "size"}},
		"fields, reserved": {plain, png(func(in *bucketlite.UploadInput) { in.ObjectMetadata = map[string]any{"status": "ACTIVE"} }),
			map[string]string{"object_metadata.status": "reserved"}},

		"no key":       {keyed, png(func(in *bucketlite.UploadInput) { in.ObjectMetadata = nil }), map[string]string{"object_metadata.k": "required"}},
		"empty key":    {keyed, png(func(in *bucketlite.UploadInput) { in.ObjectMetadata = map[string]any{"k": ""} }), map[string]string{"object_metadata.k": "key"}},
		"no key, may":  {upsert, png(func(in *bucketlite.UploadInput) { in.ObjectMetadata = nil }), map[string]string{"object_metadata.k": "required"}},
		"types, maybe": {upsert, png(func(in *bucketlite.UploadInput) { in.ObjectMetadata["n"] = "5" }), map[string]string{"object_metadata.n": "type"}},
		"blob, maybe":  {upsert, png(func(in *bucketlite.UploadInput) { in.ObjectMetadata["photo"] = "x" }), map[string]string{"object_metadata.photo": "property"}},

		"required": {required, png(func(in *bucketlite.UploadInput) { in.Policy = bucketlite.Insert }),
			map[string]string{"object_metadata.must": "required", "object_metadata.film": "required"}},
		"too few": {required, png(func(in *bucketlite.UploadInput) {
			in.Property, in.Policy, in.ObjectMetadata = "two", bucketlite.Insert, map[string]any{"k": "a", "must": "x", "photo": nil}
		}), map[string]string{"object_metadata.photo": "required", "object_metadata.film": "required", "object_metadata.two": "minItems"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u, err := tt.b.CreateUpload(context.Background(), tt.in)
			if u != nil {
				t.Errorf("got %+v, want nothing", u)
			}
			storetest.WantIssues(t, err, tt.want)
		})
	}
	for name, b := range map[string]*bucketlite.Bucket{"plain": plain, "keyed": keyed, "upsert": upsert, "required": required} {
		if got := uploads(t, b); got != "null" {
			t.Errorf("%s: got uploads %s", name, got)
		}
	}
	for name, in := range map[string]bucketlite.UploadInput{
		"no policy":      png(func(*bucketlite.UploadInput) {}),
		"unknown policy": png(func(in *bucketlite.UploadInput) { in.Policy = "replace" }),
	} {
		if u, err := undecided.CreateUpload(context.Background(), in); u != nil || !errors.Is(err, bucketlite.ErrBadRequest) {
			t.Errorf("%s: got %v, %v, want ErrBadRequest", name, u, err)
		}
	}
	// Fields that the object may have already are not required.
	for _, policy := range []bucketlite.Policy{bucketlite.Upsert, bucketlite.Update} {
		storetest.CreateUpload(t, required, png(func(in *bucketlite.UploadInput) { in.Policy = policy }))
		storetest.CreateUpload(t, required, png(func(in *bucketlite.UploadInput) { in.Policy, in.Property = policy, "two" }))
	}
}

func TestCreateUploadSkipsTakenKey(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	o := storetest.PutItem(t, b, storetest.Item("taken", "v"))
	in := storetest.DocUpload("taken")
	in.Policy = bucketlite.Insert
	u := storetest.CreateUpload(t, b, in)
	if u.Status != bucketlite.StatusSkipped || !u.SkippedUniqueKey || u.ExistingObjectID != o.ID || u.Message == "" || u.ObjectID != "" {
		t.Errorf("got %+v, want it skipped for %s", u, o.ID)
	}
	var conflict *bucketlite.ConflictError
	_, err := b.WriteUpload(ctx, u.ID, strings.NewReader("text"))
	if !errors.As(err, &conflict) || conflict.ExistingID != o.ID || !errors.Is(err, bucketlite.ErrExists) {
		t.Errorf("write: got %v, want ErrExists", err)
	}
	_, err = b.ConfirmUpload(ctx, u.ID, nil)
	storetest.WantError(t, err, bucketlite.ErrExists)
	storetest.WantError(t, b.CancelUpload(ctx, u.ID), bucketlite.ErrConflict)
	in.Policy = bucketlite.Upsert
	if u := storetest.CreateUpload(t, b, in); u.Status != bucketlite.StatusPending || u.SkippedUniqueKey || u.ExistingObjectID != "" {
		t.Errorf("upsert: got %+v, want it pending", u)
	}
	in = storetest.DocUpload("free")
	in.Policy = bucketlite.Insert
	if u := storetest.CreateUpload(t, b, in); u.Status != bucketlite.StatusPending {
		t.Errorf("free: got %+v, want it pending", u)
	}
	storetest.WantSound(t, path)
}

func TestCreateUploads(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st := storetest.OpenMemory(t)
	b := storetest.Items(t, st)
	shared := &bucketlite.CreateUploadsOptions{Metadata: map[string]any{"a": "shared", "b": "shared"}, ObjectMetadata: map[string]any{"v": "shared", "k": "shared"}}
	own, bare := storetest.DocUpload("own"), storetest.DocUpload("")
	own.Metadata, bare.ObjectMetadata = map[string]any{"b": "own"}, nil
	got, err := b.CreateUploads(ctx, []bucketlite.UploadInput{own, bare}, shared)
	if err != nil || len(got) != 2 {
		t.Fatalf("got %v, %v, want 2 uploads", got, err)
	}
	for i, want := range []struct{ metadata, object map[string]any }{
		{map[string]any{"a": "shared", "b": "own"}, map[string]any{"v": "shared", "k": "own"}},
		{map[string]any{"a": "shared", "b": "shared"}, map[string]any{"v": "shared", "k": "shared"}},
	} {
		if !cmp.Equal(got[i].Metadata, want.metadata) || !cmp.Equal(got[i].ObjectMetadata, want.object) {
			t.Errorf("upload %d: got %v and %v, want %+v", i, got[i].Metadata, got[i].ObjectMetadata, want)
		}
	}
	if len(own.Metadata) != 1 || len(shared.Metadata) != 2 {
		t.Errorf("the arguments changed: %v, %v", own.Metadata, shared.Metadata)
	}
	before := uploads(t, b)
	bad := storetest.DocUpload("k")
	bad.Filename, bad.Property, bad.ObjectMetadata = "a/b", "doc", map[string]any{"k": "k", "n": "x"}
	_, err = b.CreateUploads(ctx, []bucketlite.UploadInput{own, bad, own, {Filename: "doc.txt", ContentType: "text/plain"}}, nil)
	storetest.WantIssues(t, err, map[string]string{"uploads[1].filename": "name", "uploads[1].object_metadata.n": "type", "uploads[3].object_metadata.k": "required"})
	_, err = b.CreateUploads(ctx, slices.Repeat([]bucketlite.UploadInput{own}, bucketlite.MaxUploads+1), nil)
	storetest.WantError(t, err, bucketlite.ErrTooLarge)
	wantUploads(t, b, before)
	if got, err := b.CreateUploads(ctx, slices.Repeat([]bucketlite.UploadInput{own}, bucketlite.MaxUploads), nil); err != nil || len(got) != bucketlite.MaxUploads {
		t.Errorf("got %d uploads, %v, want %d", len(got), err, bucketlite.MaxUploads)
	}
	if got, err := b.CreateUploads(ctx, nil, nil); err != nil || len(got) != 0 {
		t.Errorf("none: got %v, %v", got, err)
	}
}
