package thumb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"io"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"
)

func makeOf(t testing.TB, data []byte, edge int) *Image {
	t.Helper()
	img, err := Make(t.Context(), bytes.NewReader(data), int64(len(data)), edge)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func TestMake(t *testing.T) {
	t.Parallel()
	four := quarters(400, 200, red, green, blue, grey)
	hole := quarters(400, 200, red, none, blue, grey)
	sixteen := image.NewNRGBA64(four.Rect)
	draw.Draw(sixteen, sixteen.Rect, hole, image.Point{}, draw.Src)
	few := image.NewPaletted(four.Rect, color.Palette{red, green, blue, grey})
	draw.Draw(few, few.Rect, four, image.Point{}, draw.Src)
	mono := image.NewGray(four.Rect)
	draw.Draw(mono, mono.Rect, four, image.Point{}, draw.Src)
	colours := []color.NRGBA{red, green, blue, grey}
	for _, test := range []struct {
		name    string
		data    []byte
		kind    string
		corners []color.NRGBA
	}{
		{"JPEG", file(t, asJPEG, four), "image/jpeg", colours},
		{"JPEG without colour", file(t, asJPEG, mono), "image/jpeg", []color.NRGBA{{81, 81, 81, 255}, {106, 106, 106, 255}, {49, 49, 49, 255}, grey}},
		{"PNG", file(t, png.Encode, four), "image/jpeg", colours},
		{"PNG, transparent", file(t, png.Encode, hole), "image/png", []color.NRGBA{red, none, blue, grey}},
		{"PNG of 16 bits", file(t, png.Encode, sixteen), "image/png", []color.NRGBA{red, none, blue, grey}},
		{"GIF", file(t, asGIF, few), "image/jpeg", colours},
		{"BMP", file(t, asBMP, four), "image/jpeg", colours},
	} {
		for _, edge := range Edges {
			t.Run(fmt.Sprint(test.name, ", ", edge), func(t *testing.T) {
				t.Parallel()
				got := makeOf(t, test.data, edge)
				width, height := min(edge, 400), min(edge, 400)/2 // it is not enlarged
				if got.Width != width || got.Height != height || got.MIMEType != test.kind {
					t.Fatalf("got %d × %d of %s, want %d × %d of %s", got.Width, got.Height, got.MIMEType, width, height, test.kind)
				}
				img := decoded(t, got)
				for i, want := range test.corners {
					wantNear(t, img, width/4+i%2*width/2, height/4+i/2*height/2, want)
				}
			})
		}
	}
}

// One photo in several formats gives one thumbnail.
func TestMakePhoto(t *testing.T) {
	t.Parallel()
	want := decoded(t, makeOf(t, stored(t, media, "photo.png"), 160))
	for name, most := range map[string]float64{"photo.jpg": 6, "photo.webp": 15} {
		got := makeOf(t, stored(t, media, name), 160)
		if got.Width != 160 || got.Height != 120 {
			t.Errorf("%s: got %d × %d, want 160 × 120", name, got.Width, got.Height)
		}
		if d := distance(decoded(t, got), want); d > most {
			t.Errorf("%s: got colours that differ by %.1f on average, want at most %.1f", name, d, most)
		}
	}
	if got := makeOf(t, stored(t, media, "anim.gif"), 160); got.Width != 80 || got.Height != 60 {
		t.Errorf("anim.gif: got %d × %d, want 80 × 60", got.Width, got.Height)
	}
	if got := makeOf(t, stored(t, "testdata", "progressive.jpg"), 160); got.Width != 100 || got.Height != 64 {
		t.Errorf("progressive.jpg: got %d × %d, want 100 × 64", got.Width, got.Height)
	}
	for _, name := range []string{"lossless.webp", "lossy.webp"} {
		got := makeOf(t, stored(t, "testdata", name), 160)
		img := decoded(t, got)
		wantNear(t, img, 8, 10, red)
		wantNear(t, img, 32, 10, none)
	}
}

// distance returns how much two pictures differ, per channel.
func distance(a, b image.Image) float64 {
	sum := 0.0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p, q := color.NRGBAModel.Convert(a.At(x, y)).(color.NRGBA), color.NRGBAModel.Convert(b.At(x, y)).(color.NRGBA)
			sum += math.Abs(float64(p.R)-float64(q.R)) + math.Abs(float64(p.G)-float64(q.G)) + math.Abs(float64(p.B)-float64(q.B))
		}
	}
	return sum / float64(3*a.Bounds().Dx()*a.Bounds().Dy())
}

