package bucketlite_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// Text is held to being text to its end, however long it is and by whatever way it
// comes. Its charset is that of the whole.
func TestTextToItsEnd(t *testing.T) {
	t.Parallel()
	const mib = storetest.MiB
	b := mediaBucket(t)
	long := strings.Repeat("Grüße, 日本語.\n", mib/10)
	latin := strings.Repeat("Gr\xfc\xdfe.\n", mib/4)
	for name, test := range map[string]struct {
		declared, data string
		want           string // "" if it is refused
	}{
		"UTF-8":                       {"text/plain", long, "text/plain"},
		"NUL at the end":              {"text/plain", long + "\x00", ""},
		"cut short":                   {"text/plain", long + "\xe6\x97", ""},
		"Latin-1 at the end":          {"text/plain; charset=utf-8", long + "\xfc", ""},
		"Latin-1":                     {"text/plain", latin, ""},
		"Latin-1, declared":           {"text/plain; charset=ISO-8859-1", latin, "text/plain; charset=ISO-8859-1"},
		"Latin-1, declared but UTF-8": {"text/csv; charset=us-ascii", strings.Repeat("a,b\n", mib/4), "text/csv; charset=us-ascii"},
		"UTF-16":                      {"", "\xff\xfe" + strings.Repeat("a\x00", mib/2), "text/plain; charset=utf-16"},
		"PNG":                         {"text/plain", string(media(t, "photo.png")) + long, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upload := bucketlite.UploadInput{Filename: "a", ContentType: test.declared, Property: "text", CreateObject: new(false)}
			if test.declared == "" {
				upload.ContentType = "application/octet-stream"
			}
			blob := bucketlite.BlobInput{Property: "text", Reader: strings.NewReader(test.data), MIMEType: test.declared, Filename: "a"}
			u := storetest.CreateUpload(t, b, upload)
			_, errUpload := b.WriteUpload(t.Context(), u.ID, strings.NewReader(test.data))
			res, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{blob}}, nil)
			if test.want == "" {
				storetest.WantIssues(t, err, map[string]string{"blobs[0]": "mime"})
				storetest.WantIssues(t, errUpload, map[string]string{"content": "mime"})
				return
			}
			if err != nil || errUpload != nil {
				t.Fatal(err, errUpload)
			}
			if got := res.Object.Blobs[0].Details.MIMEType; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// Text that is too long is refused for that, though it is cut off within a character.
func TestTextTooLong(t *testing.T) {
	t.Parallel()
	b := mediaBucket(t, &bucketlite.Options{MaxBlobBytes: storetest.MiB})
	data := "a" + strings.Repeat("日", storetest.MiB)
	_, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "text", Reader: strings.NewReader(data)}}}, nil)
	storetest.WantIssues(t, err, map[string]string{"blobs[0]": "size"})
}

// Announcing an upload, writing it, and using it in another field never disagree with
// a blob of the same bytes.
func TestUploadAgrees(t *testing.T) {
	t.Parallel()
	b := mediaBucket(t)
	heads := map[string][]byte{"noise": {0, 1, 0xfa, 0}, "text": []byte("a,b\n1,2\n"), "page": []byte("<!DOCTYPE html><p>"), "empty": {}}
	for _, name := range []string{"photo.png", "anim.gif", "clip.mp4", "clip.webm", "tone.mp3", "page.pdf", "sheet.csv", "sheet.xlsx"} {
		heads[name] = media(t, name)
	}
	declared := []string{"application/octet-stream", "binary/octet-stream", "application/x-pdf", "application/pdf", "image/png", "video/mp4", "audio/x-m4a",
		"text/plain", "text/csv; charset=utf-8", "application/vnd.ms-excel", "application/zip"}
	for name, data := range heads {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, property := range []string{"text", "image", "audio", "video", "pdf", "excel", "document", "file"} {
				for _, mimeType := range declared {
					blob := bucketlite.BlobInput{Property: property, Reader: bytes.NewReader(data), MIMEType: mimeType, Filename: "a.bin"}
					res, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{blob}}, nil)
					in := bucketlite.UploadInput{Filename: "a.bin", ContentType: mimeType, Property: property, CreateObject: new(false)}
					u, errCreate := b.CreateUpload(t.Context(), in)
					errWrite := errCreate
					if errCreate == nil {
						_, errWrite = b.WriteUpload(t.Context(), u.ID, bytes.NewReader(data))
					}
					if (err == nil) != (errWrite == nil) {
						t.Errorf("%s as %s: a blob: %v, an upload: %v", property, mimeType, err, errWrite)
					}
					if errCreate != nil && err == nil {
						t.Errorf("%s as %s: announced: %v, but the bytes fit", property, mimeType, errCreate)
					}
					if errWrite != nil {
						continue
					}
					if _, err := b.ConfirmUpload(t.Context(), u.ID, nil); err != nil {
						t.Fatal(err)
					}
					used, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: property, UploadID: u.ID}}}, nil)
					if err != nil {
						t.Fatalf("%s as %s: a blob of the upload: %v", property, mimeType, err)
					}
					if got, want := used.Object.Blobs[0].Details, res.Object.Blobs[0].Details; got != want {
						t.Errorf("%s as %s: got %+v by the upload, want %+v", property, mimeType, got, want)
					}
					again, err := b.CreateUpload(t.Context(), bucketlite.UploadInput{Filename: "b.bin", ContentType: mimeType, Property: property, FileHash: storetest.HashOf(string(data)), CreateObject: new(false)})
					if err != nil || !again.IsDuplicate {
						t.Errorf("%s as %s: announced again: got %+v, %v, want a duplicate", property, mimeType, again, err)
					}
				}
			}
		})
	}
}

