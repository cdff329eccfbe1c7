package main

import (
	"io"
	"os"
	"strings"
	"testing"
)

// TestReadme keeps the README's example and this program identical, and its
// output what the README says.
func TestReadme(t *testing.T) {
	readme := read(t, "../../README.md")
	if got, want := block(t, readme, "go"), read(t, "main.go"); got != want {
		t.Errorf("the first go block of README.md is not examples/readme/main.go; it is:\n%s", got)
	}
	if got, want := output(t), block(t, readme, "text"); got != want {
		t.Errorf("the program prints\n%s\nREADME.md says\n%s", got, want)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// block returns the first fenced block of a language.
func block(t *testing.T, text, language string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, "\n```"+language+"\n")
	if !ok {
		t.Fatalf("there is no %s block", language)
	}
	body, _, _ := strings.Cut(rest, "```\n")
	return body
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