// The thumbnail of a smooth picture is the smooth picture of that size.
func TestMakeSmooth(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{320, 240}, {321, 240}, {500, 333}, {641, 481}, {1023, 769}, {2000, 1500}} {
		img := gradient(size[0], size[1])
		for name, encode := range map[string]func(io.Writer, image.Image) error{"JPEG": asJPEG, "PNG": png.Encode} {
			got := makeOf(t, file(t, encode, img), 320)
			if d := distance(decoded(t, got), gradient(got.Width, got.Height)); d > 2.5 {
				t.Errorf("%s of %v: got colours that differ by %.2f on average, want at most 2.5", name, size, d)
			}
		}
	}
}

// Lines that are too fine for a thumbnail become grey, not a pattern.
func TestMakeFine(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(0, 0, 1500, 1000))
	for y := range 1000 {
		for x := range 1500 {
			img.SetGray(x, y, color.Gray{uint8(x%2*y%2) * 255})
			if x%3 == 0 {
				img.SetGray(x, y, color.Gray{255})
			}
		}
	}
	got := decoded(t, makeOf(t, file(t, png.Encode, img), 160))
	least, most := uint32(math.MaxUint32), uint32(0)
	for y := 2; y < got.Bounds().Dy()-2; y++ {
		for x := 2; x < got.Bounds().Dx()-2; x++ {
			v, _, _, _ := got.At(x, y).RGBA()
			least, most = min(least, v>>8), max(most, v>>8)
		}
	}
	if most-least > 24 {
		t.Errorf("got grey from %d to %d, want it even", least, most)
	}
}

// Of a stored picture with the quarters red, green, blue and grey, the orientation says where
// they are seen.
func TestMakeOrientation(t *testing.T) {
	t.Parallel()
	for orientation, want := range map[uint16][]color.NRGBA{
		1: {red, green, blue, grey},
		2: {green, red, grey, blue}, // mirrored
		3: {grey, blue, green, red}, // turned by half
		4: {blue, grey, red, green}, // upside down in a mirror
		5: {red, blue, green, grey}, // mirrored along a diagonal
		6: {blue, red, grey, green}, // turned to the right
		7: {grey, green, blue, red}, // mirrored along the other diagonal
		8: {green, grey, red, blue}, // turned to the left
		0: {red, green, blue, grey}, // no orientation
		9: {red, green, blue, grey},
	} {
		for _, width := range []int{100, 1000} { // as it is, and reduced
			img := quarters(width, width/2, red, green, blue, grey)
			for name, data := range map[string][]byte{
				"JPEG": withSegment(file(t, asJPEG, img), exif(orientation)), "PNG": withChunk(file(t, png.Encode, img), exif(orientation)),
			} {
				t.Run(fmt.Sprint(name, " of ", width, ", orientation ", orientation), func(t *testing.T) {
					t.Parallel()
					got := makeOf(t, data, 160)
					w, h := min(width, 160), min(width, 160)/2
					if orientation >= 5 && orientation <= 8 {
						w, h = h, w
					}
					if got.Width != w || got.Height != h {
						t.Fatalf("got %d × %d, want %d × %d", got.Width, got.Height, w, h)
					}
					for i, want := range want {
						wantNear(t, decoded(t, got), w/4+i%2*w/2, h/4+i/2*h/2, want)
					}
					if bytes.Contains(got.Data, []byte("Exif")) {
						t.Error("got EXIF in the thumbnail")
					}
				})
			}
		}
	}
	photo := stored(t, media, "photo.webp")
	const exifFlag = 1 << 3
	turned := riff(vp8x(exifFlag, 320, 240), photo[12:], riffChunk("EXIF", exif(6)))
	if got := makeOf(t, turned, 160); got.Width != 120 || got.Height != 160 {
		t.Errorf("WebP: got %d × %d, want 120 × 160", got.Width, got.Height)
	}
	broken := withSegment(file(t, asJPEG, gradient(10, 10)), bytes.Repeat([]byte{0xEE}, 100))
	if got := makeOf(t, broken, 160); got.Width != 10 || got.Height != 10 {
		t.Errorf("damaged EXIF: got %d × %d, want 10 × 10", got.Width, got.Height)
	}
}

