package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// encodings are the forms in which programs on Windows write text files.
var encodings = map[string]func(text string) string{
	"UTF-8":                    func(text string) string { return "\ufeff" + text },
	"UTF-16, little end first": func(text string) string { return encoded(binary.LittleEndian, text) },
	"UTF-16, big end first":    func(text string) string { return encoded(binary.BigEndian, text) },
}

func encoded(order binary.AppendByteOrder, text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

// TestByteOrderMarks reads every kind of text file with a byte order mark. A content that
// begins with one stays as it is.
func TestByteOrderMarks(t *testing.T) {
	t.Parallel()
	for name, encode := range encodings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := func(name, text string) string {
				path := filepath.Join(dir, name)
				if err := os.WriteFile(path, []byte(encode(text)), 0o666); err != nil {
					t.Fatal(err)
				}
				return path
			}
			schema := `{"properties": {"sku": {"type": "string"}, "note": {"type": "text"}}}`
			db := newStore(t, encode(schema), "sku")
			items := file("items.jsonl", "{\"sku\": \"größe\"}\r\n{\"sku\": \"b\", \"blobs\": [{\"property\": \"note\", \"file\": \"note.txt\"}]}\r\n")
			note := encode("a note")
			file("note.txt", "a note")
			must(t, "", "put", "things", items, "--files", dir, "--db", db)
			must(t, encode("{\"sku\": \"c\"}\n"), "put", "things", "-", "--db", db)
			must(t, "", "put", "things", "--object", "@"+file("object.json", `{"sku": "d"}`), "--db", db)
			must(t, "", "validate", "--schema", file("schema.json", schema), items)
			if got := must(t, "", "query", "things", "--count", "--filter", "@"+file("filter.json", `{"sku": "größe"}`), "--db", db); got != "1\n" {
				t.Errorf("count: got %q, want 1", got)
			}
			if got := must(t, "", "aggregate", "things", "--json", "--request", "@"+file("request.json", `{"group_by": [{"field": "_none"}], "aggregations": [{"function": "count", "alias": "n"}]}`), "--db", db); !strings.Contains(got, `"n":4`) {
				t.Errorf("aggregate: got %s, want 4 objects", got)
			}
			out := filepath.Join(dir, "out")
			must(t, "", "export", "things", out, "--db", db)
			if got := contentsBelow(t, out); got != note {
				t.Errorf("content: got %q, want %q as it was", got, note)
			}
		})
	}
}

// contentsBelow returns the bytes of the only exported content.
func contentsBelow(t *testing.T, dir string) (content string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Dir(path) == dir {
			return err
		}
		text, err := os.ReadFile(path)
		content = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return content
}
