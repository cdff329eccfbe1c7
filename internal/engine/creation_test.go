package engine

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const pageSize = 4096

// A creation that is killed leaves nothing, a part of the file beside the journal
// that undoes it, or the whole file. A power cut may also leave a sector torn.
func TestOpenAfterCrashInCreation(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newPath(t))
	created := createdFile(t)
	type image struct {
		name          string
		file, journal []byte
	}
	undo := journalOfNothing()
	images := []image{
		{"nothing written", nil, nil},
		{"journal begun", nil, undo[:10]},
		{"journal written", nil, undo},
		{"journal deleted", created, nil},
		{"becoming WAL", created, journalOfHeader(t, created)},
		{"becoming WAL, first sector torn", torn(created), journalOfHeader(t, created)},
	}
	for end := pageSize; end <= len(created); end += pageSize {
		images = append(images,
			image{fmt.Sprintf("%d bytes written", end), created[:end], undo},
			image{fmt.Sprintf("%d bytes written, page torn", end), created[:end-1000], undo},
			image{fmt.Sprintf("%d bytes written, first sector torn", end), torn(created[:end]), undo},
		)
	}
	for _, image := range images {
		t.Run(image.name, func(t *testing.T) {
			t.Parallel()
			cfg := cfg
			cfg.Path = newPath(t)
			writeFile(t, cfg.Path, image.file)
			if image.journal != nil {
				writeFile(t, cfg.Path+"-journal", image.journal)
			}
			db := openStore(t, cfg)
			mustPut(t, db, "a")
			checkFile(t, cfg)
		})
	}
}

// createdFile returns a file as its creation leaves it, before it becomes WAL.
func createdFile(t *testing.T) []byte {
	t.Helper()
	cfg := testConfig(newPath(t))
	loc, _, err := locate(cfg.Path, false)
	if err != nil {
		t.Fatal(err)
	}
	c, err := connect(loc.uri)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := initialise(context.Background(), c, loc, cfg); err != nil {
		t.Fatal(err)
	}
	created := readFile(t, cfg.Path)
	if len(created) < 2*pageSize || len(created)%pageSize != 0 {
		t.Fatalf("created file: got %d bytes, want several pages", len(created))
	}
	return created
}

// torn returns a file whose first sector is not what anybody wrote.
func torn(file []byte) []byte {
	return append(slices.Repeat([]byte{0xa5}, 512), file[512:]...)
}

// journalOfNothing returns a rollback journal which says that the file was empty.
// SQLite then empties it on first sight, whatever is in it.
func journalOfNothing() []byte {
	journal := make([]byte, 512) // one sector, all of it header
	copy(journal, journalMagic)
	binary.BigEndian.PutUint32(journal[20:], 512) // sector size
	binary.BigEndian.PutUint32(journal[24:], pageSize)
	return journal
}

// journalOfHeader returns the rollback journal of a transaction that changes the
// first page of a file.
func journalOfHeader(t *testing.T, file []byte) []byte {
	t.Helper()
	path := newPath(t)
	writeFile(t, path, file)
	mustExec(t, foreign(t, path), "BEGIN; PRAGMA user_version = 77")
	journal := readFile(t, path+"-journal")
	copy(journal, journalMagic) // this and the number of records are written last
	binary.BigEndian.PutUint32(journal[8:], 1)
	return journal
}

// Until the first checkpoint, older versions kept the schema in the log alone.
func TestOpenWithoutSchema(t *testing.T) {
	t.Parallel()
	for _, readOnly := range []bool{false, true} {
		t.Run(fmt.Sprintf("read-only %t", readOnly), func(t *testing.T) {
			t.Parallel()
			tests := []struct {
				name string
				log  func(log []byte) []byte
				want error
			}{
				{"with its log", func(log []byte) []byte { return log }, nil},
				{"without", func([]byte) []byte { return nil }, ErrCorrupt},
				{"with an empty log", func([]byte) []byte { return []byte{} }, ErrCorrupt},
				{"with a log of zeros", func(log []byte) []byte { return make([]byte, len(log)) }, ErrCorrupt},
				{"with a log that is cut", func(log []byte) []byte { return log[:pageSize] }, ErrCorrupt},
			}
			for _, test := range tests {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					cfg := testConfig(newPath(t))
					cfg.ReadOnly = readOnly
					makeHalf(t, cfg)
					log := test.log(readFile(t, cfg.Path+"-wal"))
					os.Remove(cfg.Path + "-wal")
					if log != nil {
						writeFile(t, cfg.Path+"-wal", log)
					}
					if test.want == nil {
						if got, want := keys(t, openStore(t, cfg)), []string{"a"}; !slices.Equal(got, want) {
							t.Errorf("keys: got %q, want %q", got, want)
						}
						return
					}
					err := checkRefused(t, cfg, test.want)
					if name := filepath.Base(cfg.Path) + "-wal"; !strings.Contains(fmt.Sprint(err), name) {
						t.Errorf("message: got %q, want it to name %q", err, name)
					}
				})
			}
		})
	}
}

// makeHalf makes a file that has our id, beside a log that has all the rest.
func makeHalf(t *testing.T, cfg Config) {
	t.Helper()
	source := newPath(t)
	conn := foreign(t, source)
	mustExec(t, conn, fmt.Sprintf("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = %d", cfg.ApplicationID))
	mustExec(t, conn, "PRAGMA journal_mode = WAL")
	mustExec(t, conn, fmt.Sprintf("BEGIN; %s; PRAGMA user_version = %d; COMMIT", strings.Join(cfg.Migrations, ";"), len(cfg.Migrations)))
	mustExec(t, conn, "INSERT INTO item VALUES ('a', NULL)")
	copyFile(t, source, cfg.Path)
	copyFile(t, source+"-wal", cfg.Path+"-wal")
}

// SQLite deletes the log of a file that is empty or not there.
func TestOpenOrphanedLog(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		make func(t *testing.T, path string)
	}{
		{"no file", func(*testing.T, string) {}},
		{"empty file", text("")},
		{"link to no file", func(t *testing.T, path string) {
			target := path + ".target"
			if err := os.Rename(path+"-wal", target+"-wal"); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Base(target), path); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, test := range tests {
		for _, readOnly := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, read-only %t", test.name, readOnly), func(t *testing.T) {
				t.Parallel()
				source := testConfig(newPath(t))
				db := openStore(t, source)
				mustPut(t, db, "a")
				cfg := testConfig(newPath(t))
				cfg.ReadOnly = readOnly
				copyFile(t, source.Path+"-wal", cfg.Path+"-wal")
				test.make(t, cfg.Path)

				dir := filepath.Dir(cfg.Path)
				before := names(t, dir)
				_, err := Open(context.Background(), cfg)
				checkError(t, "Open", err, ErrCorrupt)
				file := filepath.Base(resolve(cfg.Path))
				for _, name := range []string{file, file + "-wal"} {
					if !strings.Contains(fmt.Sprint(err), fmt.Sprintf("%q", name)) {
						t.Errorf("message: got %q, want it to name %q", err, name)
					}
				}
				if got := names(t, dir); !slices.Equal(got, before) {
					t.Errorf("files: got %q, want %q", got, before)
				}

				copyFile(t, source.Path, resolve(cfg.Path)) // the file comes back
				if got, want := keys(t, openStore(t, cfg)), []string{"a"}; !slices.Equal(got, want) {
					t.Errorf("keys: got %q, want %q", got, want)
				}
			})
		}
	}
}

// names returns the names in a directory.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