// Only the first frame of a GIF counts, at its place.
func TestMakeFrame(t *testing.T) {
	t.Parallel()
	palette := color.Palette{color.Transparent, red, blue}
	frame := func(r image.Rectangle, index uint8) *image.Paletted {
		img := image.NewPaletted(r, palette)
		for i := range img.Pix {
			img.Pix[i] = index
		}
		return img
	}
	var b bytes.Buffer
	err := gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{frame(image.Rect(200, 0, 400, 200), 1), frame(image.Rect(0, 0, 400, 200), 2)},
		Delay: []int{1, 1}, Config: image.Config{Width: 400, Height: 200, ColorModel: palette},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"whole": b.Bytes(), "cut off behind its first frame": b.Bytes()[:b.Len()-40]} {
		img := decoded(t, makeOf(t, data, 160))
		wantNear(t, img, 40, 40, none)
		wantNear(t, img, 120, 40, red)
		if b := img.Bounds(); b.Dx() != 160 || b.Dy() != 80 {
			t.Errorf("%s: got %v, want 160 × 80", name, b)
		}
	}
}

func TestMakeThin(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{20_000, 1}, {1, 20_000}, {1, 1}, {161, 1}, {1, 161}} {
		got := makeOf(t, emptyPNG(t, size[0], size[1], 1, 0, 0, size[1]), 160)
		if got.Width != min(size[0], 160) || got.Height != min(size[1], 160) {
			t.Errorf("%v: got %d × %d", size, got.Width, got.Height)
		}
	}
}

// A nobody is a source that must not be read.
type nobody struct{ t *testing.T }

func (n nobody) ReadAt([]byte, int64) (int, error) {
	n.t.Error("the source was read")
	return 0, io.EOF
}

// A picture that exceeds a limit is refused before memory is taken for its pixels.
func TestMakeRefuses(t *testing.T) {
	bomb := emptyPNG(t, 30_000, 30_000, 1, 0, 0, 30_000)
	endless := append(headOfGIF(100, 100), bytes.Repeat([]byte("!\xFE\xFF"+strings.Repeat("x", 255)+"\x00"), 10_000)...)
	photo := stored(t, media, "photo.webp")
	for _, test := range []struct {
		name string
		data []byte
		want error
	}{
		{"a PNG of 900 megapixels", bomb, ErrTooLarge},
		{"a wide PNG", emptyPNG(t, 20_001, 1, 8, 0, 0, 1), ErrTooLarge},
		{"a high PNG", emptyPNG(t, 1, 20_001, 8, 0, 0, 1), ErrTooLarge},
		{"a PNG of 16 bits", emptyPNG(t, 7000, 7000, 16, 6, 0, 1), ErrTooLarge},
		{"an interlaced PNG", emptyPNG(t, 7000, 7000, 8, 6, 1, 1), ErrTooLarge},
		{"a large JPEG", headOfJPEG(0xC0, 10_000, 5_001, 0x22, 0x11, 0x11), ErrTooLarge},
		{"a progressive JPEG", headOfJPEG(0xC2, 5000, 5000, 0x11, 0x11, 0x11), ErrTooLarge},
		{"a progressive JPEG behind rubbish", append([]byte("\xFF\xD8\xFF\x00\x01\xFF\xD0\xFF"), headOfJPEG(0xC2, 5000, 5000, 0x11, 0x11, 0x11)[2:]...), ErrTooLarge},
		{"a GIF of a large screen", headOfGIF(65535, 65535), ErrTooLarge},
		{"a lossless WebP", riff(headOfVP8L(16384, 16384)), ErrTooLarge},
		{"a WebP of a large canvas", riff(vp8x(0, 1<<14, 1<<14), photo[12:]), ErrTooLarge},
		{"a BMP", headOfBMP(9000, 9000), ErrTooLarge},

		{"a JPEG without pixels", headOfJPEG(0xC0, 5000, 5000, 0x22, 0x11, 0x11), ErrUnsupported},
		{"a JPEG of no size", headOfJPEG(0xC0, 0, 0, 0x22, 0x11, 0x11), ErrUnsupported},
		{"a lossless WebP in a small canvas", riff(vp8x(0, 16, 16), headOfVP8L(16384, 16384)), ErrUnsupported},
		{"a WebP in a small canvas", riff(vp8x(0, 16, 16), photo[12:]), ErrUnsupported},
		{"a moving WebP", riff(vp8x(2, 16, 16), riffChunk("ANIM", make([]byte, 6))), ErrUnsupported},
		{"a GIF without a frame", headOfGIF(100, 100), ErrUnsupported},
		{"a GIF of remarks", endless, ErrUnsupported},
		{"a GIF with a frame beside its screen", append(headOfGIF(10, 10), ",\x00\x00\x00\x00\xFF\xFF\xFF\xFF\x00\x02\x01\x00\x00"...), ErrUnsupported},
		{"a BMP without pixels", headOfBMP(100, 100), ErrUnsupported},
		{"a BMP of negative width", headOfBMP(-100, 100), ErrUnsupported},
		{"a TIFF", []byte("II*\x00\x08\x00\x00\x00\xFF\xFF\xFF\xFF"), ErrUnsupported},
		{"SVG", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), ErrUnsupported},
		{"text", []byte("GIF is a format"), ErrUnsupported},
		{"nothing", nil, ErrUnsupported},
	} {
		t.Run(test.name, func(t *testing.T) {
			before := allocated()
			_, err := Make(t.Context(), bytes.NewReader(test.data), int64(len(test.data)), 160)
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if got, most := allocated()-before, uint64(len(test.data)+4<<20); errors.Is(test.want, ErrTooLarge) && got > most {
				t.Errorf("got %d bytes allocated, want at most %d", got, most)
			}
		})
	}
	if _, err := Make(t.Context(), nobody{t}, 64<<20+1, 160); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a large file: got %v, want ErrTooLarge", err)
	}
}

