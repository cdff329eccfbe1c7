package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// The pages show a server at its default address; tests let it take a free port.
const defaultURL = "http://127.0.0.1:8080"

// TestPages runs the blocks of every page. Go blocks must be parts of this package's
// files, where their tests run. The others are run one after the other in a directory
// of the page: shell, Python and JavaScript as they stand, and JSON is written to the
// file that it is shown as. A text block is what the block before it prints; "…"
// stands for text that differs from run to run.
func TestPages(t *testing.T) {
	program := buildProgram(t)
	source, printed := goFiles(t)
	if examples, outputs := strings.Count(source, "\nfunc Example"), strings.Count(source, "\n// Output:\n"); examples != outputs {
		t.Errorf("got %d examples and %d outputs, want as many: go test runs only examples with an output", examples, outputs)
	}
	for _, p := range pages(t) {
		t.Run(strings.TrimSuffix(filepath.Base(p.name), ".md"), func(t *testing.T) {
			t.Parallel()
			newRunner(t, p, program, source, printed).run()
		})
	}
}

// buildProgram builds the program bucketlite, and returns its directory.
func buildProgram(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "github.com/bucketlite/bucketlite/cmd/bucketlite")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", build, err, text)
	}
	return dir
}

// goFiles returns the lines of this package's files without their indentation, and
// their comments, which contain the output of examples.
func goFiles(t *testing.T) (source, printed string) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		for line := range strings.Lines(read(t, name)) {
			line = strings.TrimLeft(line, "\t")
			source += line
			if comment, ok := strings.CutPrefix(line, "// "); ok {
				printed += comment
			} else {
				printed += "\n"
			}
		}
	}
	return source, printed
}

// runner runs the blocks of a page.
type runner struct {
	t               *testing.T
	page            page
	dir             string // where the blocks run
	program         string // the directory of the program
	source, printed string // of this package
	url             string // of the server that the page has started
	stop            func() // stops that server
	output          string // of the block before
	inGo            bool   // the block before is Go
}

func newRunner(t *testing.T, p page, program, source, printed string) *runner {
	r := &runner{t: t, page: p, dir: t.TempDir(), program: program, source: source, printed: printed, url: defaultURL, stop: func() {}}
	for _, name := range []string{"photo.jpg", "clip.mp4"} {
		write(t, filepath.Join(r.dir, name), readBytes(t, "../quickstart/data/"+name))
	}
	write(t, filepath.Join(r.dir, ".env"), nil)
	return r
}

func readBytes(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (r *runner) run() {
	defer func() { r.stop() }()
	for _, b := range r.page.blocks {
		if b.norun {
			continue
		}
		switch b.language {
		case "text":
			if b.file != "" {
				r.file(b)
			} else if r.page.name != "README.md" { // TestReadme compares its output
				r.compare(b)
			}
			continue
		case "go":
			if !strings.Contains(r.source, dedent(b.body)) {
				r.errorf(b, "it is in no file of examples/docs")
			}
			r.inGo = true
			continue
		case "json", "jsonl":
			r.file(b)
		case "sh", "bash":
			r.shell(b)
		case "python":
			r.script(b, "python3", "block.py")
		case "js":
			r.script(b, "node", "block.mjs")
		default:
			r.errorf(b, "no test knows how to run it")
		}
		r.inGo = false
		if r.t.Failed() {
			return // the next block continues where this one ends
		}
	}
}

func (r *runner) errorf(b pageBlock, format string, args ...any) {
	r.t.Helper()
	r.t.Errorf("%s:%d: %s: %s", r.page.name, b.line, b, fmt.Sprintf(format, args...))
}

// dedent removes the tabs that lines begin with.
func dedent(text string) string {
	return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(text, "")
}

// compare compares what the block before has printed.
func (r *runner) compare(b pageBlock) {
	r.t.Helper()
	if r.inGo {
		if !strings.Contains(r.printed, b.body) {
			r.errorf(b, "no example of examples/docs prints it")
		}
		return
	}
	pattern := strings.ReplaceAll(regexp.QuoteMeta(b.body), "…", ".*")
	if !regexp.MustCompile("^" + pattern + "$").MatchString(strings.ReplaceAll(r.output, r.url, defaultURL)) {
		r.errorf(b, "the block before prints\n%s", r.output)
	}
}

// file writes a file, or compares it with that of the same name in this package.
func (r *runner) file(b pageBlock) {
	r.t.Helper()
	if b.file == "" {
		r.errorf(b, "it has no file name")
		return
	}
	if _, err := os.Stat(b.file); err == nil && read(r.t, b.file) != b.body {
		r.errorf(b, "it is not examples/docs/%s", b.file)
	}
	name := filepath.Join(r.dir, b.file)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		r.t.Fatal(err)
	}
	write(r.t, name, []byte(b.body))
}

