// The tests of this package are white-box: they make SQLite fail at a chosen
// moment, which takes the connection that writes.
package engine

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"
)

// roleVariable names the environment variable that turns the test binary into
// one of the children.
const roleVariable = "ENGINE_TEST_CHILD"

// children are the programs that tests run as other processes. They get their
// arguments from the command line, and fail by returning an error.
var children = map[string]func(args []string) error{
	"open":      childOpen,
	"count":     childCount,
	"exclusive": childExclusive,
}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := children[role](os.Args[1:]); err != nil {
			fmt.Fprintf(os.Stderr, "child %q: %v\n", role, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	before := runtime.NumGoroutine()
	code := m.Run()
	if code == 0 && !goroutinesFallTo(before) {
		fmt.Fprintf(os.Stderr, "goroutines after all tests: got %d, want %d\n", runtime.NumGoroutine(), before)
		pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		code = 1
	}
	os.Exit(code)
}

// goroutinesFallTo reports whether no more than n goroutines are left, giving
// the others time to end.
func goroutinesFallTo(n int) bool {
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > n; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// child is a process that runs one of the children.
type child struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr bytes.Buffer
}

// startChild starts a child from this test binary.
func startChild(t *testing.T, role string, args ...string) *child {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startCommand(t, exec.Command(program, args...), role)
}

func startCommand(t *testing.T, cmd *exec.Cmd, role string) *child {
	t.Helper()
	c := &child{cmd: cmd}
	// The race detector would keep each child for a second more.
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	cmd.Stderr = &c.stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin, c.stdout = stdin, bufio.NewReader(stdout)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	return c
}

// awaitReady returns once the child has called rendezvous.
func (c *child) awaitReady(t *testing.T) {
	t.Helper()
	if _, err := c.stdout.ReadString('\n'); err != nil {
		c.wait(t)
		t.Fatalf("child ended before it was ready: %v", err)
	}
}

// wait lets the child continue, and fails the test if the child fails.
func (c *child) wait(t *testing.T) {
	t.Helper()
	c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, &c.stderr)
	}
}

// rendezvous tells the parent that this child is ready, and returns when the
// parent waits for it.
func rendezvous() {
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}