// allocated returns how many bytes have been allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// Wherever a file is cut off, the error is that it is damaged.
func TestMakeTruncated(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"JPEG": stored(t, media, "photo.jpg"), "PNG": stored(t, media, "photo.png"), "WebP": stored(t, media, "photo.webp"),
		"progressive": stored(t, "testdata", "progressive.jpg"), "lossless": stored(t, "testdata", "lossless.webp"),
		"GIF": file(t, asGIF, gradient(50, 50)), "BMP": file(t, asBMP, gradient(50, 50)),
	} {
		for _, end := range []int{1, 3, 12, 20, 40, len(data) / 4, len(data) / 2, len(data) - 10} {
			if _, err := Make(t.Context(), bytes.NewReader(data[:end]), int64(end), 160); !errors.Is(err, ErrUnsupported) {
				t.Errorf("%s of %d bytes: got %v, want ErrUnsupported", name, end, err)
			}
		}
	}
}

// A decoder allocates at most as much as the limit counts.
func TestMemoryCounted(t *testing.T) {
	img := gradient(750, 500)
	hole := quarters(750, 500, red, none, blue, grey)
	deep := image.NewNRGBA64(hole.Rect)
	draw.Draw(deep, deep.Rect, hole, image.Point{}, draw.Src)
	for name, data := range map[string][]byte{
		"JPEG": file(t, asJPEG, img), "progressive": stored(t, "testdata", "progressive.jpg"),
		"PNG": file(t, png.Encode, img), "transparent PNG": file(t, png.Encode, hole), "PNG of 16 bits": file(t, png.Encode, deep),
		"interlaced PNG": emptyPNG(t, 750, 500, 8, 6, 1, 0),
		"GIF":            file(t, asGIF, img), "BMP": file(t, asBMP, img), "WebP": stored(t, media, "photo.webp"),
		"lossless WebP": stored(t, "testdata", "lossless.webp"), "transparent WebP": stored(t, "testdata", "lossy.webp"),
	} {
		s, err := defaults.inspect(formatOf(data), data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		before := allocated()
		if _, err := s.decode(t.Context(), data); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		const beside = 1 << 20 // for tables and buffers
		if got, most := allocated()-before, uint64(s.memory)+uint64(len(data))+beside; got > most {
			t.Errorf("%s: got %d bytes allocated, want at most %d", name, got, most)
		}
	}
}

// A slow is a source that takes its time.
type slow struct {
	bytes.Reader
	read func() error
}

func (s *slow) ReadAt(p []byte, offset int64) (int, error) {
	if err := s.read(); err != nil {
		return 0, err
	}
	return s.Reader.ReadAt(p, offset)
}

func TestMakeEnds(t *testing.T) {
	t.Parallel()
	data := file(t, png.Encode, gradient(100, 100))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	leaving := &slow{*bytes.NewReader(data), func() error { cancel(); return nil }}
	if _, err := Make(ctx, leaving, int64(len(data)), 160); !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that leaves: got %v, want context.Canceled", err)
	}
	short := defaults
	short.time = time.Millisecond
	waiting := &slow{*bytes.NewReader(data), func() error { time.Sleep(2 * time.Millisecond); return nil }}
	if _, err := short.make(t.Context(), waiting, int64(len(data)), 160); !errors.Is(err, ErrBusy) {
		t.Errorf("too long: got %v, want ErrBusy", err)
	}
	failure := errors.New("the disk is gone")
	failing := &slow{*bytes.NewReader(data), func() error { return failure }}
	if _, err := Make(t.Context(), failing, int64(len(data)), 160); err != failure {
		t.Errorf("a source that fails: got %v, want %v", err, failure)
	}
	if _, err := Make(t.Context(), bytes.NewReader(data[:50]), int64(len(data)), 160); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a source that ends: got %v, want io.ErrUnexpectedEOF", err)
	}
}

