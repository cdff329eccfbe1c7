package thumb

import (
	"context"
	"image"
	"image/color"

	"golang.org/x/image/draw"
)

// shrink returns a picture of width × height pixels, which are not more than it has. The
// pixels of img lie within a canvas of fromWidth × fromHeight, which is transparent elsewhere.
//
// Averages bring a large picture to twice the size. They cost little more than reading the
// pixels. Then a Catmull-Rom filter keeps what is sharp, and has few pixels left to read.
func shrink(ctx context.Context, img image.Image, fromWidth, fromHeight, width, height int) (*image.RGBA, error) {
	twice, err := reduce(ctx, img, fromWidth, fromHeight, min(fromWidth, 2*width), min(fromHeight, 2*height))
	if err != nil || twice.Rect.Dx() == width && twice.Rect.Dy() == height {
		return twice, err
	}
	small := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(small, small.Rect, twice, twice.Rect, draw.Src, nil)
	return small, nil
}

// reduce is [shrink] by averages: each pixel is that of the area that it stands for. The planes
// of a JPEG are averaged as they are, before they become colours.
func reduce(ctx context.Context, img image.Image, fromWidth, fromHeight, width, height int) (*image.RGBA, error) {
	small := image.NewRGBA(image.Rect(0, 0, width, height))
	if width == fromWidth && height == fromHeight {
		draw.Draw(small, small.Rect, img, image.Point{}, draw.Src)
		return small, nil
	}
	if img, ok := img.(*image.YCbCr); ok {
		return small, reduceYCbCr(ctx, small, img)
	}
	row := image.NewRGBA(image.Rect(0, 0, fromWidth, 1))
	isWhole := img.Bounds() == image.Rect(0, 0, fromWidth, fromHeight)
	return small, average(ctx, small.Pix, width, height, fromWidth, fromHeight, 4, func(y int) []byte {
		if !isWhole {
			clear(row.Pix)
		}
		draw.Draw(row, row.Rect, img, image.Pt(0, y), draw.Src)
		return row.Pix
	})
}

// reduceYCbCr is [reduce] for pixels that begin at the origin, whose colours may have fewer
// samples.
func reduceYCbCr(ctx context.Context, small *image.RGBA, img *image.YCbCr) error {
	width, height := small.Rect.Dx(), small.Rect.Dy()
	w, h := img.Rect.Dx(), img.Rect.Dy()
	colourWidth := img.COffset(w-1, 0) + 1
	colourHeight := img.COffset(0, h-1)/img.CStride + 1
	var planes [3][]byte
	for i, from := range []struct {
		pix           []byte
		stride        int
		width, height int
	}{{img.Y, img.YStride, w, h}, {img.Cb, img.CStride, colourWidth, colourHeight}, {img.Cr, img.CStride, colourWidth, colourHeight}} {
		planes[i] = make([]byte, width*height)
		err := average(ctx, planes[i], width, height, from.width, from.height, 1, func(y int) []byte {
			return from.pix[y*from.stride : y*from.stride+from.width]
		})
		if err != nil {
			return err
		}
	}
	for i := range planes[0] {
		r, g, b := color.YCbCrToRGB(planes[0][i], planes[1][i], planes[2][i])
		small.Pix[4*i], small.Pix[4*i+1], small.Pix[4*i+2], small.Pix[4*i+3] = r, g, b, 0xFF
	}
	return nil
}

// A span is the part of a line that one pixel of the result stands for: pixels first to last,
// of which the first and the last count with weights, and those between with the whole. The
// weights of a span amount to the length of the line.
type span struct {
	first, last int
	head, tail  uint32
}

// spans divides a line of from pixels among to pixels. The whole weight of a pixel is to.
func spans(from, to int) []span {
	list := make([]span, to)
	for i := range list {
		begin, end := i*from, (i+1)*from // in units of 1/to of a pixel
		s := span{first: begin / to, last: (end - 1) / to}
		s.head = uint32(min(end, (s.first+1)*to) - begin)
		if s.last > s.first {
			s.tail = uint32(end - s.last*to)
		}
		list[i] = s
	}
	return list
}

// average writes width × height pixels of so many channels, each the average of its area of a
// picture of fromWidth × fromHeight, whose rows are asked for in order, some of them twice.
func average(ctx context.Context, to []byte, width, height, fromWidth, fromHeight, channels int, row func(y int) []byte) error {
	across, down := spans(fromWidth, width), spans(fromHeight, height)
	sums := make([]uint32, width*channels) // of the row of number summed
	totals := make([]uint64, width*channels)
	summed := -1
	weight := uint64(fromWidth) * uint64(fromHeight)
	for y, s := range down {
		if err := ctx.Err(); err != nil {
			return err
		}
		clear(totals)
		for from := s.first; from <= s.last; from++ {
			if from != summed {
				sumRow(sums, row(from), across, uint32(width), channels)
				summed = from
			}
			share := uint64(height)
			switch from {
			case s.first:
				share = uint64(s.head)
			case s.last:
				share = uint64(s.tail)
			}
			for i, sum := range sums {
				totals[i] += share * uint64(sum)
			}
		}
		line := to[y*width*channels : (y+1)*width*channels]
		for i, total := range totals {
			line[i] = byte((total + weight/2) / weight)
		}
	}
	return nil
}

// sumRow adds up the pixels of a row for each span, whole being the weight of a whole pixel.
func sumRow(sums []uint32, row []byte, across []span, whole uint32, channels int) {
	if channels == 1 {
		for i, s := range across {
			sum := uint32(0)
			if s.last > s.first+1 {
				for _, v := range row[s.first+1 : s.last] {
					sum += uint32(v)
				}
			}
			sums[i] = sum*whole + uint32(row[s.first])*s.head + uint32(row[s.last])*s.tail
		}
		return
	}
	for i, s := range across {
		var r, g, b, a uint32
		for p := row[4*s.first+4 : max(4*s.last, 4*s.first+4)]; len(p) >= 4; p = p[4:] {
			r += uint32(p[0])
			g += uint32(p[1])
			b += uint32(p[2])
			a += uint32(p[3])
		}
		first, last, sum := row[4*s.first:4*s.first+4], row[4*s.last:4*s.last+4], sums[4*i:4*i+4]
		sum[0] = r*whole + uint32(first[0])*s.head + uint32(last[0])*s.tail
		sum[1] = g*whole + uint32(first[1])*s.head + uint32(last[1])*s.tail
		sum[2] = b*whole + uint32(first[2])*s.head + uint32(last[2])*s.tail
		sum[3] = a*whole + uint32(first[3])*s.head + uint32(last[3])*s.tail
	}
}
