package proof_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"github.com/bucketlite/bucketlite"
)

// workloadIn returns the command that runs the workload in a directory, under strace if
// it gets the beginning of a command for that.
func workloadIn(dir string, how manner, strace ...string) (*exec.Cmd, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := append(strace, program, dir, how.String())
	cmd := exec.Command(command[0], command[1:]...)
	// One processor, since strace counts the calls of each thread by itself.
	cmd.Env = append(os.Environ(), roleVariable+"=workload", "GOMAXPROCS=1")
	return cmd, nil
}

// runWorkload runs the workload to its end and returns its output. Failures of the disk
// are no errors, but it is an error if the workload does not end.
func runWorkload(dir string, how manner, strace ...string) (out string, err error) {
	cmd, err := workloadIn(dir, how, strace...)
	if err != nil {
		return "", err
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s: %w\n%s", cmd, err, &stderr)
	}
	return stdout.String(), nil
}

// judge opens the store that a workload has left, and returns an error unless it has
// all that was acknowledged, nothing that was refused, and is sound and of use.
func judge(dir, out string) error {
	l := newLedger()
	for line := range strings.Lines(out) {
		if err := l.note(strings.TrimSuffix(line, "\n")); err != nil {
			return err
		}
	}
	if !strings.HasSuffix(out, wordEnd+"\n") {
		return errors.New("the workload did not come to its end")
	}
	if err := judgeStore(storeIn(dir), l); err != nil {
		return err
	}
	return judgeBackup(backupIn(dir))
}

// judgeStore compares the store at path with a ledger, checks it, and writes to it.
func judgeStore(path string, l *ledger) error {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, path, nil)
	if err != nil {
		return fmt.Errorf("opening again: %w", err)
	}
	found, err := contents(ctx, st)
	if err == nil {
		err = l.compare(found)
	}
	if err == nil {
		err = checked(st)
	}
	if err == nil {
		_, err = st.CreateNamespace(ctx, bucketlite.NamespaceConfig{Name: "after"})
	}
	return errors.Join(err, st.Close())
}

// judgeBackup checks the backup at path, if there is one.
func judgeBackup(path string) error {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	// An empty file must not become a new store.
	st, err := bucketlite.Open(context.Background(), path, &bucketlite.Options{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return errors.Join(checked(st), st.Close())
}