// A decoder that works on and on ends with the time, when it reads.
func TestDecoderEnds(t *testing.T) {
	t.Parallel()
	f := *pngFormat
	f.decode = func(r io.Reader) (image.Image, error) {
		for {
			if _, err := r.Read(nil); err != nil {
				return nil, fmt.Errorf("png: %v", err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := (source{format: &f}).decode(ctx, []byte("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
}

func TestDecoderPanics(t *testing.T) {
	t.Parallel()
	f := *pngFormat
	f.decode = func(io.Reader) (image.Image, error) { panic("index out of range") }
	if _, err := (source{format: &f}).decode(t.Context(), nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("got %v, want ErrUnsupported", err)
	}
}

func TestTag(t *testing.T) {
	t.Parallel()
	if got, want := Tag("ab12", 320), `"ab12-320-v1"`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzMake requires that no file takes more memory than the limits admit, and that each gives a
// thumbnail or one of two errors.
func FuzzMake(f *testing.F) {
	img := quarters(40, 30, red, none, blue, grey)
	for _, data := range [][]byte{
		withSegment(file(f, asJPEG, img), exif(6)), withChunk(file(f, png.Encode, img), exif(3)), file(f, asGIF, img), file(f, asBMP, img),
		stored(f, "testdata", "progressive.jpg"), stored(f, "testdata", "lossless.webp"), stored(f, "testdata", "lossy.webp"),
		headOfJPEG(0xC2, 5000, 5000, 0x11, 0x11, 0x11), riff(vp8x(0, 16, 16), headOfVP8L(16384, 16384)), headOfGIF(65535, 65535),
		emptyPNG(f, 100, 100, 16, 6, 1, 0),
	} {
		f.Add(data)
	}
	small := limits{source: 1 << 20, side: 2000, pixels: 200_000, memory: 2 << 20, time: 5 * time.Second}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := allocated()
		got, err := small.make(t.Context(), bytes.NewReader(data), int64(len(data)), 16)
		const beside = 8 << 20 // for tables, buffers and metadata
		if got, most := allocated()-before, uint64(small.memory)+uint64(4*len(data))+beside; got > most {
			t.Errorf("got %d bytes allocated, want at most %d", got, most)
		}
		switch {
		case err != nil:
			if !errors.Is(err, ErrUnsupported) && !errors.Is(err, ErrTooLarge) {
				t.Errorf("got %v, want ErrUnsupported or ErrTooLarge", err)
			}
		case max(got.Width, got.Height) > 16 || min(got.Width, got.Height) < 1:
			t.Errorf("got %d × %d, want at most 16 on a side", got.Width, got.Height)
		default:
			decoded(t, got)
		}
	})
}

// BenchmarkMake measures thumbnails of pictures of 12 megapixels.
func BenchmarkMake(b *testing.B) {
	img := gradient(4000, 3000)
	for _, picture := range []struct {
		name string
		data []byte
	}{
		{"jpeg", file(b, asJPEG, img)}, {"png", file(b, png.Encode, img)}, {"gif", file(b, asGIF, img)}, {"bmp", file(b, asBMP, img)},
	} {
		for _, edge := range Edges {
			b.Run(fmt.Sprintf("%s/edge=%d", picture.name, edge), func(b *testing.B) {
				b.ReportAllocs()
				size := 0
				for b.Loop() {
					size = len(makeOf(b, picture.data, edge).Data)
				}
				b.ReportMetric(float64(size), "bytes")
			})
		}
	}
}
