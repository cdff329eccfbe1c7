package schema_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/schema"
)

// iso returns content in ISO BMFF with the brands.
func iso(brand string, compatible ...string) string {
	size := binary.BigEndian.AppendUint32(nil, uint32(16+4*len(compatible)))
	return string(size) + "ftyp" + brand + "\x00\x00\x00\x00" + strings.Join(compatible, "") + "\x00\x00\x00\x08free" + noise
}

// entries returns a ZIP archive of empty entries, as far as its first bytes go.
func entries(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		header := make([]byte, 30)
		copy(header, "PK\x03\x04\x14")
		binary.LittleEndian.PutUint16(header[26:], uint16(len(name)))
		b.Write(header)
		b.WriteString(name)
	}
	return b.String()
}

// archiveOf returns a ZIP archive whose first entry tells its MIME type.
func archiveOf(mimeType string) string {
	return entries("mimetype") + mimeType + entries("content.xml")
}

// program returns a program for Windows.
func program() string {
	head := make([]byte, 256)
	copy(head, "MZ\x90\x00")
	head[60] = 128
	copy(head[128:], "PE\x00\x00d\x86")
	return string(head)
}

func tarball() string {
	head := make([]byte, 512)
	copy(head, "a.txt")
	copy(head[257:], "ustar\x0000")
	return string(head)
}

const (
	noise = "\x00\x01\xfa\x00\x01\xfa\x00\x01\xfa\x00\x01\xfa\x00\x01\xfa\x00\x01\xfa\x00\x01\xfa\x00\x01\xfa"
	png   = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01"
	jpeg  = "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01"
	gif   = "GIF89a\x01\x00\x01\x00\x80\x00\x00"
	tiff  = "II*\x00\x08\x00\x00\x00"
	webp  = "RIFF\x24\x00\x00\x00WEBPVP8 "
	pdf   = "%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
	ebml  = "\x1a\x45\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x1f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82"
	webm  = ebml + "\x84webm" + noise
	mkv   = ebml + "\x88matroska" + noise
	opus  = "OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x13OpusHead\x01"
	ogv   = "OggS\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x2a\x80theora\x03"
	asf   = "\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c" + noise
	wav   = "RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00"
	avi   = "RIFF\x24\x00\x00\x00AVI LIST"
	mp3   = "ID3\x03\x00\x00\x00\x00\x00\x0aTIT2" + noise
	frame = "\xff\xfb\x90\x64\x00\x00\x00\x00" + noise
	flac  = "fLaC\x00\x00\x00\x22\x10\x00"
	mpg   = "\x00\x00\x01\xba\x44\x00\x04\x00"
	elf   = "\x7fELF\x02\x01\x01\x00"
	gz    = "\x1f\x8b\x08\x00\x00\x00\x00\x00"
	ole   = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00\x00\x00\x00"
	page  = "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n"

	xlsx       = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	xlsm       = "application/vnd.ms-excel.sheet.macroenabled.12"
	docx       = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
	odt        = "application/vnd.oasis.opendocument.text"
	xls        = "application/vnd.ms-excel"
	octets     = "application/octet-stream"
	refused    = ""
	anyPlace   = ""
	noName     = ""
	undeclared = ""
)

