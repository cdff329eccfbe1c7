package layout

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// platforms are the words that keep a file from other platforms if its name ends in one,
// after an underscore: those of GOOS and GOARCH.
var platforms = strings.Fields(`
	aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos
	386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc ppc64
	ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm`)

// meant are the files for one platform.
var meant = []string{
	"internal/clock/uptime_darwin.go",
	"internal/clock/uptime_linux.go",
	"internal/engine/backup_linux_test.go",
	"internal/engine/commit_linux_test.go",
	"internal/engine/identify_linux.go",
	"internal/engine/media_linux.go",
	"internal/engine/media_linux_test.go",
	"internal/engine/open_linux_test.go",
	"internal/sqlite3/memory_linux_test.go",
	"internal/tempfile/rename_darwin.go",
	"internal/tempfile/rename_linux.go",
	"proof/bench_iterate_linux_test.go",
	"proof/bench_memory_linux_test.go",
	"proof/full_linux_test.go",
	"proof/system_linux_test.go",
}

// Only files that are meant for one platform are called after one.
func TestFileNames(t *testing.T) {
	t.Parallel()
	var found []string
	for _, file := range files(t) {
		name, ok := strings.CutSuffix(path.Base(file), ".go")
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, "_test")
		if i := strings.LastIndexByte(name, '_'); i >= 0 && slices.Contains(platforms, name[i+1:]) {
			found = append(found, file)
		}
	}
	for _, file := range found {
		if !slices.Contains(meant, file) {
			t.Errorf("%s is only for the platform it is called after: rename it, or list it as meant", file)
		}
	}
	for _, file := range meant {
		if !slices.Contains(found, file) {
			t.Errorf("%s is listed, and does not exist", file)
		}
	}
}