// shell runs a block of commands. The last may be one that serves, which continues.
func (r *runner) shell(b pageBlock) {
	r.t.Helper()
	text := b.body
	serve := ""
	lines := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	if last := lines[len(lines)-1]; strings.HasPrefix(last, "bucketlite serve") {
		text, serve = strings.Join(lines[:len(lines)-1], ""), last
	}
	// The next block has the variables and functions of this one.
	r.command(b, "bash", "-euo", "pipefail", "-c", ". ./.env\n"+text+"\n{ export -p; declare -f || true; } >.env\n")
	if serve != "" && !r.t.Failed() {
		r.serve(b, serve)
	}
}

// script runs a block with a program, which gets its environment from the blocks
// before.
func (r *runner) script(b pageBlock, program, file string) {
	r.t.Helper()
	r.need(b, program)
	write(r.t, filepath.Join(r.dir, file), []byte(b.body))
	r.command(b, "bash", "-c", ". ./.env; exec "+program+" "+file)
}

// need ends the test of a page at a block whose program this machine cannot run. The
// pages promise nothing about such a machine: bucketlite itself needs none of them.
func (r *runner) need(b pageBlock, program string) {
	r.t.Helper()
	reason := ""
	if _, err := exec.LookPath(program); err != nil {
		reason = program + " is not installed"
	} else if runtime.GOOS == "windows" {
		reason = "the blocks are written for a Unix shell"
	}
	if reason != "" {
		r.t.Skipf("%s: %s:%d and the blocks after it were not run", reason, r.page.name, b.line)
	}
}

func (r *runner) command(b pageBlock, name string, args ...string) {
	r.t.Helper()
	r.need(b, name)
	args[len(args)-1] = strings.ReplaceAll(args[len(args)-1], defaultURL, r.url)
	c := exec.CommandContext(r.t.Context(), name, args...)
	c.Dir = r.dir
	c.Env = r.environment()
	var stderr bytes.Buffer
	c.Stderr = &stderr
	stdout, err := c.Output()
	r.output = string(stdout)
	if err != nil {
		r.errorf(b, "%v:\n%s%s", err, stdout, stderr.Bytes())
	}
}

// environment returns this process's environment with the program in its path.
func (r *runner) environment() []string {
	env := []string{"PATH=" + r.program + string(filepath.ListSeparator) + os.Getenv("PATH")}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "PATH=") && !strings.HasPrefix(variable, "BUCKETLITE_") {
			env = append(env, variable)
		}
	}
	return env
}

// serve starts a server, which is stopped at the end of the page.
func (r *runner) serve(b pageBlock, line string) {
	r.t.Helper()
	r.stop()
	c := exec.CommandContext(r.t.Context(), "bash", "-c", ". ./.env; exec "+line+" --addr 127.0.0.1:0")
	c.Dir = r.dir
	c.Env = r.environment()
	var stderr bytes.Buffer
	c.Stderr = &stderr
	stdout, err := c.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.stop = func() {
		r.stop = func() {}
		c.Process.Signal(os.Interrupt)
		if err := c.Wait(); err != nil {
			r.errorf(b, "the server ended with %v:\n%s", err, stderr.Bytes())
		}
	}
	greeting, err := bufio.NewReader(stdout).ReadString('\n')
	at := strings.LastIndex(greeting, "http://")
	if err != nil || at < 0 {
		r.errorf(b, "the server says %q, %v", greeting, err)
		return
	}
	r.url = strings.TrimSpace(greeting[at:])
	r.output = greeting
}