// The beginnings of real files, in the fields and under the names that people give
// them.
func TestContentType(t *testing.T) {
	t.Parallel()
	sheet, word, archive := entries("[Content_Types].xml", "xl/workbook.xml"), entries("[Content_Types].xml", "word/document.xml"), entries("a.txt", "b.png")
	tests := []struct {
		name, field, declared, filename, head string
		want                                  string // "" if it is refused
	}{
		// Signatures of another kind refuse, whatever else is said.
		{"PNG", schema.Image, undeclared, noName, png, "image/png"},
		{"PNG as PDF", schema.PDF, undeclared, noName, png, refused},
		{"PNG as PDF, octets", schema.PDF, octets, "a.pdf", png, refused},
		{"PNG in text", schema.Text, undeclared, noName, png, refused},
		{"PNG in a document", schema.Document, undeclared, "a.pdf", png, refused},
		{"PNG in a video", schema.Video, "video/mp4", "a.mp4", png, refused},
		{"PNG in a sheet", schema.Excel, "text/csv", "a.csv", png, refused},
		{"ELF in an image", schema.Image, undeclared, "a.png", elf, refused},
		{"program in audio", schema.Audio, undeclared, noName, program(), refused},
		{"tar in a document", schema.Document, undeclared, "a.tar", tarball(), refused},
		{"gzip in text", schema.Text, "text/plain", "a.txt", gz, refused},
		{"PDF in text", schema.Text, "text/plain", "a.txt", pdf, refused},
		{"PDF in a sheet", schema.Excel, undeclared, "a.csv", pdf, refused},
		{"video in an image", schema.Image, undeclared, noName, iso("isom"), refused},
		{"MP3 in a video", schema.Video, undeclared, noName, mp3, refused},
		{"FLAC in a video", schema.Video, undeclared, noName, flac, refused},
		{"page in a video", schema.Video, "video/mp4", "a.mp4", page, refused},
		{"page in an image", schema.Image, undeclared, noName, "\ufeff\n<HTML lang=en>", refused},
		{"page in PDF", schema.PDF, undeclared, noName, page, refused},
		{"HEIC in a video", schema.Video, undeclared, noName, iso("heic", "mif1"), refused},

		// A declared type of another family refuses.
		{"declared another family", schema.Image, "application/pdf", noName, png, refused},
		{"declared text", schema.Image, "text/plain", "a.png", png, refused},
		{"declared an image", schema.Video, "image/png", "a.mp4", iso("mp42"), refused},
		{"declared MP3", schema.Video, "audio/mpeg", "a.mp4", iso("mp42"), refused},
		{"declared ZIP", schema.Text, "application/zip", "a.txt", "hello", refused},
		{"declared nothing known", schema.Image, "picture", noName, png, refused},

		// A declared type whose signature the bytes lack refuses.
		{"noise declared PNG", schema.Image, "image/png", noName, noise, refused},
		{"noise declared JPEG", schema.Image, "image/jpeg", noName, noise, refused},
		{"noise declared GIF", schema.Video, "image/gif", noName, noise, refused},
		{"noise declared PDF", schema.PDF, "application/pdf", noName, noise, refused},
		{"noise in PDF", schema.PDF, undeclared, noName, noise, refused},
		{"text declared PDF", schema.Document, "application/pdf", "a.pdf", "hello", refused},
		{"text declared XLSX", schema.Excel, xlsx, noName, "a,b\n", refused},
		{"noise named PNG", schema.Image, undeclared, "a.png", noise, refused},
		{"PDF after other bytes", schema.PDF, "application/pdf", noName, "\x00\x01" + pdf, "application/pdf"},
		{"another image than declared", schema.Image, "image/jpeg", "a.jpg", png, "image/png"},

		// Everything else is the user's word.
		{"noise declared video", schema.Video, "video/mp4", noName, noise, "video/mp4"},
		{"noise in a video", schema.Video, undeclared, noName, noise, octets},
		{"noise in audio, named", schema.Audio, octets, "a.mp3", noise, "audio/mpeg"},
		{"text in a video", schema.Video, "video/mp4", "a.mp4", "no film", "video/mp4"},
		{"SVG", schema.Image, undeclared, noName, "<svg xmlns=\"http://www.w3.org/2000/svg\"/>", "image/svg+xml"},
		{"MP3 without a tag", schema.Audio, undeclared, noName, frame, "audio/mpeg"},
		{"unknown image", schema.Image, "image/x-unknown", noName, noise, "image/x-unknown"},

		// Containers are families.
		{"mp42", schema.Audio, undeclared, "recording_11.m4a", iso("mp42", "isom", "mp42"), "audio/mp4"},
		{"mp42, declared", schema.Audio, "audio/m4a", "recording_11.m4a", iso("mp42"), "audio/m4a"},
		{"mp42, unnamed", schema.Audio, undeclared, noName, iso("mp42"), "audio/mp4"},
		{"isom", schema.Audio, octets, "a.m4a", iso("isom"), "audio/mp4"},
		{"3GP", schema.Audio, undeclared, "Voice 011.m4a", iso("3gp4", "isom", "3gp4"), "audio/mp4"},
		{"3GP, unnamed", schema.Audio, undeclared, noName, iso("3gp4", "isom"), "audio/3gpp"},
		{"3GP, declared", schema.Audio, "audio/x-m4a", "Voice 011.m4a", iso("3gp4"), "audio/x-m4a"},
		{"declared a video", schema.Audio, "video/mp4", "a.mp4", iso("mp42"), "video/mp4"},
		{"M4A in a video", schema.Video, "video/mp4", "a.mp4", iso("M4A ", "mp42"), "video/mp4"},
		{"M4A in a video, unnamed", schema.Video, undeclared, noName, iso("M4A "), "video/mp4"},
		{"MSNV", schema.Video, undeclared, "a.mp4", iso("MSNV", "isom", "mp42"), "video/mp4"},
		{"MOV", schema.Video, undeclared, "a.mov", iso("qt  "), "video/quicktime"},
		{"MOV before ftyp", schema.Video, undeclared, noName, "\x00\x00\x00\x08wide\x00\x00\x10\x00mdat", "video/quicktime"},
		{"unknown brand", schema.Audio, undeclared, "a.m4a", iso("zzzz"), "audio/mp4"},
		{"unknown brand, video", schema.Video, "video/mp4", noName, iso("zzzz"), "video/mp4"},
		{"unknown brand, image", schema.Image, "image/heif", noName, iso("zzzz"), "image/heif"},
		{"HEIC", schema.Image, undeclared, "IMG_1.jpg", iso("heic", "mif1"), "image/heic"},
		{"AVIF", schema.Image, "image/avif", noName, iso("mif1", "avif"), "image/avif"},
		{"WebM of a browser", schema.Audio, undeclared, "rec.webm", webm, "audio/webm"},
		{"WebM of a browser, declared", schema.Audio, "video/webm", "rec.webm", webm, "video/webm"},
		{"WebM", schema.Video, undeclared, noName, webm, "video/webm"},
		{"MKA", schema.Audio, "audio/x-matroska", "a.mka", mkv, "audio/x-matroska"},
		{"MKA, unnamed", schema.Audio, undeclared, noName, mkv, "audio/x-matroska"},
		{"Ogg", schema.Audio, "application/ogg", "a.ogg", opus, "application/ogg"},
		{"Ogg, unnamed", schema.Video, undeclared, noName, ogv, "video/ogg"},
		{"WMA", schema.Audio, "audio/x-ms-wma", "a.wma", asf, "audio/x-ms-wma"},
		{"WMA, by name", schema.Audio, undeclared, "a.wma", asf, "audio/x-ms-wma"},
		{"WAV", schema.Audio, undeclared, noName, wav, "audio/wav"},
		{"WAV in a video", schema.Video, undeclared, noName, wav, "audio/wav"},
		{"AVI", schema.Video, "video/avi", noName, avi, "video/avi"},
		{"another container than declared", schema.Video, "video/mp4", noName, webm, "video/webm"},
		{"MPEG", schema.Video, undeclared, "a.mpg", mpg, "video/mpeg"},
		{"WebP", schema.Image, undeclared, noName, webp, "image/webp"},
		{"GIF", schema.Video, undeclared, noName, gif, "image/gif"},
		{"raw photo", schema.Image, undeclared, "a.nef", tiff, "image/x-nikon-nef"},
		{"ID3 before FLAC", schema.Audio, "audio/flac", noName, mp3, "audio/flac"},

		// Some declared types say nothing.
		{"octets", schema.PDF, octets, "a.pdf", pdf, "application/pdf"},
		{"octets of S3", schema.Image, "binary/octet-stream", noName, jpeg, "image/jpeg"},
		{"x-pdf", schema.PDF, "application/x-pdf", noName, pdf, "application/pdf"},
		{"CSV as text", schema.Excel, "text/plain", "a.csv", "a,b\n1,2\n", "text/csv"},
		{"CSV as text, unnamed", schema.Excel, "text/plain; charset=iso-8859-1", noName, "a,b\n\xe4,2\n", "text/csv; charset=iso-8859-1"},
		{"CSV as Excel", schema.Text, xls, "a.csv", "a,b\n1,2\n", "text/csv"},
		{"form", schema.Image, "application/x-www-form-urlencoded", noName, png, "image/png"},
		{"subtitles", schema.Text, "application/x-subrip", "clip.srt", "1\n00:02:16,612 --> 00:02:19,376\nHello\n\n", "application/x-subrip"},

		// Text that resembles something else is text all the same.
		{"header of PDF in text", schema.Text, "text/markdown", "magic.md", "# Magic\n\nA PDF begins with `%PDF-1.7`.\n", "text/markdown"},
		{"mail", schema.Text, "text/plain", "mail.txt", "From: a@example.com\nTo: b@example.com\n\nHello\n", "text/plain"},
		{"mail, undeclared", schema.Text, undeclared, "mail.txt", "From: a@example.com\nTo: b@example.com\n\nHello\n", "text/plain"},
		{"playlist", schema.Text, undeclared, "list.m3u8", "#EXTM3U\n#EXT-X-VERSION:3\n", "text/plain"},
		{"MZ", schema.Text, "text/plain", "codes.txt", "MZ is the country code of Mozambique.\n", "text/plain"},
		{"GIF89a", schema.Text, undeclared, noName, "GIF89a is a signature.\n", "text/plain"},
		{"P3", schema.Text, "text/markdown", "p3.md", "P3\n12 34 incidents\n255\n", "text/markdown"},
		{"Markdown by name", schema.Text, undeclared, "a.md", "# a\n", "text/markdown"},
		{"JSON", schema.Text, undeclared, noName, `{"a":1}`, "application/json"},
		{"HTML cells", schema.Excel, "text/csv", "links.csv", "<a href='https://example.com'>Example</a>,1\n", "text/csv"},
		{"JSON cells", schema.Excel, undeclared, "cells.csv", "{\"a\":1}\n{\"a\":2}\n", "text/csv"},
		{"one column", schema.Excel, undeclared, noName, "a\nb\n", "text/csv"},

		// Sheets.
		{"XLSX", schema.Excel, undeclared, noName, sheet, xlsx},
		{"XLSX declared ZIP", schema.Excel, "application/zip", "a.xlsx", sheet, xlsx},
		{"ZIP declared in a sheet", schema.Excel, "application/zip", "a.zip", archive, refused},
		{"XLSX declared CSV", schema.Excel, "text/csv", "a.csv", sheet, xlsx},
		{"XLSM", schema.Excel, undeclared, "a.xlsm", sheet, xlsm},
		{"XLSX, only begun", schema.Excel, xlsx, noName, "PK\x03\x04", xlsx},
		{"DOCX in a sheet", schema.Excel, undeclared, noName, word, refused},
		{"ODT in a sheet", schema.Excel, undeclared, noName, archiveOf(odt), refused},
		{"ZIP in a sheet", schema.Excel, undeclared, "a.zip", archive, refused},
		{"encrypted XLSX", schema.Excel, xlsx, noName, ole, xlsx},
		{"encrypted XLSX, by name", schema.Excel, octets, "a.xlsx", ole, xlsx},
		{"encrypted XLS", schema.Excel, undeclared, "a.xls", ole, xls},
		{"HTML XLS", schema.Excel, xls, "export.xls", page, xls},
		{"HTML XLS, declared HTML", schema.Excel, "text/html", "export.xls", page, xls},
		{"HTML in a sheet", schema.Excel, "text/html", "export.html", page, refused},
		{"XML XLS", schema.Excel, undeclared, "export.xls", "<?xml version=\"1.0\"?>\n<Workbook/>", xls},
		{"tabs XLS", schema.Excel, xls, "export.xls", "a\tb\n1\t2\n", xls},
		{"TSV", schema.Excel, undeclared, "a.tsv", "a\tb\n1\t2\n", "text/tab-separated-values"},

		// Documents.
		{"PDF", schema.Document, undeclared, noName, pdf, "application/pdf"},
		{"DOCX", schema.Document, undeclared, noName, word, docx},
		{"DOCX declared", schema.Document, docx, "a.docx", "PK\x03\x04", docx},
		{"ODT", schema.Document, undeclared, noName, archiveOf(odt), odt},
		{"EPUB", schema.Document, octets, "a.epub", archiveOf("application/epub+zip"), "application/epub+zip"},
		{"XLSX in a document", schema.Document, undeclared, noName, sheet, xlsx},
		{"DOC", schema.Document, "application/msword", "a.doc", ole, "application/msword"},
		{"RTF named DOC", schema.Document, undeclared, "a.doc", "{\\rtf1 hello}", "application/msword"},
		{"mail in a document", schema.Document, undeclared, "a.eml", "From: a@example.com\n\nHello\n", "message/rfc822"},
		{"page in a document", schema.Document, "text/html", "a.html", page, "text/html"},
		{"Markdown in a document", schema.Document, undeclared, "a.md", "# a\n", "text/markdown"},
		{"ZIP", schema.Document, "application/x-zip-compressed", "a.zip", archive, "application/x-zip-compressed"},
		{"MP3 in a document", schema.Document, undeclared, noName, mp3, refused},

		// Any bytes at all.
		{"file, PNG", schema.File, undeclared, noName, png, "image/png"},
		{"file, PNG declared otherwise", schema.File, "application/pdf", "a.pdf", png, "image/png"},
		{"file, noise", schema.File, undeclared, noName, noise, octets},
		{"file, noise declared PNG", schema.File, "image/png", noName, noise, octets},
		{"file, noise declared", schema.File, "chemical/x-pdb", noName, noise, "chemical/x-pdb"},
		{"file, text declared Markdown", schema.File, "text/markdown", noName, "# a\n", "text/markdown"},
		{"file, page declared a video", schema.File, "video/mp4", "a.mp4", page, "text/html"},
		{"file, page", schema.File, undeclared, noName, page, "text/html"},
		{"file, program", schema.File, undeclared, noName, program(), "application/vnd.microsoft.portable-executable"},
		{"file, APK", schema.File, "application/vnd.android.package-archive", noName, archive, "application/vnd.android.package-archive"},
		{"file, by name", schema.File, octets, "a.stl", noise, "model/stl"},
		{"any field", anyPlace, undeclared, noName, pdf, "application/pdf"},
		{"any field, declared", anyPlace, "chemical/x-pdb", noName, "text", "chemical/x-pdb"},
		{"any field, noise declared PNG", anyPlace, "image/png", noName, noise, refused},

		// Nothing at all.
		{"empty text", schema.Text, undeclared, noName, "", "text/plain"},
		{"empty Markdown", schema.Text, "text/markdown", "a.md", "", "text/markdown"},
		{"empty CSV", schema.Excel, undeclared, "a.csv", "", "text/csv"},
		{"empty XLSX", schema.Excel, undeclared, "a.xlsx", "", refused},
		{"empty file", schema.File, undeclared, noName, "", octets},
		{"empty file declared PNG", schema.File, "image/png", noName, "", octets},
		{"empty file, named", schema.File, undeclared, "__init__.py", "", "text/x-python"},
		{"empty document", schema.Document, "text/plain", "a.txt", "", "text/plain"},
		{"empty PDF in a document", schema.Document, "application/pdf", "a.pdf", "", refused},
		{"empty image", schema.Image, "image/png", "a.png", "", refused},
		{"empty video", schema.Video, undeclared, noName, "", refused},
		{"empty PDF", schema.PDF, undeclared, noName, "", refused},

		// The charset of text is kept.
		{"Shift JIS", schema.Text, "text/plain; charset=Shift_JIS", noName, "\x93\xfa\x96\x7b", "text/plain; charset=Shift_JIS"},
		{"UTF-8", schema.Text, "text/plain; charset=UTF-8", noName, "\xe4\xb8\x80", "text/plain; charset=UTF-8"},
		{"of an image", schema.Image, "image/png; charset=binary", noName, png, "image/png"},
		{"other parameters", schema.Text, "text/markdown; variant=GFM", noName, "# a", "text/markdown"},
	}
	seen := make(map[string]bool)
	for _, test := range tests {
		if seen[test.name] {
			t.Fatalf("two tests are named %q", test.name)
		}
		seen[test.name] = true
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := schema.Content{Declared: test.declared, Filename: test.filename, Head: []byte(test.head)}
			got, err := c.Type(test.field)
			if (err == nil) != (test.want != refused) || got != test.want && err == nil {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
			// Nothing is refused before the bytes come that fits with them.
			c.Head = nil
			if _, e := c.Type(test.field); e != nil && err == nil {
				t.Errorf("got %v without the bytes, which fit", e)
			}
		})
	}
}

