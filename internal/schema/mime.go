package schema

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
	"github.com/gabriel-vasile/mimetype"
)

const octetStream = "application/octet-stream"

// MIMEType returns the MIME type of bytes for a file field of type t, or for any
// field if t is empty. It uses the declared type, which may be empty, and the type
// detected in data, which is nil if the bytes are not available. Both must fit t,
// otherwise MIMEType returns an error. If data reveals only a family, such as plain
// text or a ZIP archive, a declared member of the family counts.
func MIMEType(t, declared string, data []byte) (string, error) {
	if declared != "" {
		base, _, err := mime.ParseMediaType(declared)
		if err != nil || !strings.Contains(base, "/") {
			return "", fmt.Errorf("a MIME type expected, got %s", value.Show(declared))
		}
		declared = base
		if !Fits(t, declared) {
			return "", fmt.Errorf("the declared type %s does not fit %s", declared, t)
		}
	}
	if data == nil {
		return declared, nil
	}
	if len(data) == 0 && t != Text {
		return "", errors.New("the data is empty")
	}
	node := mimetype.Detect(data)
	detected, _, _ := strings.Cut(node.String(), ";")
	if detected == octetStream && lacksSignature(declared, data) {
		return "", fmt.Errorf("the data does not begin as %s does", declared)
	}
	plainText := (t == Text || t == "") && detected == "text/plain" // the detector knows few kinds of text
	if declared != "" && (detected == octetStream || plainText || isKindOf(declared, node) || sameContainer(declared, detected)) {
		return declared, nil
	}
	if !Fits(t, detected) {
		return "", fmt.Errorf("the data is %s, which does not fit %s", detected, t)
	}
	return detected, nil
}

// signatures are the first bytes of the types that always begin with them. For other
// types, such as videos, the declared type counts.
var signatures = map[string][]string{
	"image/png":  {"\x89PNG\r\n\x1a\n"},
	"image/jpeg": {"\xff\xd8\xff"},
	"image/jpg":  {"\xff\xd8\xff"},
	"image/gif":  {"GIF87a", "GIF89a"},
	"image/webp": {"RIFF"},
}

// pdfHeader is found within the first pdfWithin bytes of a PDF file.
const (
	pdfHeader = "%PDF-"
	pdfWithin = 1024
)

// lacksSignature reports whether data cannot be of the MIME type, since it lacks the
// type's signature.
func lacksSignature(mimeType string, data []byte) bool {
	if mimeType == "application/pdf" {
		return !bytes.Contains(data[:min(len(data), pdfWithin)], []byte(pdfHeader))
	}
	prefixes, ok := signatures[strings.ToLower(mimeType)]
	return ok && !slices.ContainsFunc(prefixes, func(prefix string) bool { return bytes.HasPrefix(data, []byte(prefix)) })
}

// isKindOf reports whether mimeType is below node in the tree of types.
func isKindOf(mimeType string, node *mimetype.MIME) bool {
	for m := mimetype.Lookup(mimeType); m != nil; m = m.Parent() {
		if m.Is(node.String()) {
			return true
		}
	}
	return false
}

// sameContainer reports whether two types name the same container, for sound or for
// pictures, as audio/webm and video/webm do.
func sameContainer(a, b string) bool {
	familyA, kindA, _ := strings.Cut(a, "/")
	familyB, kindB, _ := strings.Cut(b, "/")
	media := func(family string) bool { return family == "audio" || family == "video" || family == "application" }
	return kindA == kindB && media(familyA) && media(familyB)
}

// Fits reports whether bytes of the MIME type can be a value of a file field of type t.
// If t is empty, any can.
func Fits(t, mimeType string) bool {
	family, kind, _ := strings.Cut(mimeType, "/")
	switch t {
	case "":
		return true
	case Text:
		return family == "text" || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "xml") ||
			kind == "javascript" || kind == "yaml" || kind == "x-yaml" || kind == "sql"
	case Image:
		return family == "image"
	case Audio:
		return family == "audio" || mimeType == "application/ogg"
	case Video:
		return family == "video" || mimeType == "image/gif" || mimeType == "application/mp4"
	case PDF:
		return mimeType == "application/pdf"
	case Excel:
		return mimeType == "text/csv" || mimeType == "application/csv" ||
			strings.HasPrefix(mimeType, "application/vnd.ms-excel") ||
			strings.HasPrefix(mimeType, "application/vnd.openxmlformats-officedocument.spreadsheetml.")
	}
	return false
}

// TypeFor returns the type of a file field for bytes of the declared MIME type, or ""
// if there is none.
func TypeFor(declared string) string {
	base, _, err := mime.ParseMediaType(declared)
	if err != nil {
		return ""
	}
	for _, t := range []string{Image, Video, Audio, PDF, Excel, Text} {
		if Fits(t, base) {
			return t
		}
	}
	return ""
}

// DeclaredBy returns the MIME type that a filename declares for a field of type t, or
// "" if only the bytes count. They do not for a CSV file of one column, which looks
// like plain text.
func DeclaredBy(t, filename string) string {
	if t == Excel && strings.EqualFold(filepath.Ext(filename), ".csv") {
		return "text/csv"
	}
	return ""
}
