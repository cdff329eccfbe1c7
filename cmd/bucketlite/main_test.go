package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"
)

func TestMain(m *testing.M) {
	if os.Getenv("BUCKETLITE_TEST_RUN") != "" { // a process that a test will kill
		main()
	}
	if len(os.Args) > 1 && os.Args[1] == testProcessor { // what --processor exec runs
		os.Exit(runTestProcessor(os.Args[2:]))
	}
	testscript.Main(tests{m}, map[string]func(){"bucketlite": main})
}

// tests are the tests without the environment of the caller. The program, which is the
// same file, must find the variables of a script.
type tests struct{ *testing.M }

func (m tests) Run() int {
	os.Unsetenv("BUCKETLITE_DB")
	os.Unsetenv("BUCKETLITE_NAMESPACE")
	os.Unsetenv(keyVariable)
	os.Unsetenv(signingVariable)
	return m.M.Run()
}

// TestScripts runs testdata/script. Beside what testscript knows, a script has
//
//	exits CODE COMMAND…   run a command that must end with this exit code
//	damage SQL            do this to the store behind the library's back
//	task-of FILE          set TASK to the first task's id in a file
//	batch-of FILE         set BATCH to the first batch's id in a file
//
// and the variables DATA, a directory with items.jsonl and media files, and FORMATS,
// one with stores of older versions.
func TestScripts(t *testing.T) {
	data, err := filepath.Abs("../../examples/quickstart/data")
	if err != nil {
		t.Fatal(err)
	}
	formats, err := filepath.Abs("../../testdata/formats")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATA", data)
			env.Setenv("FORMATS", formats)
			env.Setenv("BUCKETLITE_DB", filepath.Join(env.WorkDir, "store.db"))
			env.Setenv("BUCKETLITE_NAMESPACE", "")
			// Under the race detector every command would sleep for a second at its end.
			env.Setenv("GORACE", "atexit_sleep_ms=0 "+os.Getenv("GORACE"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "damage": damage, "task-of": taskOf, "batch-of": batchOf},
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func damage(ts *testscript.TestScript, neg bool, args []string) {
	db, err := sql.Open("sqlite", ts.Getenv("BUCKETLITE_DB"))
	ts.Check(err)
	defer db.Close()
	res, err := db.Exec(strings.Join(args, " "))
	ts.Check(err)
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		ts.Fatalf("nothing was damaged: %v", err)
	}
}

func taskOf(ts *testscript.TestScript, neg bool, args []string) { setID(ts, "TASK", "task", args[0]) }

func batchOf(ts *testscript.TestScript, neg bool, args []string) { setID(ts, "BATCH", "btch", args[0]) }

// setID sets a variable to the first id with a prefix in a file.
func setID(ts *testscript.TestScript, variable, prefix, file string) {
	id := regexp.MustCompile(prefix + `_[0-9A-Z]{26}`).FindString(ts.ReadFile(file))
	if id == "" {
		ts.Fatalf("no %s in %s", prefix, file)
	}
	ts.Setenv(variable, id)
}

// result is the result of a run.
type result struct {
	code           int
	stdout, stderr string
}

// command runs the program as a command line would, without a terminal.
func command(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	return commandContext(t.Context(), stdin, args...)
}

func commandContext(ctx context.Context, stdin string, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := newApp(strings.NewReader(stdin), &stdout, &stderr).run(ctx, args)
	return result{code, stdout.String(), stderr.String()}
}

// must is command for what must succeed.
func must(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	r := command(t, stdin, args...)
	if r.code != exitOK {
		t.Fatalf("bucketlite %s: exit code %d\n%s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

// newStore returns the path of a new store with the namespace "test" and a bucket
// "things" that has the schema and, unless it is empty, the unique key.
func newStore(t *testing.T, schema, key string) string {
	t.Helper()
	db := filepath.Join(t.TempDir(), "store.db")
	must(t, "", "ns", "create", "test", "--db", db)
	args := []string{"bucket", "create", "things", "--schema", "-", "--db", db}
	if key != "" {
		args = append(args, "--unique-key", key, "--policy", "upsert")
	}
	must(t, schema, args...)
	t.Cleanup(func() {
		if r := commandContext(context.Background(), "", "check", "--db", db); r.code != exitOK {
			t.Errorf("check: exit code %d\n%s%s", r.code, r.stdout, r.stderr)
		}
	})
	return db
}

// lines returns so many lines of JSON, from first on.
func lines(first, n int) string {
	var b strings.Builder
	for i := first; i < first+n; i++ {
		fmt.Fprintf(&b, "{\"n\": %d, \"text\": \"line %d\"}\n", i, i)
	}
	return b.String()
}