// A server's word counts if it fits, or if the bytes bear it out.
func TestContentClaimed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		field, claimed, head, want string
	}{
		"right":                  {schema.Image, "image/png", png, "image/png"},
		"wrong":                  {schema.Image, "text/html; charset=utf-8", png, "image/png"},
		"no type":                {schema.Image, "no type", png, "image/png"},
		"a page":                 {schema.Video, "text/html", page, refused},
		"a page in an image":     {schema.Image, "text/html; charset=utf-8", page, refused},
		"an error of an API":     {schema.Audio, "application/json", `{"error":"expired"}`, refused},
		"text by default":        {schema.Video, "text/plain", "\x00\x01", octets},
		"octets":                 {schema.Audio, octets, noise, octets},
		"fits what nobody knows": {schema.Image, "image/x-unknown", noise, "image/x-unknown"},
		"charset":                {schema.Text, "Text/Plain; charset=latin1", "\xe4", "text/plain; charset=latin1"},
		"charset that is usual":  {schema.Text, "Text/Markdown; charset=utf-8", "# a", "text/markdown"},
		"page wanted":            {schema.Text, "text/html", page, "text/html"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := schema.Content{Claimed: test.claimed, Head: []byte(test.head)}.Type(test.field)
			if (err == nil) != (test.want != refused) || got != test.want && err == nil {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
		})
	}
}

