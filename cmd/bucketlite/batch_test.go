package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func TestBatchRetry(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	id := storetest.Submit(t, b, storetest.PutManyIDs(t, b, 3)...)
	storetest.Process(t, st, func(context.Context, *bucketlite.Job) error {
		return &bucketlite.JobError{Category: bucketlite.CategoryValidation, Message: "no picture"}
	}, bucketlite.ProcessOptions{})
	run := func(args ...string) string {
		t.Helper()
		r := command(t, "", append([]string{"--db", path, "batch"}, args...)...)
		if r.code != 0 {
			t.Errorf("%q: got exit code %d, %s", args, r.code, r.stderr)
		}
		return r.stdout + r.stderr
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"show", "items", id}, "validation"},
		{[]string{"show", "items", id, "--failed"}, "no picture"},
		{[]string{"retry", "items", id}, "0 objects are processed again"},
		{[]string{"retry", "items", id, "--all"}, "3 objects are processed again"},
		{[]string{"list", "items", "--status", "PENDING"}, id},
	} {
		if got := run(test.args...); !strings.Contains(got, test.want) {
			t.Errorf("%q: got %q, want %q in it", test.args, got, test.want)
		}
	}
}
