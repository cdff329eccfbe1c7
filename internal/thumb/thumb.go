// Package thumb makes small pictures of large ones: of JPEG, PNG, GIF, WebP and BMP, upright
// as their EXIF orientation says, as JPEG, or as PNG if they are transparent. A [Cache] keeps
// them in memory and bounds how many are made at once.
//
// The bytes may come from anyone. So the size of a picture, and what decoding it takes, is
// known before a decoder runs, and each picture has a limit of time.
package thumb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"slices"
	"strconv"
)

// Edges are the lengths of the longest edge that servers offer, in pixels.
var Edges = []int{160, 320, 640}

var (
	// ErrUnsupported reports bytes that are no picture of a known format, or a damaged one.
	ErrUnsupported = errors.New("not a picture of which thumbnails are made")
	// ErrTooLarge reports a picture that exceeds a limit.
	ErrTooLarge = errors.New("the picture is too large for a thumbnail")
	// ErrBusy reports that a thumbnail cannot be made at present.
	ErrBusy = errors.New("the thumbnail cannot be made now; try again later")
)

// version is that of the thumbnails' form. It rises when equal bytes give another thumbnail.
const version = 1

// quality is that of JPEG.
const quality = 80

// Image is a thumbnail. A cached one is shared: do not change it.
type Image struct {
	Data          []byte
	MIMEType      string // "image/jpeg" or "image/png"
	Width, Height int
}

// Tag returns the ETag of a thumbnail, in quotes, from the SHA-256 of the picture's bytes in
// hexadecimal and the longest edge.
func Tag(hash string, edge int) string {
	return `"` + hash + "-" + strconv.Itoa(edge) + "-v" + strconv.Itoa(version) + `"`
}

// Takes reports whether thumbnails are made of a MIME type.
func Takes(mimeType string) bool {
	return slices.Contains([]string{"image/jpeg", "image/png", "image/gif", "image/webp", "image/bmp"}, mimeType)
}

// Make returns a thumbnail of the picture in the first size bytes of r. Its longest edge is
// edge, or the picture's own if that is shorter. It is the first frame of a GIF. It has no
// metadata. The format is recognised by the content.
//
// The error is [ErrUnsupported], [ErrTooLarge], [ErrBusy] if it took too long, or one of r
// or ctx.
func Make(ctx context.Context, r io.ReaderAt, size int64, edge int) (*Image, error) {
	return defaults.make(ctx, r, size, edge)
}

func (l limits) make(ctx context.Context, r io.ReaderAt, size int64, edge int) (*Image, error) {
	if size > l.source {
		return nil, fmt.Errorf("%w: got %d bytes, want at most %d", ErrTooLarge, size, l.source)
	}
	limited, cancel := context.WithTimeout(ctx, l.time)
	defer cancel()
	img, err := l.draw(limited, r, size, edge)
	switch {
	case err == nil:
		return encode(img)
	case limited.Err() != nil && ctx.Err() == nil:
		return nil, fmt.Errorf("%w: it took longer than %s", ErrBusy, l.time)
	}
	return nil, err
}

// draw returns the small picture, upright.
func (l limits) draw(ctx context.Context, r io.ReaderAt, size int64, edge int) (*image.RGBA, error) {
	head := make([]byte, min(size, headSize))
	if err := readAt(r, head); err != nil {
		return nil, err
	}
	f := formatOf(head)
	if f == nil {
		return nil, ErrUnsupported
	}
	data := make([]byte, size)
	if err := readAt(r, data); err != nil {
		return nil, err
	}
	s, err := l.inspect(f, data)
	if err != nil {
		return nil, err
	}
	img, err := s.decode(ctx, data)
	if err != nil {
		return nil, err
	}
	width, height := fit(s.width, s.height, edge)
	small, err := shrink(ctx, img, s.width, s.height, width, height)
	if err != nil {
		return nil, err
	}
	return turn(small, orientation(f, data)), nil
}

// readAt fills p with the first bytes of r.
func readAt(r io.ReaderAt, p []byte) error {
	n, err := r.ReadAt(p, 0)
	switch {
	case n == len(p):
		return nil
	case err == io.EOF:
		return io.ErrUnexpectedEOF
	}
	return err
}

// fit returns the size of a thumbnail.
func fit(width, height, edge int) (w, h int) {
	longest := max(width, height)
	if longest <= edge {
		return width, height
	}
	scaled := func(n int) int { return max(1, (n*edge+longest/2)/longest) }
	return scaled(width), scaled(height)
}

// encode returns the file of a picture.
func encode(img *image.RGBA) (*Image, error) {
	t := &Image{MIMEType: "image/jpeg", Width: img.Rect.Dx(), Height: img.Rect.Dy()}
	var b bytes.Buffer
	var err error
	if img.Opaque() {
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: quality})
	} else {
		t.MIMEType = "image/png"
		err = png.Encode(&b, img)
	}
	if err != nil {
		return nil, fmt.Errorf("thumb: encode: %w", err)
	}
	t.Data = bytes.Clone(b.Bytes()) // without the spare room of the buffer
	return t, nil
}
