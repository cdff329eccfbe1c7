// Package sampletest runs samples in the tests of packages that write them.
package sampletest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A Client is the environment of samples.
type Client struct {
	URL, Key string // of the server
	Dir      string // in which programs run
}

// Sample runs a sample in a language, and returns what it prints. Where the language is not
// installed the test is skipped, and says so.
func (c Client) Sample(t *testing.T, language, text string) string {
	t.Helper()
	switch language {
	case "curl":
		need(t, "curl")
		return c.Run(t, "sh", "-euc", text)
	case "Python":
		return c.Run(t, "python3", "-c", text)
	case "JavaScript":
		return c.Run(t, "node", "--input-type=module", "-e", text)
	case "Go":
		name := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(name, []byte(text+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		return c.Run(t, "go", "run", name)
	}
	t.Fatalf("no samples are in the language %q", language)
	return ""
}

// Run runs a program, and returns what it prints. Where it is not installed the test is
// skipped, and says so.
func (c Client) Run(t *testing.T, name string, args ...string) string {
	t.Helper()
	need(t, name)
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = c.Dir
	command.Env = append(os.Environ(), "BUCKETLITE_URL="+c.URL, "BUCKETLITE_API_KEY="+c.Key, "NO_PROXY=*", "no_proxy=*")
	var stderr strings.Builder
	command.Stderr = &stderr
	text, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", name, err, text, stderr.String())
	}
	return string(text)
}

// need skips a test where a program is missing: the samples are in four languages, and the
// library is built and tested without three of them.
func need(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed: its samples were not run", program)
	}
}
