package bucketlite_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/google/go-cmp/cmp"
)

const mediaSchema = `"text":{"type":"text"},"image":{"type":"image"},"audio":{"type":"audio"},"video":{"type":"video"},"pdf":{"type":"pdf"},"excel":{"type":"excel"},"document":{"type":"document"},"file":{"type":"file"},
	"s":{"type":"string","enum":["a","b"]},"n":{"type":"number"},"d":{"type":"datetime"},"o":{"type":"object","properties":{"a":{"type":"integer","default":1}}},
	"l":{"type":"array","items":{"type":"integer"}},"photos":{"type":"array","items":{"type":"image"}},"notes":{"type":"array","items":{"type":"text"}}`

func mediaBucket(t testing.TB, opts ...*bucketlite.Options) *bucketlite.Bucket {
	t.Helper()
	return storetest.Bucket(t, storetest.OpenMemory(t, opts...), bucketlite.BucketConfig{Schema: storetest.Schema(t, mediaSchema)})
}

// media returns a file of testdata/media.
func media(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "media", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func encode(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

// Every form of data, as Go values and as JSON.
func TestBlobForms(t *testing.T) {
	t.Parallel()
	gif := media(t, "anim.gif")
	stored := func(data []byte, mimeType, filename string) bucketlite.BlobDetails {
		sum := sha256.Sum256(data)
		return bucketlite.BlobDetails{Filename: filename, Size: int64(len(data)), MIMEType: mimeType, Hash: hex.EncodeToString(sum[:])}
	}
	inline := func(size int64, mimeType string) bucketlite.BlobDetails {
		return bucketlite.BlobDetails{Size: size, MIMEType: mimeType}
	}
	tests := []struct {
		name       string
		property   string
		data       string // JSON
		properties string
		details    bucketlite.BlobDetails
		content    string // "" for a reference
	}{
		{"http", "image", `"http://example.com/a.png"`, `{"url":"http://example.com/a.png"}`, bucketlite.BlobDetails{}, ""},
		{"https", "video", `"https://example.com/a?b=c&d#e"`, `{"url":"https://example.com/a?b=c&d#e"}`, bucketlite.BlobDetails{}, ""},
		{"s3", "pdf", `"s3://bucket/a b.pdf"`, `{"url":"s3://bucket/a b.pdf"}`, bucketlite.BlobDetails{}, ""},
		{"gs", "excel", `"gs://bucket/a"`, `{"url":"gs://bucket/a"}`, bucketlite.BlobDetails{}, ""},
		{"file", "audio", `"file:///etc/passwd"`, `{"url":"file:///etc/passwd"}`, bucketlite.BlobDetails{}, ""},
		{"a URL for text", "text", `"https://example.com/a.txt"`, `{"url":"https://example.com/a.txt"}`, bucketlite.BlobDetails{}, ""},
		{"text that begins like a URL", "text", `"https is a scheme"`, `{"data":"https is a scheme"}`, inline(17, "text/plain"), "https is a scheme"},
		{"text with a URL within", "text", `"see https://example.com"`, `{"data":"see https://example.com"}`, inline(23, "text/plain"), "see https://example.com"},
		{"another scheme is text", "text", `"ftp://example.com/a"`, `{"data":"ftp://example.com/a"}`, inline(19, "text/plain"), "ftp://example.com/a"},
		{"inline text", "text", `"<é>"`, `{"data":"<é>"}`, inline(4, "text/plain"), "<é>"},
		{"url object", "image", `{"url":"https://example.com/a.png","filename":"a.png","mime_type":"image/png"}`, `{"url":"https://example.com/a.png"}`,
			bucketlite.BlobDetails{Filename: "a.png", MIMEType: "image/png"}, ""},
		{"base64 object", "image", `{"base64":"` + encode(gif) + `"}`, `{}`, stored(gif, "image/gif", ""), string(gif)},
		{"base64 object, described", "video", `{"base64":"` + encode(gif) + `","mime_type":"image/gif","filename":"a.gif"}`, `{}`, stored(gif, "image/gif", "a.gif"), string(gif)},
		{"base64 object with nulls", "image", `{"base64":"` + encode(gif) + `","mime_type":null,"filename":null,"url":null}`, `{}`, stored(gif, "image/gif", ""), string(gif)},
		{"data URI", "image", `"data:image/gif;base64,` + encode(gif) + `"`, `{}`, stored(gif, "image/gif", ""), string(gif)},
		{"data URI without a type", "text", `"data:,a%20b"`, `{}`, stored([]byte("a b"), "text/plain", ""), "a b"},
		{"data URI with parameters", "text", `"data:text/html;charset=utf-8,%3Cp%3E"`, `{}`, stored([]byte("<p>"), "text/html; charset=utf-8", ""), "<p>"},
		{"data URI with parameters alone", "text", `"data:;charset=utf-8;base64,aGVsbG8="`, `{}`, stored([]byte("hello"), "text/plain", ""), "hello"},
		{"no text", "text", `""`, `{"data":""}`, inline(0, "text/plain"), ""},
		{"an item of an array", "photos", `"s3://a"`, `{"url":"s3://a"}`, bucketlite.BlobDetails{}, ""},
		{"text of an array", "notes", `"hello"`, `{"data":"hello"}`, inline(5, "text/plain"), "hello"},
		{"inline string", "s", `"a"`, `{"data":"a"}`, inline(1, "text/plain"), "a"},
		{"inline number", "n", `1.10`, `{"data":1.10}`, inline(4, "application/json"), "1.10"},
		{"inline datetime", "d", `"2024-05-06T07:08:09+02:00"`, `{"data":"2024-05-06T07:08:09+02:00"}`, inline(25, "text/plain"), "2024-05-06T07:08:09+02:00"},
		{"inline object", "o", `{"url":"x", "base64":null}`, `{"data":{"a":1,"base64":null,"url":"x"}}`, inline(31, "application/json"), `{"a":1,"base64":null,"url":"x"}`},
		{"inline array", "l", `[1, 2.0]`, `{"data":[1,2.0]}`, inline(7, "application/json"), "[1,2.0]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := mediaBucket(t)
			in := storetest.Input(t, `{"blobs":[{"property":"`+test.property+`","data":`+test.data+`,"metadata":{"author":"x","n":1.50},"key_prefix":"a/b","type":null,"upload_id":null}]}`)
			o := storetest.Put(t, b, in, "")
			blob := o.Blobs[0]
			if blob.Property != test.property || blob.KeyPrefix != "a/b" {
				t.Errorf("got %+v, want property %q and prefix a/b", blob, test.property)
			}
			if diff := cmp.Diff(test.details, blob.Details); diff != "" {
				t.Errorf("details (-want +got):\n%s", diff)
			}
			want := storetest.Input(t, test.properties).Fields
			want["author"], want["n"] = "x", storetest.Input(t, `{"n":1.50}`).Fields["n"]
			if diff := cmp.Diff(want, blob.Properties); diff != "" {
				t.Errorf("properties (-want +got):\n%s", diff)
			}
			if o.Size != test.details.Size {
				t.Errorf("got size %d, want %d", o.Size, test.details.Size)
			}
			if err := b.Validate(t.Context(), in); err != nil {
				t.Errorf("Validate: got %v, want no error", err)
			}
			r, err := b.OpenBlob(t.Context(), o.ID, test.property)
			if _, isReference := blob.Properties["url"]; isReference {
				if err == nil {
					t.Error("got a reader of a reference, want an error")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if data, err := io.ReadAll(r); err != nil || string(data) != test.content {
				t.Errorf("got content %.40q, %v, want %.40q", data, err, test.content)
			}
		})
	}
}

// Each file of the corpus, given by a reader for each of the file types.
func TestBlobMIME(t *testing.T) {
	t.Parallel()
	files := map[string]struct {
		mimeType string
		fits     []string
	}{
		"photo.jpg":  {"image/jpeg", []string{"image", "file"}},
		"photo.png":  {"image/png", []string{"image", "file"}},
		"photo.webp": {"image/webp", []string{"image", "file"}},
		"anim.gif":   {"image/gif", []string{"image", "video", "file"}},
		"clip.mp4":   {"video/mp4", []string{"audio", "video", "file"}},
		"clip.webm":  {"video/webm", []string{"audio", "video", "file"}},
		"tone.mp3":   {"audio/mpeg", []string{"audio", "file"}},
		"page.pdf":   {"application/pdf", []string{"pdf", "document", "file"}},
		"sheet.csv":  {"text/csv", []string{"excel", "text", "document", "file"}},
		"sheet.xlsx": {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", []string{"excel", "document", "file"}},
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := media(t, name)
			b := mediaBucket(t)
			for _, property := range []string{"text", "image", "audio", "video", "pdf", "excel", "document", "file"} {
				in := func(filename, mimeType string) bucketlite.ObjectInput {
					return bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: property, Reader: bytes.NewReader(data), Filename: filename, MIMEType: mimeType}}}
				}
				if !slices.Contains(file.fits, property) {
					before := storetest.Snapshot(t, b)
					_, err := b.Put(t.Context(), in(name, file.mimeType), nil)
					storetest.WantIssues(t, err, map[string]string{"blobs[0]": "mime"})
					if file.mimeType == "text/csv" && property != "pdf" {
						continue // text may be anything, as far as its bytes go
					}
					_, err = b.Put(t.Context(), in("", ""), nil)
					storetest.WantIssues(t, err, map[string]string{"blobs[0]": "mime"})
					wantRefused(t, b, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: property, Data: map[string]any{"base64": encode(data)}}}},
						map[string]string{"blobs[0].data": "mime"})
					storetest.WantSnapshot(t, b, before)
					continue
				}
				for _, in := range []bucketlite.ObjectInput{in("", ""), in(name, file.mimeType), in(name, strings.ToUpper(file.mimeType)+"; a=b")} {
					blob := storetest.Put(t, b, in, "").Blobs[0]
					want := file.mimeType
					if in.Blobs[0].MIMEType == "" && property == "audio" {
						want = strings.Replace(want, "video/", "audio/", 1) // the field tells
					}
					if blob.Details.MIMEType != want || blob.Details.Size != int64(len(data)) || blob.Details.Filename != in.Blobs[0].Filename {
						t.Errorf("%s: got %+v, want %s of %d bytes", property, blob.Details, file.mimeType, len(data))
					}
				}
			}
		})
	}
	tests := []struct {
		name     string
		property string
		data     string
		filename string
		declared string
		want     string // MIME type, or "" if it is refused
	}{
		{"another image than declared", "image", string(media(t, "photo.png")), "", "image/jpeg", "image/png"},
		{"an image declared a video", "video", string(media(t, "photo.png")), "", "video/mp4", ""},
		{"text declared a PDF", "pdf", "hello", "a.pdf", "application/pdf", ""},
		{"a fitting file declared otherwise", "image", string(media(t, "photo.png")), "", "application/pdf", ""},
		{"declared as nothing known", "image", string(media(t, "photo.png")), "", "picture", ""},
		{"a spreadsheet declared CSV", "excel", string(media(t, "sheet.xlsx")), "", "text/csv", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"CSV of one column", "excel", "a\nb\n", "", "", "text/csv"},
		{"CSV of one column, by name", "excel", "a\nb\n", "a.CSV", "", "text/csv"},
		{"CSV of one column, by type", "excel", "a\nb\n", "", "text/csv", "text/csv"},
		{"text declared Markdown", "text", "# a", "", "text/markdown", "text/markdown"},
		{"JSON for text", "text", `{"a":1}`, "", "application/json", "application/json"},
		{"unknown bytes", "image", "\x00\x01\x02\x03", "a.png", "", ""},
		{"unknown bytes declared a PNG", "image", "\x00\x01\x02\x03", "", "image/png", ""},
		{"unknown bytes declared a JPEG", "image", "\x00\x01\x02\x03", "", "image/jpeg", ""},
		{"unknown bytes declared a GIF film", "video", "\x00\x01\x02\x03", "", "image/gif", ""},
		{"unknown bytes declared a PDF", "pdf", "\x00\x01\x02\x03", "", "application/pdf", ""},
		{"a PDF after other bytes", "pdf", "\x00\x01\x02\x03%PDF-1.4\n", "", "application/pdf", "application/pdf"},
		{"unknown bytes declared a film", "video", "\x00\x01\x02\x03", "", "video/mp4", "video/mp4"},
		{"unknown bytes without a name", "image", "\x00\x01\x02\x03", "", "", "application/octet-stream"},
		{"unknown bytes for text", "text", "\x00\x01\x02\x03", "", "", ""},
		{"unknown bytes for anything", "file", "\x00\x01\x02\x03", "", "image/png", "application/octet-stream"},
		{"page declared a film", "video", "<html></html>", "a.mp4", "video/mp4", ""},
		{"text declared a film", "video", "no film", "a.mp4", "video/mp4", "video/mp4"},
		{"text in Latin-1", "text", "caf\xe9", "", "text/plain", ""},
		{"text in Latin-1, declared", "text", "caf\xe9", "", "text/plain; charset=latin1", "text/plain; charset=latin1"},
		{"text in UTF-16", "text", "\xff\xfea\x00", "", "", "text/plain; charset=utf-16"},
		{"archive declared, for text", "text", "PK\x03\x04", "a.zip", "application/zip", ""},
		{"no bytes", "image", "", "a.png", "image/png", ""},
		{"no bytes of text", "text", "", "", "text/plain", "text/plain"},
		{"no bytes of CSV", "excel", "", "a.csv", "", "text/csv"},
		{"no bytes of anything", "file", "", "", "", "application/octet-stream"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := mediaBucket(t)
			in := bucketlite.BlobInput{Property: test.property, Reader: strings.NewReader(test.data), Filename: test.filename, MIMEType: test.declared}
			res, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{in}}, nil)
			if test.want == "" {
				storetest.WantIssues(t, err, map[string]string{"blobs[0]": "mime"})
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := res.Object.Blobs[0].Details.MIMEType; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// Faults of one blob; paths are below blobs[0].
func TestBlobRefused(t *testing.T) {
	t.Parallel()
	png := encode(media(t, "photo.png"))
	long := strings.Repeat("x", 300)
	tests := []struct {
		name string
		blob string
		want map[string]string
	}{
		{"no property", `{"data":"x"}`, map[string]string{".property": "property"}},
		{"unknown property", `{"property":"x","data":"x"}`, map[string]string{".property": "property"}},
		{"property in other case", `{"property":"Image","data":"s3://a"}`, map[string]string{".property": "property"}},
		{"another type", `{"property":"image","type":"video","data":"s3://a"}`, map[string]string{".type": "type"}},
		{"unknown type", `{"property":"image","type":"picture","data":"s3://a"}`, map[string]string{".type": "type"}},
		{"array for an array of images", `{"property":"photos","type":"array","data":"s3://a"}`, map[string]string{".type": "type"}},
		{"the item's type for an array of numbers", `{"property":"l","type":"integer","data":[1]}`, map[string]string{".type": "type"}},
		{"no data", `{"property":"image"}`, map[string]string{".data": "required"}},
		{"null data", `{"property":"s","data":null}`, map[string]string{".data": "required"}},
		{"data and an upload", `{"property":"image","data":"s3://a","upload_id":"upl_1"}`, map[string]string{".data": "data"}},
		{"text for an image", `{"property":"image","data":"a picture"}`, map[string]string{".data": "data"}},
		{"another scheme", `{"property":"image","data":"ftp://example.com/a.png"}`, map[string]string{".data": "data"}},
		{"a scheme in capitals", `{"property":"image","data":"HTTPS://example.com/a.png"}`, map[string]string{".data": "data"}},
		{"a number for an image", `{"property":"image","data":5}`, map[string]string{".data": "data"}},
		{"a list for an image", `{"property":"image","data":["s3://a"]}`, map[string]string{".data": "data"}},
		{"a list for an array of images", `{"property":"photos","data":["s3://a"]}`, map[string]string{".data": "data"}},
		{"a number for text", `{"property":"text","data":5}`, map[string]string{".data": "data"}},
		{"bare base64", `{"property":"image","data":"` + png[:40] + `"}`, map[string]string{".data": "data"}},
		{"broken base64", `{"property":"image","data":{"base64":"a*b="}}`, map[string]string{".data.base64": "data"}},
		{"base64 cut short", `{"property":"image","data":{"base64":"` + png[:41] + `"}}`, map[string]string{".data.base64": "data"}},
		{"base64 for URLs", `{"property":"image","data":{"base64":"_-8="}}`, map[string]string{".data.base64": "data"}},
		{"empty base64", `{"property":"image","data":{"base64":""}}`, map[string]string{".data": "mime"}},
		{"base64 is a number", `{"property":"image","data":{"base64":5}}`, map[string]string{".data": "data", ".data.base64": "type"}},
		{"an empty object", `{"property":"image","data":{}}`, map[string]string{".data": "data"}},
		{"base64 and a URL", `{"property":"image","data":{"base64":"` + png + `","url":"s3://a"}}`, map[string]string{".data": "data"}},
		{"a URL of another scheme", `{"property":"image","data":{"url":"ftp://a"}}`, map[string]string{".data.url": "data"}},
		{"a URL that is none", `{"property":"image","data":{"url":""}}`, map[string]string{".data.url": "data"}},
		{"other members", `{"property":"image","data":{"url":"s3://a","size":5,"name":"x"}}`, map[string]string{".data.size": "data", ".data.name": "data"}},
		{"data URI without a comma", `{"property":"image","data":"data:image/png;base64"}`, map[string]string{".data": "data"}},
		{"data URI with broken base64", `{"property":"image","data":"data:image/png;base64,*"}`, map[string]string{".data": "data"}},
		{"data URI with a broken escape", `{"property":"text","data":"data:text/plain,%zz"}`, map[string]string{".data": "data"}},
		{"data URI of another type", `{"property":"image","data":"data:text/plain,hello"}`, map[string]string{".data": "mime"}},
		{"data URI whose bytes are another type", `{"property":"image","data":"data:image/png;base64,aGVsbG8="}`, map[string]string{".data": "mime"}},
		{"MIME type that does not fit", `{"property":"image","data":{"base64":"` + png + `","mime_type":"video/mp4"}}`, map[string]string{".data": "mime"}},
		{"MIME type of a URL that does not fit", `{"property":"image","data":{"url":"s3://a","mime_type":"video/mp4"}}`, map[string]string{".data.mime_type": "mime"}},
		{"filename with a path", `{"property":"image","data":{"base64":"` + png + `","filename":"../a.png"}}`, map[string]string{".data.filename": "name"}},
		{"filename with a Windows path", `{"property":"image","data":{"base64":"` + png + `","filename":"C:\\a.png"}}`, map[string]string{".data.filename": "name"}},
		{"filename of 300 characters", `{"property":"image","data":{"url":"s3://a","filename":"` + long + `"}}`, map[string]string{".data.filename": "name"}},
		{"inline value of another type", `{"property":"n","data":"5"}`, map[string]string{".data": "type"}},
		{"inline value outside the enum", `{"property":"s","data":"c"}`, map[string]string{".data": "enum"}},
		{"a member of an inline value", `{"property":"o","data":{"a":"1"}}`, map[string]string{".data.a": "type"}},
		{"an item of an inline value", `{"property":"l","data":[1,null,"2"]}`, map[string]string{".data[1]": "type", ".data[2]": "type"}},
		{"metadata that is the blob's own", `{"property":"image","data":"s3://a","metadata":{"data":1,"url":2}}`, map[string]string{".metadata.data": "reserved", ".metadata.url": "reserved"}},
		{"several faults", `{"property":"image","type":"text","data":{"url":"x"},"metadata":{"url":2}}`,
			map[string]string{".type": "type", ".data.url": "data", ".metadata.url": "reserved"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			b := mediaBucket(t)
			want := make(map[string]string)
			for path, rule := range test.want {
				want["blobs[0]"+path] = rule
			}
			wantRefused(t, b, storetest.Input(t, `{"blobs":[`+test.blob+`]}`), want)
		})
	}
	for name, text := range map[string]string{"path": "a/b.png", "backslash": `a\b`, "parent": "..", "NUL": "a\x00b", "newline": "a\nb", "UTF-8": "a\xff", "300 characters": long} {
		t.Run("filename of a reader: "+name, func(t *testing.T) {
			t.Parallel()
			b := mediaBucket(t)
			_, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "text", Reader: strings.NewReader("x"), Filename: text}}}, nil)
			storetest.WantIssues(t, err, map[string]string{"blobs[0].filename": "name"})
		})
	}
	t.Run("sources exclude each other", func(t *testing.T) {
		t.Parallel()
		b := mediaBucket(t)
		before := storetest.Snapshot(t, b)
		r := strings.NewReader("x")
		for _, blob := range []bucketlite.BlobInput{{Data: "x", Reader: r}, {Reader: r, UploadID: "upl_1"}, {Data: "x", UploadID: "upl_1"}} {
			blob.Property = "text"
			_, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{blob}}, nil)
			storetest.WantIssues(t, err, map[string]string{"blobs[0].data": "data"})
		}
		_, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "s", Reader: r}}}, nil)
		storetest.WantIssues(t, err, map[string]string{"blobs[0].data": "data"})
		_, err = b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "text", UploadID: "upl_1"}}}, nil)
		storetest.WantError(t, err, bucketlite.ErrNotFound)
		storetest.WantError(t, b.Validate(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "text", Reader: r}}}), bucketlite.ErrBadRequest)
		if r.Len() != 1 {
			t.Error("a reader was read for nothing")
		}
		storetest.WantSnapshot(t, b, before)
	})
}

