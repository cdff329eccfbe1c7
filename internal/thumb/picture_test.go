package thumb

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/bmp"
)

// The pictures of these tests.

var (
	red   = color.NRGBA{200, 30, 30, 255}
	green = color.NRGBA{30, 160, 30, 255}
	blue  = color.NRGBA{30, 30, 200, 255}
	grey  = color.NRGBA{128, 128, 128, 255}
	none  = color.NRGBA{}
)

// quarters returns a picture of four colours: two above, two below.
func quarters(width, height int, colours ...color.NRGBA) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, colours[2*(2*y/height)+2*x/width])
		}
	}
	return img
}

// gradient returns a picture without sharp edges.
func gradient(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, color.NRGBA{uint8(255 * x / width), uint8(255 * y / height), 100, 255})
		}
	}
	return img
}

// file returns a picture as a file.
func file(t testing.TB, encode func(io.Writer, image.Image) error, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asJPEG(w io.Writer, img image.Image) error {
	return jpeg.Encode(w, img, &jpeg.Options{Quality: 95})
}
func asGIF(w io.Writer, img image.Image) error { return gif.Encode(w, img, nil) }
func asBMP(w io.Writer, img image.Image) error { return bmp.Encode(w, img) }

// stored returns a file of a directory of test data.
func stored(t testing.TB, dir, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

const media = "../../testdata/media"

// exif returns EXIF with an orientation, in the byte order of the TIFF header.
func exif(orientation uint16) []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01")
	b = binary.BigEndian.AppendUint16(b, orientation)
	return append(b, 0, 0, 0, 0, 0, 0)
}

// withSegment returns a JPEG with EXIF.
func withSegment(jpeg, exif []byte) []byte {
	segment := append([]byte("Exif\x00\x00"), exif...)
	head := binary.BigEndian.AppendUint16([]byte("\xFF\xD8\xFF\xE1"), uint16(len(segment)+2))
	return append(append(head, segment...), jpeg[2:]...)
}

// pngChunk returns a chunk of a PNG.
func pngChunk(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// withChunk returns a PNG with EXIF.
func withChunk(png, exif []byte) []byte {
	const header = 8 + 25 // the signature and IHDR
	return append(append(bytes.Clone(png[:header]), pngChunk("eXIf", exif)...), png[header:]...)
}

// riff returns a WebP of chunks.
func riff(chunks ...[]byte) []byte {
	body := append([]byte("WEBP"), bytes.Join(chunks, nil)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

func riffChunk(kind string, data []byte) []byte {
	b := append(binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data))), data...)
	return append(b, make([]byte, len(data)%2)...)
}

// vp8x returns the chunk that begins an extended WebP.
func vp8x(flags byte, width, height int) []byte {
	b := []byte{flags, 0, 0, 0}
	for _, n := range []int{width - 1, height - 1} {
		b = append(b, byte(n), byte(n>>8), byte(n>>16))
	}
	return riffChunk("VP8X", b)
}

// emptyPNG returns a PNG whose bytes of pixels are all 0, which makes it small. It has so many
// rows of them, or if that is 0 the passes of an interlaced picture.
func emptyPNG(t testing.TB, width, height int, depth, colourType, interlace byte, rows int) []byte {
	t.Helper()
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(width)), uint32(height))
	header = append(header, depth, colourType, 0, 0, interlace)
	var pixels bytes.Buffer
	z, err := zlib.NewWriterLevel(&pixels, zlib.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	channels := map[byte]int{0: 1, 2: 3, 6: 4}[colourType]
	write := func(width, rows int) {
		row := make([]byte, 1+(width*int(depth)*channels+7)/8)
		for range rows {
			if _, err := z.Write(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if rows > 0 {
		write(width, rows)
	} else {
		for _, pass := range [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
			write((width-pass[0]+pass[2]-1)/pass[2], (height-pass[1]+pass[3]-1)/pass[3])
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.Join([][]byte{[]byte("\x89PNG\r\n\x1A\n"), pngChunk("IHDR", header), pngChunk("IDAT", pixels.Bytes()), pngChunk("IEND", nil)}, nil)
}

// headOfJPEG returns a JPEG that ends behind the header of its frame: a marker, a size and the
// sampling factors of its components.
func headOfJPEG(marker byte, width, height int, factors ...byte) []byte {
	b := []byte{0xFF, 0xD8, 0xFF, 0xE0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0}
	b = append(b, 0xFF, marker, 0, byte(8+3*len(factors)), 8, byte(height>>8), byte(height), byte(width>>8), byte(width), byte(len(factors)))
	for i, f := range factors {
		b = append(b, byte(i+1), f, 0)
	}
	return b
}

// headOfBMP returns a BMP of 24 bits without pixels.
func headOfBMP(width, height int) []byte {
	b := make([]byte, 54)
	copy(b, "BM")
	b[10], b[14], b[26], b[28] = 54, 40, 1, 24
	binary.LittleEndian.PutUint32(b[18:], uint32(width))
	binary.LittleEndian.PutUint32(b[22:], uint32(height))
	return b
}

// headOfGIF returns a GIF without a frame.
func headOfGIF(width, height int) []byte {
	b := []byte("GIF89a")
	b = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(b, uint16(width)), uint16(height))
	return append(b, 0x80, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF) // a table of black and white
}

// headOfVP8L returns the beginning of a lossless WebP.
func headOfVP8L(width, height int) []byte {
	n := uint32(width-1) | uint32(height-1)<<14
	return riffChunk("VP8L", append([]byte{0x2F}, binary.LittleEndian.AppendUint32(nil, n)...))
}

// decoded returns the pixels of a thumbnail.
func decoded(t testing.TB, thumb *Image) image.Image {
	t.Helper()
	decode := map[string]func(io.Reader) (image.Image, error){"image/jpeg": jpeg.Decode, "image/png": png.Decode}[thumb.MIMEType]
	if decode == nil {
		t.Fatalf("got a thumbnail of type %q", thumb.MIMEType)
	}
	img, err := decode(bytes.NewReader(thumb.Data))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b != image.Rect(0, 0, thumb.Width, thumb.Height) {
		t.Errorf("got a file of %v, want %d × %d", b, thumb.Width, thumb.Height)
	}
	return img
}

// wantNear fails the test unless a pixel has a colour, more or less.
func wantNear(t testing.TB, img image.Image, x, y int, want color.NRGBA) {
	t.Helper()
	got := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
	far := func(a, b uint8) bool { return max(a, b)-min(a, b) > 12 }
	if far(got.R, want.R) || far(got.G, want.G) || far(got.B, want.B) || far(got.A, want.A) {
		t.Errorf("at %d, %d: got %v, want about %v", x, y, got, want)
	}
}
