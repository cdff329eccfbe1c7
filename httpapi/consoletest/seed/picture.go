package seed

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math"
)

// picture draws a landscape of its own for each number, as JPEG.
func picture(n, width, height int) io.Reader {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	hue := math.Mod(float64(n)*137.5, 360)
	sky, ground := colour(hue, 0.45, 0.9), colour(hue+150, 0.35, 0.35)
	sun := image.Pt(width*(2+n%5)/8, height*(2+n%3)/8)
	radius := height / 7
	for y := range height {
		for x := range width {
			c := mix(sky, colour(hue+40, 0.25, 1), float64(y)/float64(height))
			if dx, dy := x-sun.X, y-sun.Y; dx*dx+dy*dy < radius*radius {
				c = colour(hue+60, 0.2, 1)
			}
			for hill := range 3 {
				wave := math.Sin(float64(x)/float64(width)*math.Pi*(1.5+float64((n+hill)%3))+float64(n+hill*2)) * float64(height) / 12
				if float64(y) > float64(height)*(0.55+0.14*float64(hill))+wave {
					c = mix(ground, sky, 0.5-0.25*float64(hill))
				}
			}
			m.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 80}); err != nil {
		return failing{err}
	}
	return &b
}

// stamp is a PNG with transparent corners.
func stamp(n int) io.Reader {
	const edge = 96
	m := image.NewNRGBA(image.Rect(0, 0, edge, edge))
	c := colour(float64(n)*61, 0.6, 0.8)
	for y := range edge {
		for x := range edge {
			if dx, dy := x-edge/2, y-edge/2; dx*dx+dy*dy < edge*edge/4 {
				m.Set(x, y, c)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return failing{err}
	}
	return &b
}

// colour converts hue (in degrees), saturation and value.
func colour(hue, saturation, value float64) color.RGBA {
	channel := func(n float64) uint8 {
		k := math.Mod(n+hue/60, 6)
		return uint8(255 * (value - value*saturation*max(0, min(k, 4-k, 1))))
	}
	return color.RGBA{channel(5), channel(3), channel(1), 255}
}

func mix(a, b color.RGBA, share float64) color.RGBA {
	at := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*share) }
	return color.RGBA{at(a.R, b.R), at(a.G, b.G), at(a.B, b.B), 255}
}
