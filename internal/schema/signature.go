package schema

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// evidence is proof by the first bytes of content: its MIME type, and the types of
// fields that take it. All other fields refuse it, whatever else is known.
type evidence struct {
	mime string
	fits []string
	// format is set if the bytes prove only a container: a key of [containers], or one
	// that evidence.covers knows. Then the name of a kind of it counts more than mime.
	format string
}

// A signature is bytes that begin content of a type, and of no other. Shorter ones,
// such as "MZ" or "BM", are no proof and not listed.
type signature struct {
	magic string
	mime  string
	fits  []string
}

var (
	pictures = []string{Image}
	sound    = []string{Audio}
	moving   = []string{Image, Video} // pictures that may move
	media    = []string{Audio, Video}
	anyMedia = []string{Image, Audio, Video}
	archives = []string{} // fits only fields that take anything
)

// signatures lists the types that are known by their first bytes alone.
var signatures = []signature{
	{"\x89PNG\r\n\x1a\n", "image/png", pictures},
	{"\xff\xd8\xff", "image/jpeg", pictures},
	{"GIF87a", "image/gif", moving},
	{"GIF89a", "image/gif", moving},
	{"II*\x00", "image/tiff", pictures},
	{"MM\x00*", "image/tiff", pictures},
	{"II+\x00\x08\x00", "image/tiff", pictures},
	{"MM\x00+\x00\x08", "image/tiff", pictures},
	{"8BPS\x00", "image/vnd.adobe.photoshop", pictures},
	{"\x00\x00\x00\x0cJXL \r\n\x87\n", "image/jxl", pictures},
	{"\x00\x00\x00\x0cjP  \r\n\x87\n", "image/jp2", moving}, // the same box begins Motion JPEG 2000
	{"\xff\x4f\xff\x51\x00", "image/jp2", pictures},
	{"\x76\x2f\x31\x01", "image/x-exr", pictures},

	{"fLaC\x00", "audio/flac", sound},
	{"fLaC\x80", "audio/flac", sound},
	{"MThd\x00\x00\x00\x06", "audio/midi", sound},
	{"caff\x00\x01", "audio/x-caf", sound},
	{".snd\x00", "audio/basic", sound},

	{"%PDF-", "application/pdf", []string{PDF, Document}},

	{"\x1f\x8b\x08", "application/gzip", archives},
	{"\xfd7zXZ\x00", "application/x-xz", archives},
	{"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", archives},
	{"Rar!\x1a\x07", "application/vnd.rar", archives},
	{"\x28\xb5\x2f\xfd", "application/zstd", archives},
	{"MSCF\x00\x00\x00\x00", "application/vnd.ms-cab-compressed", archives},
	{"\x7fELF", "application/x-elf", archives},
	{"\xcf\xfa\xed\xfe", "application/x-mach-binary", archives},
	{"\xce\xfa\xed\xfe", "application/x-mach-binary", archives},
	{"\xfe\xed\xfa\xcf", "application/x-mach-binary", archives},
	{"\xfe\xed\xfa\xce", "application/x-mach-binary", archives},
	{"\xca\xfe\xba\xbe", "application/x-java-applet", archives},
	{"\x00asm\x01\x00\x00\x00", "application/wasm", archives},
	{"SQLite format 3\x00", "application/vnd.sqlite3", archives},
	{"L\x00\x00\x00\x01\x14\x02\x00", "application/x-ms-shortcut", archives},
	{"wOF2\x00", "font/woff2", archives},
	{"wOFF\x00", "font/woff", archives},
	{"OTTO\x00", "font/otf", archives},
}