// An upload for one type of field is checked anew for another.
func TestUploadForAnotherField(t *testing.T) {
	t.Parallel()
	b := mediaBucket(t)
	upload := func(data, mimeType string) string {
		u := storetest.CreateUpload(t, b, bucketlite.UploadInput{Filename: "a", ContentType: mimeType, Property: "file", CreateObject: new(false)})
		if _, err := b.WriteUpload(t.Context(), u.ID, strings.NewReader(data)); err != nil {
			t.Fatal(err)
		}
		if _, err := b.ConfirmUpload(t.Context(), u.ID, nil); err != nil {
			t.Fatal(err)
		}
		return u.ID
	}
	long := strings.Repeat("日本語\n", storetest.MiB/10)
	for _, test := range []struct{ property, data, declared, want string }{
		{"text", long, "application/octet-stream", "text/plain"},
		{"text", long + "\x00", "application/octet-stream", ""},
		{"document", long + "\x01", "text/markdown", "text/markdown"},
		{"image", long, "text/markdown", ""},
		{"audio", string(media(t, "clip.mp4")), "application/octet-stream", "audio/mp4"},
		{"pdf", string(media(t, "clip.mp4")), "application/octet-stream", ""},
	} {
		res, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: test.property, UploadID: upload(test.data, test.declared)}}}, nil)
		if test.want == "" {
			storetest.WantIssues(t, err, map[string]string{"blobs[0].upload_id": "mime"})
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Object.Blobs[0].Details.MIMEType; got != test.want {
			t.Errorf("%s: got %q, want %q", test.property, got, test.want)
		}
	}
}

// Where it is asked for, a text field takes documents that are declared.
func TestAllowDocument(t *testing.T) {
	t.Parallel()
	b := mediaBucket(t)
	zip := media(t, "sheet.xlsx") // which is an archive
	put := func(declared string, data []byte, allow bool) (string, error) {
		blob := bucketlite.BlobInput{Property: "text", Data: map[string]any{"base64": encode(data), "mime_type": declared}, AllowDocument: allow}
		res, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{blob}}, nil)
		if err != nil {
			return "", err
		}
		return res.Object.Blobs[0].Details.MIMEType, nil
	}
	for _, test := range []struct {
		declared string
		data     []byte
		allow    bool
		want     string // "" if it is refused
	}{
		{"application/zip", zip, false, ""},
		{"application/zip", zip, true, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"application/pdf", media(t, "page.pdf"), true, "application/pdf"},
		{"application/zip", []byte("text"), true, "text/plain"},
		{"application/zip", []byte("\x00"), true, ""},
		{"application/octet-stream", zip, true, ""},
		{"image/png", media(t, "photo.png"), true, ""},
	} {
		got, err := put(test.declared, test.data, test.allow)
		if test.want == "" {
			storetest.WantIssues(t, err, map[string]string{"blobs[0].data": "mime"})
		} else if err != nil || got != test.want {
			t.Errorf("%s: got %q, %v, want %q", test.declared, got, err, test.want)
		}
	}
}

// Content without bytes has a size of 0, and a reference has none.
func TestEmptyBlobs(t *testing.T) {
	t.Parallel()
	b := mediaBucket(t)
	o := storetest.Put(t, b, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{
		{Property: "file", Reader: strings.NewReader(""), Filename: "__init__.py"}, {Property: "text", Data: ""},
		{Property: "excel", Reader: strings.NewReader(""), Filename: "a.csv"}, {Property: "image", Data: "s3://a/b.png"},
	}}, "")
	page, err := b.ListRaw(t.Context(), bucketlite.Query{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := page.Results[0].MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	whole, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{raw, whole} {
		if n := strings.Count(string(text), `"size_bytes":0`); n != 3 {
			t.Errorf("got %s, want 3 sizes of 0", text)
		}
	}
	r, err := b.OpenBlob(t.Context(), o.ID, "file")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if data, err := io.ReadAll(r); err != nil || len(data) > 0 || r.MIMEType() != "text/x-python" {
		t.Errorf("got %q, %v of type %s, want nothing", data, err, r.MIMEType())
	}
	in := storetest.Input(t, string(whole))
	if _, err := b.Patch(t.Context(), o.ID, in, nil); err != nil {
		t.Errorf("sent back as it is: got %v", err)
	}
}
