package thumb

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"time"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// limits bound what is made of one picture.
type limits struct {
	source int64 // bytes of the file
	side   int   // pixels of the longer edge
	pixels int
	memory int64 // bytes that the decoder holds for pixels
	time   time.Duration
}

// MaxBytes is the size of the largest file that a thumbnail is made of.
const MaxBytes = 64 << 20

// defaults admit what cameras make: 50 megapixels, of 16 bits up to 32.
var defaults = limits{source: MaxBytes, side: 20_000, pixels: 50_000_000, memory: 256 << 20, time: 5 * time.Second}

// headSize is how many bytes tell the format.
const headSize = 32

// A format is a kind of pictures.
type format struct {
	begins func(head []byte) bool
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
	// perPixel returns how many bytes the decoder holds for a pixel, 0 for a damaged file.
	perPixel func(data []byte, model color.Model) float64
}

var (
	jpegFormat = &format{prefix("\xFF\xD8\xFF"), jpeg.DecodeConfig, jpeg.Decode, perPixelOfJPEG}
	pngFormat  = &format{prefix("\x89PNG\r\n\x1A\n"), png.DecodeConfig, png.Decode, perPixelOfPNG}
	gifFormat  = &format{prefix("GIF8"), gif.DecodeConfig, gif.Decode, fixed(2)} // a frame that is interlaced is copied
	webpFormat = &format{func(head []byte) bool { return prefix("RIFF")(head) && len(head) >= 12 && string(head[8:12]) == "WEBP" },
		webp.DecodeConfig, webp.Decode, perPixelOfWebP}
	bmpFormat = &format{prefix("BM"), bmp.DecodeConfig, bmp.Decode, fixed(4)}

	formats = []*format{jpegFormat, pngFormat, gifFormat, webpFormat, bmpFormat}
)

func prefix(s string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(s)) }
}

func fixed(n float64) func([]byte, color.Model) float64 {
	return func([]byte, color.Model) float64 { return n }
}

// formatOf returns the format of a file that begins with head, nil if it is not known.
func formatOf(head []byte) *format {
	for _, f := range formats {
		if f.begins(head) {
			return f
		}
	}
	return nil
}

// A source is a picture that may be decoded.
type source struct {
	format        *format
	width, height int
	memory        int64 // bytes that decoding takes for pixels, at most
}

// inspect reads the size of a picture, and refuses one that exceeds a limit.
func (l limits) inspect(f *format, data []byte) (s source, err error) {
	defer recovered(&err)
	c, err := f.config(bytes.NewReader(data))
	if err != nil {
		return s, damaged(err)
	}
	if c.Width <= 0 || c.Height <= 0 {
		return s, damaged("no pixels")
	}
	if c.Width > l.side || c.Height > l.side || int64(c.Width)*int64(c.Height) > int64(l.pixels) {
		return s, fmt.Errorf("%w: got %d × %d pixels, want at most %d in all and %d on a side", ErrTooLarge, c.Width, c.Height, l.pixels, l.side)
	}
	perPixel := f.perPixel(data, c.ColorModel)
	if perPixel == 0 {
		return s, damaged("no header")
	}
	memory := int64(perPixel * float64(c.Width*c.Height))
	if memory > l.memory {
		return s, fmt.Errorf("%w: decoding it takes %d bytes, and may take %d", ErrTooLarge, memory, l.memory)
	}
	return source{f, c.Width, c.Height, memory}, nil
}

// perPixelOfPNG counts 16 bits a channel twice, and the passes of an interlaced picture, which
// are decoded beside it.
func perPixelOfPNG(data []byte, model color.Model) float64 {
	const interlace = 28 // IHDR is the first chunk
	if len(data) <= interlace {
		return 0
	}
	n := 4.0
	switch model {
	case color.RGBA64Model, color.NRGBA64Model, color.Gray16Model:
		n = 8
	}
	if data[interlace] != 0 {
		n *= 2
	}
	return n
}

// perPixelOfWebP counts the colours or the transparency that stand beside the pixels.
func perPixelOfWebP(_ []byte, model color.Model) float64 {
	if model == color.YCbCrModel {
		return 4
	}
	return 8
}

// perPixelOfJPEG counts a pixel as 4 bytes, twice if its planes become RGB or CMYK. Of a
// progressive picture the decoder also holds each sample of a component as 4 bytes.
func perPixelOfJPEG(data []byte, model color.Model) float64 {
	marker, frame := frameOfJPEG(data)
	const components = 5
	if len(frame) <= components || len(frame) < 6+3*int(frame[components]) {
		return 0
	}
	n := 8.0
	if model == color.YCbCrModel || model == color.GrayModel {
		n = 4
	}
	if marker != progressive {
		return n
	}
	count := int(frame[components])
	area := func(i int) float64 { // of a component's samples, horizontally times vertically
		factors := frame[7+3*i]
		return float64(factors>>4) * float64(factors&15)
	}
	for i := range count {
		if area(0) > 0 && count > 1 {
			n += 4 * area(i) / area(0)
		} else {
			n += 4
		}
	}
	return n
}

// progressive is the marker SOF2.
const progressive = 0xC2

// frameOfJPEG returns the header of a picture's frame and its marker, nil if there is none.
// It finds what package image/jpeg finds, also in files that deviate from the format.
func frameOfJPEG(data []byte) (marker byte, frame []byte) {
	for at := 2; at+1 < len(data); {
		if data[at] != 0xFF || data[at+1] == 0 { // bytes that do not belong there
			if data[at] == 0xFF {
				at++
			}
			at++
			continue
		}
		for at++; at < len(data) && data[at] == 0xFF; at++ {
		}
		if at+2 >= len(data) {
			return 0, nil
		}
		marker = data[at]
		at++
		switch {
		case marker == 0xD9, marker == 0xDA: // the end, or pixels without a frame
			return 0, nil
		case marker >= 0xD0 && marker <= 0xD7: // a restart, which has no length
			continue
		}
		length := int(data[at])<<8 | int(data[at+1])
		end := min(at+length, len(data))
		if length < 2 {
			return 0, nil
		}
		if marker >= 0xC0 && marker <= progressive {
			return marker, data[at+2 : end]
		}
		at = end
	}
	return 0, nil
}
