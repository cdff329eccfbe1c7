package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tag is a tag of EXIF: its number, its type and its value.
type tag struct {
	id, kind uint16
	value    []byte
}

func ascii(s string) []byte { return append([]byte(s), 0) }

func short(n uint16) []byte { return binary.BigEndian.AppendUint16(nil, n) }

func rationals(numbers ...uint32) (b []byte) {
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(b, n), 1)
	}
	return b
}

// sizes are the bytes of one value of a type.
var sizes = map[uint16]int{2: 1, 3: 2, 4: 4, 5: 8}

// directory returns a directory of tags that begins at an offset.
func directory(offset int, tags []tag) []byte {
	head := short(uint16(len(tags)))
	data := []byte(nil)
	at := offset + 2 + 12*len(tags) + 4
	for _, t := range tags {
		head = append(append(head, short(t.id)...), short(t.kind)...)
		head = binary.BigEndian.AppendUint32(head, uint32(len(t.value)/sizes[t.kind]))
		if len(t.value) <= 4 {
			head = append(head, append(t.value, 0, 0, 0, 0)[:4]...)
			continue
		}
		head = binary.BigEndian.AppendUint32(head, uint32(at+len(data)))
		data = append(data, t.value...)
	}
	return append(append(head, 0, 0, 0, 0), data...)
}

// exif returns EXIF with tags of the picture, of the camera and of the position.
func exif(ifd0, camera, gps []tag) []byte {
	const first, second, third = 8, 1000, 2000
	long := func(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }
	ifd0 = append(ifd0, tag{0x8769, 4, long(second)}, tag{0x8825, 4, long(third)})
	text := append([]byte("MM\x00*"), long(first)...)
	text = append(text, directory(first, ifd0)...)
	text = append(text, make([]byte, second-len(text))...)
	text = append(text, directory(second, camera)...)
	text = append(text, make([]byte, third-len(text))...)
	return append(text, directory(third, gps)...)
}

// photo returns a JPEG of 4 by 3 pixels with EXIF.
func photo(t testing.TB, exif []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 3)), nil); err != nil {
		t.Fatal(err)
	}
	segment := append([]byte("Exif\x00\x00"), exif...)
	head := append([]byte("\xFF\xD8\xFF\xE1"), short(uint16(len(segment)+2))...)
	return append(append(head, segment...), b.Bytes()[2:]...)
}

func whole(t testing.TB, orientation uint16) []byte {
	t.Helper()
	return photo(t, exif(
		[]tag{{0x010f, 2, ascii("ACME Corporation")}, {0x0110, 2, ascii("ACME One")}, {0x0112, 3, short(orientation)}},
		[]tag{{0x9003, 2, ascii("2024:02:29 12:34:56")}, {0x9011, 2, ascii("+02:00")}},
		[]tag{{1, 2, ascii("S")}, {2, 5, rationals(33, 30, 0)}, {3, 2, ascii("E")}, {4, 5, rationals(151, 15, 0)}},
	))
}

