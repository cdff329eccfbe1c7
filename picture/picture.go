// Package picture reads what a picture says about itself: its size, and what its camera
// wrote down as EXIF. It decodes no pixels.
//
// It stands apart from package bucketlite, so that only programs that import pictures
// contain the EXIF library:
//
//	source := bucketlite.Folder(os.DirFS("photos"), &bucketlite.FolderOptions{Facts: picture.Facts})
package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strings"
	"time"

	"github.com/bep/imagemeta"
)

// The bounds on what is read of one file.
const (
	maxBytes = 16 << 20
	maxCalls = 50_000 // of Read and Seek
	maxTags  = 2_000
	maxTag   = 4 << 10 // bytes of a tag's value
)

// Facts returns facts about a picture, nil if r is no picture that is known: JPEG, PNG, GIF,
// WebP, TIFF, BMP, HEIF, AVIF, DNG, CR2, NEF, ARW, PEF. The kind is recognised by the content,
// and for raw pictures by the extension of name. It implements bucketlite.FactFunc.
//
//	width, height        in pixels as it is shown, so exchanged if Orientation turns it
//	taken                when it was taken: RFC 3339, without a zone if the camera has none
//	camera               the maker and the model
//	latitude, longitude  in degrees, north and east positive
//
// A fact that the picture does not have is absent. The error is one of r, or says that the
// picture is damaged or hostile: reading is bounded. Facts found before are returned with it.
func Facts(name string, r io.ReadSeeker) (map[string]any, error) {
	head := make([]byte, 32)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, err
	}
	head = head[:n]
	if width, height, ok := simple(head); ok {
		return sized(nil, width, height), nil
	}
	format := formatOf(name, head)
	if format == imagemeta.ImageFormatAuto {
		return nil, nil
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	tags := make(map[string]any)
	width, height, err := decode(r, format, imagemeta.EXIF|imagemeta.CONFIG, tags)
	if err != nil && width == 0 { // the size may stand behind damaged EXIF
		if _, e := r.Seek(0, io.SeekStart); e == nil {
			width, height, _ = decode(r, format, imagemeta.CONFIG, nil)
		}
	}
	if turned(tags["Orientation"]) && format != imagemeta.HEIF && format != imagemeta.AVIF {
		width, height = height, width
	}
	return sized(facts(tags), width, height), err
}

// sized adds the size, if there is one, and returns nil instead of no facts.
func sized(facts map[string]any, width, height int) map[string]any {
	if width > 0 && height > 0 {
		if facts == nil {
			facts = make(map[string]any)
		}
		facts["width"], facts["height"] = width, height
	}
	if len(facts) == 0 {
		return nil
	}
	return facts
}

// simple returns the size of a picture of a kind without EXIF.
func simple(head []byte) (width, height int, ok bool) {
	switch {
	case len(head) >= 10 && (bytes.HasPrefix(head, []byte("GIF87a")) || bytes.HasPrefix(head, []byte("GIF89a"))):
		return int(binary.LittleEndian.Uint16(head[6:])), int(binary.LittleEndian.Uint16(head[8:])), true
	case len(head) >= 26 && bytes.HasPrefix(head, []byte("BM")) && binary.LittleEndian.Uint32(head[14:]) >= 40:
		h := int32(binary.LittleEndian.Uint32(head[22:])) // negative if the rows go down
		return int(int32(binary.LittleEndian.Uint32(head[18:]))), int(max(h, -h)), true
	}
	return 0, 0, false
}

// rawFormats are the formats that look like TIFF, by extension.
var rawFormats = map[string]imagemeta.ImageFormat{
	".dng": imagemeta.DNG, ".cr2": imagemeta.CR2, ".nef": imagemeta.NEF, ".arw": imagemeta.ARW, ".pef": imagemeta.PEF,
}

// formatOf returns the format of a picture that begins with head, ImageFormatAuto if it is
// none.
func formatOf(name string, head []byte) imagemeta.ImageFormat {
	begins := func(at int, s string) bool { return len(head) >= at+len(s) && string(head[at:at+len(s)]) == s }
	switch {
	case begins(0, "\xFF\xD8\xFF"):
		return imagemeta.JPEG
	case begins(0, "\x89PNG\r\n\x1A\n"):
		return imagemeta.PNG
	case begins(0, "RIFF") && begins(8, "WEBP"):
		return imagemeta.WebP
	case begins(4, "ftypavif"), begins(4, "ftypavis"):
		return imagemeta.AVIF
	case begins(4, "ftyphei"), begins(4, "ftyphev"), begins(4, "ftypmif1"), begins(4, "ftypmsf1"):
		return imagemeta.HEIF
	case begins(0, "II*\x00"), begins(0, "MM\x00*"):
		if raw, ok := rawFormats[strings.ToLower(path.Ext(name))]; ok {
			return raw
		}
		return imagemeta.TIFF
	}
	return imagemeta.ImageFormatAuto
}

