package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"net/http"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/bucketlite/bucketlite/httpapi"
)

func zipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// inUTF16 returns a text in UTF-16, with its mark.
func inUTF16(t testing.TB, order binary.ByteOrder, text string) []byte {
	t.Helper()
	data := make([]byte, 2)
	order.PutUint16(data, 0xfeff)
	for _, unit := range utf16.Encode([]rune(text)) {
		data = append(data, 0, 0)
		order.PutUint16(data[len(data)-2:], unit)
	}
	return data
}

// A body of JSON is taken compressed with gzip, within the limits, and in no other coding.
func TestBodyGzip(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{MaxBodyBytes: 4 << 20}).deviating()
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	const path, text = "/v1/buckets/films/objects", `{"film_id": "f1", "title": "Brazil"}`
	whole, bomb, long := zipped(t, text), zipped(t, strings.Repeat(" ", 64<<20)), zipped(t, strings.Repeat(string(noise(100_000)), 42))
	for _, test := range []struct {
		name, coding string
		body         []byte
		status       int
		kind         string
	}{
		{"gzip", "gzip", whole, 200, ""},
		{"its old name", "X-Gzip", whole, 200, ""},
		{"identity and gzip", "identity, gzip", whole, 200, ""},
		{"in two parts", "gzip", append(zipped(t, text[:9]), zipped(t, text[9:])...), 200, ""},
		{"with a mark within", "gzip", zipped(t, "\ufeff"+text), 200, ""},
		{"UTF-16 within", "gzip", zipped(t, string(inUTF16(t, binary.LittleEndian, text))), 200, ""},
		{"2 MiB of the same", "gzip", zipped(t, `{"film_id": "f1", "title": "`+strings.Repeat("the same again and again ", 100_000)+`"}`), 413, "PayloadTooLargeError"},
		{"below 1 MiB of the same", "gzip", zipped(t, text+strings.Repeat(" ", 1_000_000)), 200, ""},
		{"longer than the limit", "gzip", long, 413, "PayloadTooLargeError"},
		{"a bomb", "gzip", bomb, 413, "PayloadTooLargeError"},
		{"too many values", "gzip", zipped(t, `{"film_id": "f1", "title": [`+strings.Repeat("0,", 30_000)+`0]}`), 413, "PayloadTooLargeError"},
		{"no gzip", "gzip", []byte(text), 400, "BadRequestError"},
		{"half of it", "gzip", whole[:len(whole)/2], 400, "BadRequestError"},
		{"damaged", "gzip", append(whole[:len(whole)-6:len(whole)-6], 0, 0, 0, 0, 0, 0), 400, "BadRequestError"},
		{"more after it", "gzip", append(whole[:len(whole):len(whole)], "more"...), 400, "BadRequestError"},
		{"nothing", "gzip", nil, 422, "ValidationError"},
		{"brotli", "br", whole, 415, "UnsupportedMediaTypeError"},
		{"deflate", "deflate", whole, 415, "UnsupportedMediaTypeError"},
		{"zstd", "zstd", whole, 415, "UnsupportedMediaTypeError"},
		{"twice", "gzip, gzip", zipped(t, string(whole)), 415, "UnsupportedMediaTypeError"},
		{"aws-chunked", "aws-chunked", []byte(text), 415, "UnsupportedMediaTypeError"},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := s.as("Content-Encoding", test.coding).do("POST", path, test.body)
			if test.status == http.StatusOK {
				a.want(http.StatusOK).wantAt("title", "Brazil")
				return
			}
			a.wantError(test.status, test.kind)
			if got := a.header.Get("Accept-Encoding"); (got == "gzip") != (test.status == http.StatusUnsupportedMediaType) {
				t.Errorf("got Accept-Encoding %q", got)
			}
		})
	}
	s.do("POST", path, whole).wantError(http.StatusUnprocessableEntity, "ValidationError").
		wantAt("error.details.validation_errors.0.message", "text expected, got gzip; a compressed body needs the header Content-Encoding: gzip")
	s.as("Content-Encoding", "gzip").do("POST", path, bomb).wantAt("error.details.max_ratio", "100")
	s.as("Content-Encoding", "gzip").do("POST", path, long).wantAt("error.details.max_bytes", "4194304")
	s.as("Content-Encoding", "gzip").do("POST", path+"/list", zipped(t, `{"filters": {"film_id": "f1"}}`)).want(http.StatusOK).wantAt("total_count", "<nil>").wantAt("results.0.title", "Brazil")
	s.as("Content-Encoding", "gzip").do("PATCH", "/v1/buckets/films", zipped(t, `{"description": "zipped"}`)).want(http.StatusOK).wantAt("description", "zipped")
}

// A byte order mark before JSON is taken, as programs on Windows write it.
func TestBodyMark(t *testing.T) {
	t.Parallel()
	s := serve(t, &httpapi.Options{MaxBodyBytes: 4000}).deviating()
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	const path, text = "/v1/buckets/films/objects", `{"film_id": "f1", "title": "Amélie 🎬"}`
	for _, test := range []struct {
		name string
		body []byte
	}{
		{"UTF-8", []byte("\ufeff" + text)},
		{"UTF-16, little endian", inUTF16(t, binary.LittleEndian, text)},
		{"UTF-16, big endian", inUTF16(t, binary.BigEndian, text)},
	} {
		t.Run(test.name, func(t *testing.T) {
			s.do("POST", path, test.body).want(http.StatusOK).wantAt("title", "Amélie 🎬")
			s.do("POST", path+"/batch", bytes.Join([][]byte{test.body[:0], test.body}, nil)).wantFaults("body.objects required")
		})
	}
	marked := inUTF16(t, binary.LittleEndian, text)
	s.do("POST", path, marked[:len(marked)-1]).wantFaults("body utf8")
	s.do("POST", path, inUTF16(t, binary.LittleEndian, `{"film_id": "f1", "title": "`+strings.Repeat("画", 1500)+`"}`)).
		wantError(http.StatusRequestEntityTooLarge, "PayloadTooLargeError").wantAt("error.details.max_bytes", "4000")
	s.do("POST", path+"/list", []byte("\ufeff")).want(http.StatusOK).wantAt("results.0.film_id", "f1")
	s.do("POST", path+"/aggregate", []byte("\ufeff"+`{"group_by": [{"field": "film_id"}], "aggregations": [{"function": "count", "alias": "n"}]}`)).want(http.StatusOK).wantAt("total_groups", "1")
}
