package schema

import (
	"errors"
	"fmt"
	"mime"
	"path"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

const octetStream = "application/octet-stream"

// mediaType is a MIME type with the one parameter that is kept.
type mediaType struct {
	base    string // in lower case; empty if there is none
	charset string // empty if there is none
}

// parseMediaType parses a MIME type that somebody gave. The empty string is the zero
// mediaType.
func parseMediaType(s string) (mediaType, error) {
	if strings.TrimSpace(s) == "" {
		return mediaType{}, nil
	}
	base, params, err := mime.ParseMediaType(s)
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) || !strings.Contains(base, "/") {
		return mediaType{}, fmt.Errorf("a MIME type expected, got %s", value.Show(s))
	}
	return mediaType{base, params["charset"]}, nil
}

// named returns a MIME type with the charset of m, if the type is one of text.
func (m mediaType) named(base string) string {
	if m.charset == "" || !Fits(Text, base) {
		return base
	}
	if full := mime.FormatMediaType(base, map[string]string{"charset": m.charset}); full != "" {
		return full
	}
	return base
}

// isUTF8 reports whether a charset is UTF-8, by either of its names.
func isUTF8(charset string) bool {
	return strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
}

// Base returns a MIME type without its parameters.
func Base(mimeType string) string {
	base, _, _ := strings.Cut(mimeType, ";")
	return strings.TrimSpace(base)
}

// silent are the MIME types by which programs say that they do not know.
var silent = []string{
	octetStream, "binary/octet-stream", "application/unknown", "unknown/unknown", "content/unknown", "*/*",
	"application/binary", "application/download", "application/force-download", "multipart/form-data",
}

// saysNothing reports whether a declared type says nothing about bytes for a field of
// type t: it is one of silent, or an alias that does not fit. Unregistered types are
// aliases, as in application/x-pdf. So are the types that systems without better
// knowledge give to CSV files.
func (m mediaType) saysNothing(t, filename string) bool {
	switch {
	case slices.Contains(silent, m.base):
		return true
	case Fits(t, m.base):
		return false
	case m.base == "text/plain", m.base == "application/zip": // which workbooks are
		return t == Excel
	case m.base == "application/vnd.ms-excel":
		return slices.Contains([]string{".csv", ".tsv", ".txt"}, extension(filename))
	case slices.Contains(markup, m.base):
		return t == Excel && extension(filename) == ".xls"
	}
	return strings.HasPrefix(m.base, "application/x-")
}

// markup are the types of pages. Spreadsheets in HTML or XML are saved with the
// extension of Excel.
var markup = []string{"text/html", "text/xml", "application/xml", "application/xhtml+xml"}

// extension returns the extension of a filename in lower case, with its dot.
func extension(filename string) string { return strings.ToLower(path.Ext(filename)) }

// Fits reports whether a declared MIME type is one of a file field of type t. If t is
// empty, any is. Audio and Video share the types of containers, which hold either.
func Fits(t, mimeType string) bool {
	base := Base(mimeType)
	family, kind, _ := strings.Cut(base, "/")
	switch t {
	case "", File:
		return true
	case Text:
		return isTextual(base)
	case Image:
		return family == "image" || base == "application/dicom"
	case Audio:
		return family == "audio" || family == "video" && formats[kind] != "" || slices.Contains(mediaApplications, base)
	case Video:
		return family == "video" || family == "audio" && isContainer(formats[kind]) || base == "image/gif" || slices.Contains(mediaApplications, base)
	case PDF:
		return base == "application/pdf"
	case Excel:
		return slices.Contains(sheets, base) || strings.HasPrefix(base, "application/vnd.ms-excel") ||
			strings.HasPrefix(base, "application/vnd.openxmlformats-officedocument.spreadsheetml.")
	case Document:
		return isTextual(base) || isDocument(base)
	}
	return false
}

// sheets are the types of spreadsheets that are text.
var sheets = []string{"text/csv", "application/csv", "text/x-csv", "text/comma-separated-values", "text/tab-separated-values"}

// mediaApplications are the containers that are registered for applications.
var mediaApplications = []string{"application/ogg", "application/mp4", "application/vnd.ms-asf", "application/vnd.rn-realmedia", "application/vnd.rn-realmedia-vbr"}

// isTextual reports whether the MIME type is one of text.
func isTextual(base string) bool {
	family, kind, _ := strings.Cut(base, "/")
	if family == "text" || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "xml") {
		return true
	}
	switch kind {
	case "javascript", "x-javascript", "ecmascript", "typescript", "yaml", "x-yaml", "toml", "sql", "x-sql", "graphql",
		"rtf", "csv", "x-subrip", "x-srt", "x-sh", "x-tex", "x-latex":
		return family == "application"
	}
	return false
}

// isDocument reports whether the MIME type is one of a document that is no plain text:
// PDF, office, EPUB, mail, or an archive of those.
func isDocument(base string) bool {
	for _, prefix := range []string{
		"application/vnd.openxmlformats-officedocument.", "application/vnd.oasis.opendocument.", "application/vnd.sun.xml.",
		"application/vnd.ms-excel", "application/vnd.ms-word", "application/vnd.ms-powerpoint", "message/",
	} {
		if strings.HasPrefix(base, prefix) {
			return true
		}
	}
	switch base {
	case "application/pdf", "application/msword", "application/vnd.ms-outlook", "application/vnd.ms-publisher", "application/vnd.visio",
		"application/vnd.ms-visio.drawing", "application/vnd.ms-project", "application/vnd.ms-xpsdocument", "application/onenote",
		"application/vnd.apple.pages", "application/vnd.apple.numbers", "application/vnd.apple.keynote",
		"application/x-ole-storage", "application/epub+zip", "application/zip", "application/x-zip", "application/x-zip-compressed":
		return true
	}
	return false
}

// TypeFor returns the type of a file field for bytes of the declared MIME type, or ""
// if there is none. It is never Document or File, which hold more than one kind.
func TypeFor(declared string) string {
	m, err := parseMediaType(declared)
	if err != nil || m.base == "" {
		return ""
	}
	order := []string{Image, Video, Audio, PDF, Excel, Text}
	if strings.HasPrefix(m.base, "audio/") || m.base == "application/ogg" {
		order = []string{Audio}
	}
	for _, t := range order {
		if Fits(t, m.base) {
			return t
		}
	}
	return ""
}