// prove returns the evidence of the first bytes of content; none if they could begin
// something else. A beginning that is plain text proves nothing but PDF.
func prove(head []byte) (e evidence, ok bool) {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			e := evidence{mime: s.mime, fits: s.fits}
			if s.mime == "image/tiff" {
				e.format = "tiff"
			}
			return e, s.mime == "application/pdf" || !isASCIIText(head)
		}
	}
	for _, prove := range []func([]byte) (evidence, bool){proveContainer, proveZIP, proveOLE, proveAudio, proveProgram, proveTar} {
		if e, ok := prove(head); ok {
			return e, !isASCIIText(head)
		}
	}
	return evidence{}, false
}

// isPage reports whether content begins as a page of HTML does, and no sound or
// picture. Servers send pages in place of files, such as one that asks for a password.
func isPage(head []byte) bool {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\ufeff")), " \t\r\n")
	start := strings.ToLower(string(head[:min(len(head), 15)]))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html>") || strings.HasPrefix(start, "<html ")
}

// isASCIIText reports whether the beginning of head is ASCII without control
// characters, except for white space.
func isASCIIText(head []byte) bool {
	for _, b := range head[:min(len(head), 512)] {
		if b < ' ' && !isSpace(b) || b >= 0x7f {
			return false
		}
	}
	return true
}

func isSpace(b byte) bool { return b == ' ' || '\t' <= b && b <= '\r' }

// proveAudio recognizes the formats of sound whose signature is more than one string:
// an ID3v2 tag, AIFF.
func proveAudio(head []byte) (evidence, bool) {
	if len(head) >= 10 && bytes.HasPrefix(head, []byte("ID3")) && head[3] < 5 && head[4] < 0xff && (head[6]|head[7]|head[8]|head[9]) < 0x80 {
		return evidence{mime: "audio/mpeg", fits: sound, format: "id3"}, true
	}
	if len(head) >= 12 && string(head[:4]) == "FORM" && (string(head[8:12]) == "AIFF" || string(head[8:12]) == "AIFC") {
		return evidence{mime: "audio/aiff", fits: sound}, true
	}
	return evidence{}, false
}

// proveProgram recognizes a program for Windows. "MZ" alone also begins texts.
func proveProgram(head []byte) (evidence, bool) {
	if len(head) < 64 || string(head[:2]) != "MZ" {
		return evidence{}, false
	}
	at := binary.LittleEndian.Uint32(head[60:])
	if int64(at)+4 > int64(len(head)) || string(head[at:at+4]) != "PE\x00\x00" {
		return evidence{}, false
	}
	return evidence{mime: "application/vnd.microsoft.portable-executable", fits: archives}, true
}

// proveTar recognizes a tar archive in the formats of POSIX and GNU.
func proveTar(head []byte) (evidence, bool) {
	ok := len(head) >= 512 && (string(head[257:263]) == "ustar\x00" || string(head[257:265]) == "ustar  \x00")
	return evidence{mime: "application/x-tar", fits: archives}, ok
}

// proveOLE recognizes the container of older office files, of encrypted newer ones,
// and of others.
func proveOLE(head []byte) (evidence, bool) {
	if !bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")) {
		return evidence{}, false
	}
	e := evidence{mime: mimetype.Detect(head).String(), fits: []string{Document}, format: "ole"}
	switch e.mime {
	case "application/x-ole-storage", "application/vnd.ms-excel":
		e.fits = []string{Document, Excel}
	case "application/x-ms-installer":
		e.fits, e.format = archives, ""
	}
	return e, true
}