// The type of a blob is a hint, in any case; that of an array is its items'.
func TestBlobTypes(t *testing.T) {
	t.Parallel()
	b := mediaBucket(t)
	for text, want := range map[string]bucketlite.FieldType{
		`{"property":"image","type":"IMAGE","data":"s3://a"}`:  bucketlite.Image,
		`{"property":"image","type":"Image","data":"s3://a"}`:  bucketlite.Image,
		`{"property":"image","type":"","data":"s3://a"}`:       bucketlite.Image,
		`{"property":"photos","type":"IMAGE","data":"s3://a"}`: bucketlite.Image,
		`{"property":"notes","type":"TEXT","data":"hello"}`:    bucketlite.Text,
		`{"property":"l","type":"ARRAY","data":[1]}`:           bucketlite.Array,
		`{"property":"o","type":"OBJECT","data":{}}`:           bucketlite.ObjectField,
	} {
		if got := storetest.Put(t, b, storetest.Input(t, `{"blobs":[`+text+`]}`), "").Blobs[0].Type; got != want {
			t.Errorf("%s: got type %s, want %s", text, got, want)
		}
	}
}

// A property has one blob, or several if it is an array of files; a value stands
// at the root or in a blob.
func TestBlobsOfOneProperty(t *testing.T) {
	t.Parallel()
	b := mediaBucket(t)
	blob := func(property string, data any) bucketlite.BlobInput {
		return bucketlite.BlobInput{Property: property, Data: data}
	}
	o := storetest.Put(t, b, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{
		blob("photos", "s3://2"), blob("image", "s3://a"), blob("photos", "s3://1"), blob("photos", "s3://1"), blob("notes", "b"), blob("notes", "a"),
	}}, "")
	if got, want := blobsOf(o), "photos=s3://2 image=s3://a photos=s3://1 photos=s3://1 notes=b notes=a"; got != want {
		t.Errorf("got %s, want them in the order given: %s", got, want)
	}
	storetest.Put(t, b, bucketlite.ObjectInput{Fields: map[string]any{"text": "root", "notes": []string{"a", "b"}}}, "")
	tests := []struct {
		name string
		in   bucketlite.ObjectInput
		want map[string]string
	}{
		{"a file twice", bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{blob("image", "s3://a"), blob("image", "s3://a")}}, map[string]string{"blobs[1].property": "property"}},
		{"a value twice", bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{blob("l", []int{1}), blob("s", "a"), blob("l", []int{2})}}, map[string]string{"blobs[2].property": "property"}},
		{"at the root and inline", bucketlite.ObjectInput{Fields: map[string]any{"s": "a"}, Blobs: []bucketlite.BlobInput{blob("s", "a")}}, map[string]string{"s": "property"}},
		{"text at the root and as a file", bucketlite.ObjectInput{Fields: map[string]any{"text": "a"}, Blobs: []bucketlite.BlobInput{blob("text", "s3://a")}}, map[string]string{"text": "property"}},
		{"an array of texts at the root and as files", bucketlite.ObjectInput{Fields: map[string]any{"notes": []string{}}, Blobs: []bucketlite.BlobInput{blob("notes", "a")}}, map[string]string{"notes": "property"}},
		{"images at the root", bucketlite.ObjectInput{Fields: map[string]any{"photos": []string{"s3://a"}}}, map[string]string{"photos[0]": "type"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { wantRefused(t, b, test.in, test.want) })
	}
	o = storetest.Put(t, b, bucketlite.ObjectInput{Fields: map[string]any{"s": nil}, Blobs: []bucketlite.BlobInput{blob("s", "a")}}, "")
	storetest.WantFields(t, o, `{}`)
}

