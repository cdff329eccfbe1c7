package proof_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// needStrace fails the test where there is no strace.
func needStrace(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatalf("the long form needs strace, the Debian package of that name: %v", err)
	}
}

// strace returns the arguments of a strace that follows some system calls and writes
// what it sees to a file.
func strace(log, calls string, options ...string) []string {
	command := []string{"strace", "-f", "-qq", "--seccomp-bpf", "-o", log, "-e", "trace=" + calls, "-e", "signal=none"}
	return append(command, options...)
}

// logIn returns the path of strace's log beside the store's directory.
func logIn(dir string) string { return filepath.Clean(dir) + ".strace" }