// wanted are the tags that facts come from.
var wanted = map[string]bool{
	"Orientation": true, "DateTimeOriginal": true, "OffsetTimeOriginal": true, "Make": true, "Model": true,
	"GPSLatitude": true, "GPSLatitudeRef": true, "GPSLongitude": true, "GPSLongitudeRef": true,
}

// decode reads the size and the wanted tags, as far as sources has them.
func decode(r io.ReadSeeker, format imagemeta.ImageFormat, sources imagemeta.Source, tags map[string]any) (width, height int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("picture: damaged: %v", p)
		}
	}()
	result, err := imagemeta.Decode(imagemeta.Options{
		R: &bounded{r: r}, ImageFormat: format, Sources: sources,
		LimitNumTags: maxTags, LimitTagSize: maxTag,
		// IFD1 describes the thumbnail.
		ShouldHandleTag: func(t imagemeta.TagInfo) bool { return wanted[t.Tag] && strings.HasPrefix(t.Namespace, "IFD0") },
		HandleTag: func(t imagemeta.TagInfo) error {
			if _, ok := tags[t.Tag]; !ok {
				tags[t.Tag] = t.Value
			}
			return nil
		},
	})
	if err != nil {
		err = fmt.Errorf("picture: %w", err)
	}
	return result.ImageConfig.Width, result.ImageConfig.Height, err
}

// turned reports whether an orientation exchanges width and height.
func turned(orientation any) bool {
	n := fmt.Sprint(orientation)
	return len(n) == 1 && n >= "5" && n <= "8"
}

// facts returns what the tags say.
func facts(tags map[string]any) map[string]any {
	facts := make(map[string]any)
	if taken, ok := taken(text(tags["DateTimeOriginal"]), text(tags["OffsetTimeOriginal"])); ok {
		facts["taken"] = taken
	}
	maker, model := text(tags["Make"]), text(tags["Model"])
	if name, _, _ := strings.Cut(maker, " "); strings.HasPrefix(strings.ToLower(model), strings.ToLower(name)) {
		maker = "" // the model repeats it
	}
	if camera := strings.TrimSpace(maker + " " + model); camera != "" {
		facts["camera"] = camera
	}
	latitude, ok := degrees(tags["GPSLatitude"], text(tags["GPSLatitudeRef"]) == "S", 90)
	longitude, ok2 := degrees(tags["GPSLongitude"], text(tags["GPSLongitudeRef"]) == "W", 180)
	if ok && ok2 && (latitude != 0 || longitude != 0) { // zeros stand for no position
		facts["latitude"], facts["longitude"] = latitude, longitude
	}
	return facts
}

// text returns a tag's text, or "" if it is none that can be stored.
func text(v any) string {
	s, _ := v.(string)
	return strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), ""))
}

// taken returns the RFC 3339 form of a time as EXIF writes it, with its zone if it is known.
func taken(s, zone string) (string, bool) {
	t, err := time.Parse("2006:01:02 15:04:05", s)
	if err != nil || t.Year() < 1 {
		return "", false
	}
	local := t.Format("2006-01-02T15:04:05")
	if _, err := time.Parse("-07:00", zone); err == nil {
		return local + zone, true
	}
	return local, true
}

// degrees returns an angle, and false if it is none.
func degrees(v any, negative bool, most float64) (float64, bool) {
	angle, ok := v.(float64)
	if !ok || math.IsNaN(angle) || angle < 0 || angle > most {
		return 0, false
	}
	if negative {
		angle = -angle
	}
	return angle, true
}

// errBound ends the reading of a picture that makes its reader read too much.
var errBound = errors.New("more than an honest picture needs was read")

// bounded bounds how much is read, in bytes and in calls.
type bounded struct {
	r     io.ReadSeeker
	bytes int
	calls int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.calls++; b.calls > maxCalls || b.bytes > maxBytes {
		return 0, errBound
	}
	n, err := b.r.Read(p)
	b.bytes += n
	return n, err
}

func (b *bounded) Seek(offset int64, whence int) (int64, error) {
	if b.calls++; b.calls > maxCalls {
		return 0, errBound
	}
	return b.r.Seek(offset, whence)
}