// A blob has at most MaxBlobBytes, however it comes, and a reader is not read on.
func TestBlobSize(t *testing.T) {
	t.Parallel()
	const most = 1000
	b := mediaBucket(t, &bucketlite.Options{MaxBlobBytes: most})
	before := storetest.Snapshot(t, b)
	for _, n := range []int{most + 1, 100 * most} {
		data := bytes.Repeat([]byte("x"), n)
		read := 0
		endless := storetest.ReadFunc(func(p []byte) (int, error) {
			read += len(p)
			return copy(p, bytes.Repeat([]byte("x"), len(p))), nil
		})
		for path, blob := range map[string]bucketlite.BlobInput{
			"blobs[0]":      {Reader: endless},
			"blobs[0].data": {Data: map[string]any{"base64": encode(data)}},
		} {
			blob.Property = "text"
			_, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{blob}}, nil)
			storetest.WantIssues(t, err, map[string]string{path: "size"})
		}
		_, err := b.Put(t.Context(), bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "text", Data: "data:," + string(data)}}}, nil)
		storetest.WantIssues(t, err, map[string]string{"blobs[0].data": "size"})
		if read > 100*most {
			t.Errorf("%d bytes were read, want little more than %d", read, most)
		}
	}
	storetest.WantSnapshot(t, b, before)
	o := storetest.Put(t, b, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{{Property: "text", Reader: strings.NewReader(strings.Repeat("x", most))}}}, "")
	if o.Size != most {
		t.Errorf("got size %d, want %d", o.Size, most)
	}
}

