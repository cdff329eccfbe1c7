package schema_test

import (
	"testing"

	"github.com/bucketlite/bucketlite/internal/schema"
)

const (
	png = "\x89PNG\r\n\x1a\n0000"
	pdf = "%PDF-1.7\n"
	zip = "PK\x03\x04"
)

func TestMIMEType(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		typ, declared string
		data          []byte
		want          string // "" for an error
	}{
		"detected":                {schema.Image, "", []byte(png), "image/png"},
		"declared and detected":   {schema.Image, "image/png", []byte(png), "image/png"},
		"declared in part":        {schema.Image, "image/png; q=1", []byte(png), "image/png"},
		"declared elsewhere":      {schema.Image, "image/png", nil, "image/png"},
		"declared does not fit":   {schema.Image, "text/plain", nil, ""},
		"declared is no type":     {schema.Image, "png", nil, ""},
		"detected does not fit":   {schema.Image, "", []byte(pdf), ""},
		"detected differs":        {schema.PDF, "application/pdf", []byte(png), ""},
		"no signature":            {schema.Image, "image/png", []byte{0, 1, 2, 3}, ""},
		"no data":                 {schema.Image, "", []byte{}, ""},
		"empty text":              {schema.Text, "", []byte{}, "text/plain"},
		"a kind of text":          {schema.Text, "application/x-yaml", []byte("a: 1"), "application/x-yaml"},
		"unknown bytes of video":  {schema.Video, "video/mp4", []byte{0, 1, 2, 3}, "video/mp4"},
		"later header":            {schema.PDF, "application/pdf", []byte{0, '%', 'P', 'D', 'F', '-'}, "application/pdf"},
		"archive of a sheet":      {schema.Excel, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", []byte(zip), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		"any field":               {"", "", []byte(pdf), "application/pdf"},
		"any field, any declared": {"", "chemical/x-pdb", []byte("text"), "chemical/x-pdb"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := schema.MIMEType(test.typ, test.declared, test.data)
			if (err == nil) != (test.want != "") {
				t.Errorf("got error %v, want one: %t", err, test.want == "")
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		typ, mimeType string
		want          bool
	}{
		{schema.Text, "text/html", true}, {schema.Text, "application/ld+json", true}, {schema.Text, "image/png", false},
		{schema.Image, "image/gif", true}, {schema.Video, "image/gif", true}, {schema.Video, "audio/ogg", false},
		{schema.Audio, "application/ogg", true}, {schema.PDF, "application/pdf", true}, {schema.PDF, "text/plain", false},
		{schema.Excel, "text/csv", true}, {schema.Excel, "application/vnd.ms-excel.sheet.macroenabled.12", true},
		{"", "anything/else", true}, {schema.String, "text/plain", false},
	} {
		if got := schema.Fits(test.typ, test.mimeType); got != test.want {
			t.Errorf("%s as %s: got %t, want %t", test.mimeType, test.typ, got, test.want)
		}
	}
}

func TestTypeFor(t *testing.T) {
	t.Parallel()
	for declared, want := range map[string]string{
		"image/gif": schema.Image, "video/mp4": schema.Video, "audio/mpeg": schema.Audio, "application/pdf": schema.PDF,
		"text/csv; charset=utf-8": schema.Excel, "text/html": schema.Text, "application/zip": "", "": "", "/": "",
	} {
		if got := schema.TypeFor(declared); got != want {
			t.Errorf("%q: got %q, want %q", declared, got, want)
		}
	}
}

func TestDeclaredBy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ typ, filename, want string }{
		{schema.Excel, "a.CSV", "text/csv"}, {schema.Excel, "a.xlsx", ""}, {schema.Text, "a.csv", ""},
	} {
		if got := schema.DeclaredBy(test.typ, test.filename); got != test.want {
			t.Errorf("%s of %s: got %q, want %q", test.typ, test.filename, got, test.want)
		}
	}
}
