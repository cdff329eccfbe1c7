package schema_test

import (
	"testing"

	"github.com/bucketlite/bucketlite/internal/schema"
)

func TestFits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		typ, mimeType string
		want          bool
	}{
		{schema.Text, "text/html", true}, {schema.Text, "application/ld+json", true}, {schema.Text, "image/png", false},
		{schema.Text, "text/plain; charset=latin1", true}, {schema.Text, "application/zip", false},
		{schema.Image, "image/gif", true}, {schema.Video, "image/gif", true},
		{schema.Video, "audio/ogg", true}, {schema.Video, "audio/mpeg", false}, {schema.Video, "audio/x-ms-wma", true},
		{schema.Audio, "application/ogg", true}, {schema.Audio, "video/mp4", true}, {schema.Audio, "video/x-unknown", false},
		{schema.PDF, "application/pdf", true}, {schema.PDF, "text/plain", false},
		{schema.Excel, "text/csv", true}, {schema.Excel, "application/vnd.ms-excel.sheet.macroenabled.12", true}, {schema.Excel, odt, false},
		{schema.Document, "application/pdf", true}, {schema.Document, odt, true}, {schema.Document, "message/rfc822", true}, {schema.Document, "text/markdown", true},
		{schema.Document, "image/png", false}, {schema.Document, "application/gzip", false},
		{schema.File, "anything/else", true}, {"", "anything/else", true}, {schema.String, "text/plain", false},
	} {
		if got := schema.Fits(test.typ, test.mimeType); got != test.want {
			t.Errorf("%s as %s: got %t, want %t", test.mimeType, test.typ, got, test.want)
		}
	}
}

func TestTypeFor(t *testing.T) {
	t.Parallel()
	for declared, want := range map[string]string{
		"image/gif": schema.Image, "video/mp4": schema.Video, "audio/mpeg": schema.Audio, "audio/mp4": schema.Audio, "application/ogg": schema.Audio,
		"application/pdf": schema.PDF, "text/csv; charset=utf-8": schema.Excel, "text/html": schema.Text, "application/zip": "", octets: "", "": "", "/": "",
	} {
		if got := schema.TypeFor(declared); got != want {
			t.Errorf("%q: got %q, want %q", declared, got, want)
		}
	}
}

// The hosted service has other names for two types.
func TestHosted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, typ string
		want      bool
	}{
		{"DOCUMENT", schema.Document, true}, {"pdf", schema.Document, true}, {"text", schema.Document, false},
		{"text", schema.File, true}, {"file", schema.File, true}, {"document", schema.PDF, false}, {"PDF", schema.PDF, true},
	} {
		if got := schema.Names(test.name, test.typ); got != test.want {
			t.Errorf("%s for %s: got %t, want %t", test.name, test.typ, got, test.want)
		}
	}
}
