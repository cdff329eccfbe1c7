package main

import (
	"io"
	"os"
	"testing"
)

// TestReadme keeps README.md's program and this one identical, and its output what
// README.md says.
func TestReadme(t *testing.T) {
	readme := readPage(t, "README.md")
	if got, want := block(t, readme, "go"), read(t, "main.go"); got != want {
		t.Errorf("the first go block of README.md is not examples/docs/main.go; it is:\n%s", got)
	}
	if got, want := output(t), block(t, readme, "text"); got != want {
		t.Errorf("the program prints\n%s\nREADME.md says\n%s", got, want)
	}
}

// block returns a page's first block of a language.
func block(t *testing.T, p page, language string) string {
	t.Helper()
	for _, b := range p.blocks {
		if b.language == language {
			return b.body
		}
	}
	t.Fatalf("%s: there is no %s block", p.name, language)
	return ""
}

// output runs main and returns what it prints.
func output(t *testing.T) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = w
	defer func() { os.Stdout = stdout }()
	main() // prints less than a pipe holds
	w.Close()
	printed, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(printed)
}
