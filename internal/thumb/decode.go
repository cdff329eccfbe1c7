package thumb

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"io"

	"github.com/bep/imagemeta"
)

// decode returns the pixels of a picture. Those of a GIF may be a part of it.
func (s source) decode(ctx context.Context, data []byte) (img image.Image, err error) {
	defer recovered(&err)
	img, err = s.format.decode(&until{ctx, bytes.NewReader(data)})
	if ended := ctx.Err(); ended != nil {
		return nil, ended
	}
	if err != nil {
		return nil, damaged(err)
	}
	b := img.Bounds()
	if canvas := image.Rect(0, 0, s.width, s.height); b != canvas && (s.format != gifFormat || !b.In(canvas)) {
		return nil, damaged(fmt.Sprintf("it has %v pixels, and %v in its header", b, canvas))
	}
	return img, nil
}

// damaged is the error of bytes that cannot be decoded.
func damaged(why any) error { return fmt.Errorf("%w: it is damaged: %v", ErrUnsupported, why) }

// recovered makes an error of a panic: of a decoder that trusts its input.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = damaged(p)
	}
}

// until is a reader that fails when the context has ended, which stops a decoder. It reads in
// small pieces, since a few bytes can mean a lot of work.
type until struct {
	ctx context.Context
	r   *bytes.Reader
}

func (u *until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p[:min(len(p), 4<<10)])
}

// The bounds on looking for the orientation.
const (
	maxTags  = 2_000
	maxCalls = 50_000 // of Read and Seek
)

// metaFormats are the formats whose EXIF orientation browsers obey.
var metaFormats = map[*format]imagemeta.ImageFormat{jpegFormat: imagemeta.JPEG, pngFormat: imagemeta.PNG, webpFormat: imagemeta.WebP}

// orientation returns the EXIF orientation of a picture, 1 to 8. It is 1, upright, if there
// is none that can be read.
func orientation(f *format, data []byte) (n int) {
	format, ok := metaFormats[f]
	if !ok {
		return 1
	}
	defer func() {
		if recover() != nil || n < 1 || n > 8 {
			n = 1
		}
	}()
	// The error does not matter: the picture was decoded, and EXIF may be damaged.
	_, _ = imagemeta.Decode(imagemeta.Options{
		R: &counted{Reader: bytes.NewReader(data)}, ImageFormat: format, Sources: imagemeta.EXIF, LimitNumTags: maxTags,
		// IFD1 describes the thumbnail of the camera.
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return t.Tag == "Orientation" && t.Namespace == "IFD0" },
		HandleTag: func(t imagemeta.TagInfo) error {
			if v, ok := t.Value.(uint16); ok {
				n = int(v)
			}
			return imagemeta.ErrStopWalking
		},
	})
	return n
}

// counted bounds how often a file is read, since its parts may lead back.
type counted struct {
	*bytes.Reader
	calls int
}

func (c *counted) Read(p []byte) (int, error) {
	if c.calls++; c.calls > maxCalls {
		return 0, io.ErrUnexpectedEOF
	}
	return c.Reader.Read(p)
}

func (c *counted) Seek(offset int64, whence int) (int64, error) {
	if c.calls++; c.calls > maxCalls {
		return 0, io.ErrUnexpectedEOF
	}
	return c.Reader.Seek(offset, whence)
}

// turn returns a picture upright that has an EXIF orientation.
func turn(img *image.RGBA, orientation int) *image.RGBA {
	if orientation == 1 {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	turned := image.NewRGBA(image.Rect(0, 0, w, h))
	if orientation >= 5 {
		turned = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range turned.Rect.Dy() {
		for x := range turned.Rect.Dx() {
			fromX, fromY := x, y
			switch orientation {
			case 2:
				fromX = w - 1 - x
			case 3:
				fromX, fromY = w-1-x, h-1-y
			case 4:
				fromY = h - 1 - y
			case 5:
				fromX, fromY = y, x
			case 6:
				fromX, fromY = y, h-1-x
			case 7:
				fromX, fromY = w-1-y, h-1-x
			case 8:
				fromX, fromY = w-1-y, x
			}
			copy(turned.Pix[turned.PixOffset(x, y):][:4], img.Pix[img.PixOffset(fromX, fromY):])
		}
	}
	return turned
}
