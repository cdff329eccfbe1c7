package record

import (
	"bytes"
	"encoding/csv"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// A reader returns the same however the text arrives, its lines rise, and it ends.
func FuzzReaders(f *testing.F) {
	for _, input := range samples {
		f.Add([]byte(input))
	}
	f.Add([]byte("\xFF\xFE\x00\xD8a\x00"))
	f.Add([]byte("a;b\r\"\"\r\n"))
	f.Fuzz(func(t *testing.T, input []byte) {
		for kind, open := range kinds {
			const most = 100
			whole := show(open(bytes.NewReader(input), most))
			if got := show(open(iotest.OneByteReader(bytes.NewReader(input)), most)); kind != "table" && !slices.Equal(whole, got) {
				t.Errorf("%s: got %q byte by byte, and %q at once", kind, got, whole)
			}
			line := 0
			r := open(bytes.NewReader(input), most)
			for rec, err := range All(r) {
				var fault *Fault
				if errors.As(err, &fault) {
					rec.Line = fault.First
				}
				if err == nil || fault != nil {
					if rec.Line < line {
						t.Errorf("%s: line %d after line %d", kind, rec.Line, line)
					}
					line = rec.Line
				}
			}
			if at := r.Position(); at.Bytes > int64(3*len(input)) {
				t.Errorf("%s: position %d in a text of %d bytes", kind, at.Bytes, len(input))
			}
		}
	})
}

// A Table agrees with encoding/csv on every text that encoding/csv accepts.
func FuzzTable(f *testing.F) {
	f.Add(samples["table"])
	f.Add("a,b\n\"x\"\"y\",\n")
	f.Fuzz(func(t *testing.T, input string) {
		if strings.ContainsAny(input, "\r\x00") || strings.HasPrefix(input, "\ufeff") || strings.HasPrefix(strings.ToLower(input), "sep=") {
			return // read differently, or a sign of UTF-16
		}
		oracle := csv.NewReader(strings.NewReader(input))
		rows, err := oracle.ReadAll()
		if err != nil || len(rows) == 0 {
			return
		}
		table := NewTable(strings.NewReader(input), TableOptions{Comma: ',', Charset: UTF8})
		if _, err := table.Columns(); err != nil {
			return // the names are no good
		}
		rows = slices.DeleteFunc(rows[1:], func(row []string) bool { return strings.Join(row, "") == "" })
		for _, want := range rows {
			rec, err := table.Next()
			if err != nil {
				if _, ok := err.(*Fault); ok && slices.Contains(table.columns, "") {
					continue
				}
				t.Fatalf("got %v, want %q", err, want)
			}
			for i, c := range rec.Cells {
				if c.Text != want[i] {
					t.Errorf("got %+v, want %q", rec.Cells, want)
				}
			}
		}
		if _, err := table.Next(); err == nil {
			t.Errorf("more rows than %q", rows)
		}
	})
}