// Where documents are let into text, those that are declared are.
func TestContentDocuments(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		field, declared, head, want string
	}{
		"ZIP":             {schema.Text, "application/zip", entries("a.txt"), "application/zip"},
		"PDF":             {schema.Text, "application/pdf", pdf, "application/pdf"},
		"text":            {schema.Text, "text/plain", "hello", "text/plain"},
		"text as ZIP":     {schema.Text, "application/zip", "hello", "text/plain"},
		"noise as ZIP":    {schema.Text, "application/zip", noise, "text/plain"}, // which TextCheck refuses
		"image":           {schema.Text, "image/png", png, refused},
		"image as ZIP":    {schema.Text, "application/zip", png, refused},
		"ZIP as octets":   {schema.Text, octets, entries("a.txt"), refused},
		"ZIP in an image": {schema.Image, "application/zip", entries("a.txt"), refused},
		"empty as ZIP":    {schema.Text, "application/zip", "", "text/plain"},
		"ZIP in PDF":      {schema.PDF, "application/zip", entries("a.txt"), refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := schema.Content{Declared: test.declared, Documents: true, Head: []byte(test.head)}
			got, err := c.Type(test.field)
			if (err == nil) != (test.want != refused) || got != test.want && err == nil {
				t.Errorf("got %q, %v, want %q", got, err, test.want)
			}
			c.Head = nil
			if _, e := c.Type(test.field); e != nil && err == nil {
				t.Errorf("got %v without the bytes, which fit", e)
			}
		})
	}
}