// The strings and values beside a blob's data are checked as strictly as fields.
func TestBlobGoValues(t *testing.T) {
	t.Parallel()
	b := mediaBucket(t)
	for i, test := range []struct {
		blob bucketlite.BlobInput
		path string
		rule string
	}{
		{bucketlite.BlobInput{Data: "a\xff"}, "data", "utf8"},
		{bucketlite.BlobInput{Data: "a\x00"}, "data", "nul"},
		{bucketlite.BlobInput{Data: []byte("a")}, "data", "type"},
		{bucketlite.BlobInput{Data: "a", KeyPrefix: "\xed\xa0\x80"}, "key_prefix", "utf8"},
		{bucketlite.BlobInput{Data: "a", Metadata: map[string]any{"x": []any{"\x00"}}}, "metadata.x[0]", "nul"},
		{bucketlite.BlobInput{Data: "a", Metadata: map[string]any{"x": func() {}}}, "metadata.x", "type"},
		{bucketlite.BlobInput{Data: "a", Metadata: map[string]any{"\xff": 1}}, `metadata["\xff"]`, "utf8"},
	} {
		t.Run(fmt.Sprint(i, " ", test.rule), func(t *testing.T) {
			test.blob.Property = "text"
			wantRefused(t, b, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{test.blob}}, map[string]string{"blobs[0]." + test.path: test.rule})
		})
	}
	if _, err := b.OpenBlob(t.Context(), "nothing", "text"); !errors.Is(err, bucketlite.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

// The assertions of a field hold for its blobs, however their data comes.
func TestBlobAssertions(t *testing.T) {
	t.Parallel()
	b := storetest.Bucket(t, storetest.Open(t), bucketlite.BucketConfig{Name: "asserted", Schema: storetest.Schema(t, `
		"photos": {"type": "array", "items": {"type": "image"}, "minItems": 2, "maxItems": 3},
		"text": {"type": "text", "enum": ["hello", "world"]},
		"long": {"type": "text", "minLength": 300000}`)})
	photos := func(n int) (blobs []bucketlite.BlobInput) {
		for i := range n {
			blobs = append(blobs, bucketlite.BlobInput{Property: "photos", Data: fmt.Sprintf("https://example.com/%d.png", i)})
		}
		return blobs
	}
	text := func(property string, data any) []bucketlite.BlobInput {
		if s, ok := data.(io.Reader); ok {
			return []bucketlite.BlobInput{{Property: property, Reader: s}}
		}
		return []bucketlite.BlobInput{{Property: property, Data: data}}
	}
	for name, tt := range map[string]struct {
		blobs []bucketlite.BlobInput
		want  map[string]string // nil: accepted
	}{
		"too few photos":  {photos(1), map[string]string{"photos": "minItems"}},
		"enough photos":   {photos(2), nil},
		"too many photos": {photos(4), map[string]string{"photos": "maxItems"}},
		"inline text":     {text("text", "hello"), nil},
		"other inline":    {text("text", "bye"), map[string]string{"blobs[0].data": "enum"}},
		"text as URI":     {text("text", "data:,world"), nil},
		"other as URI":    {text("text", "data:,bye"), map[string]string{"blobs[0].data": "enum"}},
		"text read":       {text("text", strings.NewReader("hello")), nil},
		"other read":      {text("text", strings.NewReader("bye")), map[string]string{"blobs[0]": "enum"}},
		"long text read":  {text("long", strings.NewReader(strings.Repeat("a", 300000))), nil},
		"short text read": {text("long", strings.NewReader(strings.Repeat("a", 299999))), map[string]string{"blobs[0]": "minLength"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := b.Put(context.Background(), bucketlite.ObjectInput{Blobs: tt.blobs}, nil)
			if tt.want != nil {
				storetest.WantIssues(t, err, tt.want)
			} else if err != nil {
				t.Errorf("got error %v, want none", err)
			}
		})
	}
}

// A limit that means no limit is one that can be counted to.
func TestBlobSizeUnlimited(t *testing.T) {
	t.Parallel()
	b := storetest.Films(t, storetest.OpenMemory(t, &bucketlite.Options{MaxBlobBytes: math.MaxInt64}))
	data := storetest.Film(1, 2*storetest.MiB)
	wantFilm(t, b, storetest.Put(t, b, storetest.FilmInput("a", bytes.NewReader(data)), "").ID, data)
}
