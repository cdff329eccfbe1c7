package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// page is README.md or a page of the guide.
type page struct {
	name   string // the path of its file, from the root of the module
	text   string
	blocks []pageBlock
}

// pageBlock is a fenced block. The words after its language are not shown to readers:
// the name of a file that it is the text of, or "norun".
type pageBlock struct {
	line     int
	language string
	file     string
	norun    bool
	body     string
}

// String returns where the block is and how it begins.
func (b pageBlock) String() string {
	first, _, _ := strings.Cut(b.body, "\n")
	return b.language + " " + strconv.Quote(first)
}

const root = "../.."

// pages returns README.md and all pages of the guide.
func pages(t *testing.T) []page {
	t.Helper()
	guide, err := filepath.Glob(root + "/docs/guide/*.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(guide) == 0 {
		t.Fatal("there is no page in docs/guide")
	}
	all := []page{readPage(t, "README.md")}
	for _, name := range guide {
		all = append(all, readPage(t, "docs/guide/"+filepath.Base(name)))
	}
	return all
}

func readPage(t *testing.T, name string) page {
	t.Helper()
	p := page{name: name, text: read(t, filepath.Join(root, name))}
	var open *pageBlock
	for i, line := range strings.Split(p.text, "\n") {
		switch {
		case open == nil && strings.HasPrefix(line, "```"):
			words := strings.Fields(line[3:])
			if len(words) == 0 {
				t.Fatalf("%s:%d: a block without a language", name, i+1)
			}
			open = &pageBlock{line: i + 1, language: words[0]}
			for _, word := range words[1:] {
				if word == "norun" {
					open.norun = true
				} else {
					open.file = word
				}
			}
		case line == "```":
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.body += line + "\n"
		}
	}
	if open != nil {
		t.Fatalf("%s:%d: the block does not end", name, open.line)
	}
	return p
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// TestNotRun lists the blocks that no test runs.
func TestNotRun(t *testing.T) {
	want := []string{
		// These need the network, or run this test.
		`README.md: sh "go get github.com/bucketlite/bucketlite"`,
		`README.md: sh "go run ./examples/quickstart   # a tour of the library on real data"`,
		// This one runs until it is stopped. The one of serving.md is started.
		`docs/guide/console.md: sh "bucketlite serve --db app.db"`,
		// Browsers take these.
		`docs/guide/serving.md: html "<img src=\"http://127.0.0.1:8080/v1/presigned/blobs/…?expires=…&signature=…&thumb=320\">"`,
		`docs/guide/serving.md: js "async function watch(bucket, changed, after = \"\") {"`,
		// These take minutes. TestCommands checks that their benchmarks exist.
		`docs/guide/performance.md: sh "go -C bench run .          # less than 25 minutes on two quiet cores; -quick: less than two"`,
		`docs/guide/performance.md: sh "go test -run '^$' -bench '^BenchmarkPut$|PutMany|Upsert|TypedPut|^BenchmarkObject$|ObjectDecode|Validate' -benchtime 10000x ./proof"`,
	}
	var got []string
	for _, p := range pages(t) {
		for _, b := range p.blocks {
			if b.norun {
				got = append(got, p.name+": "+b.String())
			}
		}
	}
	t.Logf("%d blocks are not run", len(got))
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

var (
	linkPattern  = regexp.MustCompile(`\]\(([^)]*)\)`)
	blockPattern = regexp.MustCompile("(?ms)^```.*?^```$") // Go code may look like a link
)

// TestLinks follows the links between the pages, and to other files.
func TestLinks(t *testing.T) {
	headings := func(text string) []string {
		var all []string
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "#") {
				heading := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
				heading = regexp.MustCompile("[^a-z0-9 _-]").ReplaceAllString(heading, "")
				all = append(all, strings.ReplaceAll(heading, " ", "-"))
			}
		}
		return all
	}
	readme := ""
	for _, p := range pages(t) {
		if p.name == "README.md" {
			readme = p.text
		} else if !strings.Contains(readme, "("+p.name+")") {
			t.Errorf("README.md does not list %s", p.name)
		}
		for _, link := range linkPattern.FindAllStringSubmatch(blockPattern.ReplaceAllString(p.text, ""), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			target, anchor, _ := strings.Cut(link[1], "#")
			file := filepath.Join(root, p.name)
			if target != "" {
				file = filepath.Join(root, filepath.Dir(p.name), target)
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: the link to %s: %v", p.name, link[1], err)
			} else if anchor != "" && !slices.Contains(headings(read(t, file)), anchor) {
				t.Errorf("%s: the link to %s: there is no such heading", p.name, link[1])
			}
		}
	}
}

var (
	commandPattern = regexp.MustCompile("go test [^`\n]*")
	namesPattern   = regexp.MustCompile(`-(run|bench) ('[^']*'|\S+)`)
	placePattern   = regexp.MustCompile(`(?:^| )(\.[\w/.]*)`)
	testPattern    = regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz|Example)\w+)\(`)
)

// TestCommands checks that the tests and benchmarks exist that the pages say to run.
func TestCommands(t *testing.T) {
	for _, p := range pages(t) {
		for _, command := range commandPattern.FindAllString(p.text, -1) {
			var names []string
			for _, place := range placePattern.FindAllStringSubmatch(command, -1) {
				if !strings.HasSuffix(place[1], "...") {
					names = append(names, testsOf(t, place[1])...)
				}
			}
			for _, flag := range namesPattern.FindAllStringSubmatch(command, -1) {
				pattern := strings.ReplaceAll(strings.Trim(flag[2], "'"), `\|`, "|")
				for _, name := range strings.Split(pattern, "|") {
					top, _, _ := strings.Cut(name, "/")
					matches := func(test string) bool {
						return strings.HasPrefix(test, "Benchmark") == (flag[1] == "bench") && regexp.MustCompile(top).MatchString(test)
					}
					if top != "^$" && !slices.ContainsFunc(names, matches) {
						t.Errorf("%s: %q: no test matches %q", p.name, command, name)
					}
				}
			}
		}
	}
}

// testsOf returns the names of a directory's tests and benchmarks.
func testsOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, match := range testPattern.FindAllStringSubmatch(read(t, file), -1) {
			names = append(names, match[1])
		}
	}
	return names
}
