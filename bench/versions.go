package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// sharedModules must have the same version here as in the module that is measured: they
// are SQLite itself.
var sharedModules = []string{"modernc.org/sqlite", "modernc.org/libc"}

// sameSQLite reports an error unless this program was built with the versions of SQLite
// that another go.mod names. It is that of bucketlite.
func sameSQLite(goMod string) error {
	text, err := os.ReadFile(goMod)
	if err != nil {
		return fmt.Errorf("%w: run this program in its directory, as go -C bench run . does", err)
	}
	wanted, built := requirements(text), builtWith()
	for _, module := range sharedModules {
		if wanted[module] == "" || built[module] != wanted[module] {
			return fmt.Errorf("module %s: got version %q, want %q as in bucketlite's go.mod", module, built[module], wanted[module])
		}
	}
	return nil
}

// requirements returns the versions that the text of a go.mod requires.
func requirements(goMod []byte) map[string]string {
	versions := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(goMod)); lines.Scan(); {
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(lines.Text()), "require "))
		if len(words) >= 2 && strings.HasPrefix(words[1], "v") {
			versions[words[0]] = words[1]
		}
	}
	return versions
}

// builtWith returns the versions of the modules that are linked into this program.
func builtWith() map[string]string {
	versions := map[string]string{}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return versions
	}
	for _, m := range info.Deps {
		versions[m.Path] = m.Version
		if m.Replace != nil && m.Replace.Version != "" {
			versions[m.Path] = m.Replace.Version
		}
	}
	return versions
}

// machine describes what a run was measured on, without names and paths.
type machine struct {
	cpu, kernel, fileSystem, load string
	cores                         int
	versions                      map[string]string
}

// machineOf describes the machine, and the file system of a directory.
func machineOf(dir string) machine {
	return machine{
		cpu:        firstAfter("/proc/cpuinfo", "model name"),
		cores:      runtime.NumCPU(),
		kernel:     strings.TrimSpace(readOr("/proc/sys/kernel/osrelease", "")),
		fileSystem: fileSystemOf(dir),
		load:       strings.Join(append(strings.Fields(readOr("/proc/loadavg", "")), "", "")[:1], ""),
		versions:   builtWith(),
	}
}

func (m machine) String() string {
	s := fmt.Sprintf("%s/%s, %d cores", runtime.GOOS, runtime.GOARCH, m.cores)
	for _, part := range []struct{ name, value string }{
		{"", m.cpu}, {"kernel ", m.kernel}, {"file system ", m.fileSystem}, {"load at the start ", m.load},
	} {
		if part.value != "" {
			s += ", " + part.name + part.value
		}
	}
	return s + ", " + runtime.Version() + "."
}

// version returns the version of a peer's module.
func (m machine) version(p *peer) string {
	switch p.module {
	case "":
		return runtime.Version()
	case "github.com/bucketlite/bucketlite":
		return "this one"
	}
	return m.versions[p.module]
}

func readOr(name, otherwise string) string {
	text, err := os.ReadFile(name)
	if err != nil {
		return otherwise
	}
	return string(text)
}

// firstAfter returns the value of the first line "name : value" of a file.
func firstAfter(file, name string) string {
	for line := range strings.Lines(readOr(file, "")) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// fileSystemOf returns the type of a directory's file system, where /proc tells it.
func fileSystemOf(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	best, kind := "", ""
	for line := range strings.Lines(readOr("/proc/self/mounts", "")) {
		words := strings.Fields(line)
		if len(words) < 3 {
			continue
		}
		at := words[1]
		if within := at == "/" || dir == at || strings.HasPrefix(dir, at+"/"); within && len(at) >= len(best) {
			best, kind = at, words[2]
		}
	}
	return kind
}