func TestFacts(t *testing.T) {
	t.Parallel()
	encoded := func(encode func(io.Writer, image.Image) error) []byte {
		var b bytes.Buffer
		if err := encode(&b, image.NewGray(image.Rect(0, 0, 5, 7))); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	full := map[string]any{"width": 4, "height": 3, "taken": "2024-02-29T12:34:56+02:00", "camera": "ACME One", "latitude": -33.5, "longitude": 151.25}
	turned := maps.Clone(full)
	turned["width"], turned["height"] = 3, 4
	for name, c := range map[string]struct {
		content []byte
		want    map[string]any
	}{
		"a photo":         {whole(t, 1), full},
		"a photo turned":  {whole(t, 6), turned},
		"without a zone":  {photo(t, exif(nil, []tag{{0x9003, 2, ascii("2024:02:29 12:34:56")}}, nil)), map[string]any{"width": 4, "height": 3, "taken": "2024-02-29T12:34:56"}},
		"an invalid time": {photo(t, exif(nil, []tag{{0x9003, 2, ascii("2024:02:30 12:34:56")}}, nil)), map[string]any{"width": 4, "height": 3}},
		"no position":     {photo(t, exif(nil, nil, []tag{{1, 2, ascii("N")}, {2, 5, rationals(0, 0, 0)}, {3, 2, ascii("E")}, {4, 5, rationals(0, 0, 0)}})), map[string]any{"width": 4, "height": 3}},
		"damaged EXIF":    {photo(t, append([]byte("MM\x00*\x00\x00\x00\x08"), bytes.Repeat([]byte{0xEE}, 100)...)), map[string]any{"width": 4, "height": 3}},
		"PNG":             {encoded(png.Encode), map[string]any{"width": 5, "height": 7}},
		"GIF":             {encoded(func(w io.Writer, m image.Image) error { return gif.Encode(w, m, nil) }), map[string]any{"width": 5, "height": 7}},
		"BMP":             {append(append([]byte("BM"), make([]byte, 12)...), 40, 0, 0, 0, 5, 0, 0, 0, 0xF9, 0xFF, 0xFF, 0xFF), map[string]any{"width": 5, "height": 7}},
		"text":            {[]byte("GIF is a format"), nil},
		"nothing":         {nil, nil},
		"a cut head":      {[]byte("\xFF\xD8\xFF"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := Facts("a.jpg", bytes.NewReader(c.content))
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}

// hostile is a picture that never ends, whatever part of it is read.
type hostile struct{ head []byte }

func (h hostile) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = h.head[i%len(h.head)]
	}
	return len(p), nil
}

func (h hostile) Seek(offset int64, whence int) (int64, error) { return offset, nil }

// A picture without an end gives no facts, and takes little memory.
func TestHostile(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"JPEG": "\xFF\xD8\xFF\xE1\x00\x04", "PNG": "\x89PNG\r\n\x1A\n\x00\x00\x00\x00tEXt", "WebP": "RIFF\xFF\xFF\xFF\xFFWEBPEXIF\x00\x00\x00\x00",
		"TIFF": "II*\x00\x08\x00\x00\x00", "HEIF": "\x00\x00\x00\x08ftypheic", "AVIF": "\x00\x00\x00\x10ftypavif\x00\x00\x00\x08",
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if facts, err := Facts("a", hostile{[]byte(head)}); err == nil && len(facts) > 0 {
				t.Errorf("got facts %v of nothing", facts)
			}
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
				t.Errorf("allocated %d bytes, want at most 64 MiB", n)
			}
		})
	}
}

// Cut anywhere, a photo gives some of its facts, or none.
func TestCutPhoto(t *testing.T) {
	t.Parallel()
	content := whole(t, 1)
	want, err := Facts("", bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for end := range content {
		got, _ := Facts("", bytes.NewReader(content[:end]))
		for name := range got {
			if want[name] == nil {
				t.Errorf("cut at %d: got %s %v, which the whole photo does not have", end, name, got[name])
			}
		}
		if got["taken"] != nil && !strings.HasPrefix(want["taken"].(string), got["taken"].(string)) {
			t.Errorf("cut at %d: taken %v, want %v", end, got["taken"], want["taken"])
		}
	}
}

func FuzzFacts(f *testing.F) {
	f.Add("a.jpg", whole(f, 6))
	f.Add("a.dng", exif([]tag{{0x0100, 4, []byte{0, 0, 0, 5}}, {0x0101, 4, []byte{0, 0, 0, 7}}}, nil, nil))
	f.Add("a.webp", []byte("RIFF\x10\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x08"))
	f.Add("a.heic", []byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00heicmif1\x00\x00\x00\x20meta"))
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		facts, _ := Facts(name, bytes.NewReader(content))
		for _, fact := range []string{"width", "height"} {
			if n, ok := facts[fact].(int); ok && n <= 0 {
				t.Errorf("%s is %d", fact, n)
			}
		}
	})
}