// proveZIP recognizes a ZIP archive, and what kind of document it is.
func proveZIP(head []byte) (evidence, bool) {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x05\x06")), bytes.HasPrefix(head, []byte("PK\x07\x08")):
		return evidence{mime: "application/zip", fits: []string{Document}, format: "zip"}, true
	case !bytes.HasPrefix(head, []byte(zipEntry)):
		return evidence{}, false
	}
	e := evidence{mime: "application/zip", fits: []string{Document}, format: "zip"}
	for i, name := range zipNames(head) {
		switch {
		case i == 0 && name == "mimetype":
			if declared := zipMIME(head); declared != "" {
				e.mime, e.format = declared, ""
				return e, true
			}
		case strings.HasPrefix(name, "xl/"):
			return evidence{mime: office + "spreadsheetml.sheet", fits: []string{Document, Excel}, format: "xl"}, true
		case strings.HasPrefix(name, "word/"):
			return evidence{mime: office + "wordprocessingml.document", fits: []string{Document}, format: "word"}, true
		case strings.HasPrefix(name, "ppt/"):
			return evidence{mime: office + "presentationml.presentation", fits: []string{Document}, format: "ppt"}, true
		case strings.HasPrefix(name, "visio/"):
			return evidence{mime: "application/vnd.ms-visio.drawing", fits: []string{Document}, format: "visio"}, true
		case name == "[Content_Types].xml", strings.HasPrefix(name, "docProps/"), strings.HasPrefix(name, "_rels/"):
			e.fits = []string{Document, Excel} // one of those, which is not seen yet
		}
	}
	return e, true
}

const (
	zipEntry = "PK\x03\x04"
	office   = "application/vnd.openxmlformats-officedocument."
)

// zipNames returns the names of the entries that begin in head.
func zipNames(head []byte) (names []string) {
	for {
		at := bytes.Index(head, []byte(zipEntry))
		if at < 0 || len(head) < at+30 {
			return names
		}
		n := int(binary.LittleEndian.Uint16(head[at+26:]))
		head = head[at+30:]
		names = append(names, string(head[:min(n, len(head))]))
	}
}

// zipMIME returns the MIME type that the first entry holds, as in OpenDocument and
// EPUB files.
func zipMIME(head []byte) string {
	at := 30 + len("mimetype") + int(binary.LittleEndian.Uint16(head[28:]))
	if at >= len(head) {
		return ""
	}
	text := string(head[at:min(len(head), at+100)])
	text, _, _ = strings.Cut(text, "PK") // where the next entry begins
	if zipped(text) || strings.HasPrefix(text, "application/vnd.sun.xml.") {
		return strings.TrimSpace(text)
	}
	return ""
}

// begins lists the first bytes of the types that always begin with them. Content that
// is declared as one of them, and begins otherwise, is refused.
var begins = map[string][]string{
	"image/png":   {"\x89PNG\r\n\x1a\n"},
	"image/apng":  {"\x89PNG\r\n\x1a\n"},
	"image/jpeg":  {"\xff\xd8\xff"},
	"image/jpg":   {"\xff\xd8\xff"},
	"image/pjpeg": {"\xff\xd8\xff"},
	"image/gif":   {"GIF87a", "GIF89a"},
	"image/webp":  {"RIFF"},
	"image/bmp":   {"BM"},
	"image/tiff":  {"II*\x00", "MM\x00*", "II+\x00", "MM\x00+"},
}

// pdfHeader is found within the first pdfWithin bytes of a PDF file.
const (
	pdfHeader = "%PDF-"
	pdfWithin = 1024
)

// lacks reports whether content that begins with head cannot be of the MIME type,
// since it does not begin as that type always does.
func lacks(base string, head []byte) bool {
	if base == "application/pdf" {
		return !bytes.Contains(head[:min(len(head), pdfWithin)], []byte(pdfHeader))
	}
	prefixes := begins[base]
	if zipped(base) {
		prefixes = []string{"PK", "\xd0\xcf\x11\xe0"} // the second if it is encrypted
	}
	return prefixes != nil && !slices.ContainsFunc(prefixes, func(p string) bool { return bytes.HasPrefix(head, []byte(p)) })
}

// zipped reports whether files of the MIME type are ZIP archives.
func zipped(base string) bool {
	switch base {
	case "application/zip", "application/epub+zip":
		return true
	}
	return strings.HasPrefix(base, office) || strings.HasPrefix(base, "application/vnd.oasis.opendocument.") && !strings.HasSuffix(base, "xml")
}
