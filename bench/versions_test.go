package main

import (
	"os"
	"testing"
)

func TestRequirements(t *testing.T) {
	t.Parallel()
	got := requirements([]byte("module a\n\ngo 1.26.4\n\nrequire one v1.2.3\n\nrequire (\n\ttwo/v2 v2.0.0 // indirect\n)\n\nreplace two => ../two\n"))
	if len(got) != 2 || got["one"] != "v1.2.3" || got["two/v2"] != "v2.0.0" {
		t.Errorf("got %v, want one v1.2.3 and two/v2 v2.0.0", got)
	}
}

func TestSameSQLite(t *testing.T) {
	t.Parallel()
	if err := sameSQLite("../go.mod"); err != nil {
		t.Error(err)
	}
	other := path(t.TempDir(), "go.mod")
	if err := os.WriteFile(other, []byte("require modernc.org/sqlite v1.0.0\nrequire modernc.org/libc v1.0.0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sameSQLite(other); err == nil {
		t.Error("got no error for a go.mod with other versions")
	}
	if err := sameSQLite(other + "missing"); err == nil {
		t.Error("got no error without a go.mod")
	}
}
