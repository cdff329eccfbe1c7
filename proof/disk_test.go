package proof_test

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sector is the unit in which a disk writes: a cut of the power leaves the old, the
// new, or while it is being written neither.
const sector = 512

// disk is a directory on a disk with a cache that a cut of the power empties. The
// bytes of a file stay for certain once the file was synced, and a file's name once its
// directory was. Of the rest anything may stay: names as far as they were
// made, in order, and sectors in any choice.
type disk struct {
	names   map[string]*file // as programs see them
	durable map[string]*file // as they stay for certain
	renames []rename         // since the directory was synced
}

// file is one file: what stays for certain, and what was done since.
type file struct {
	data    []byte
	pending []change
}

// change is a write, or if data is nil a truncation to at.
type change struct {
	at   int64
	data []byte
}

// rename gives a name to a file, or takes it away if that is nil.
type rename struct {
	name string
	file *file
}

func newDisk() *disk {
	return &disk{names: make(map[string]*file), durable: make(map[string]*file)}
}

// name gives a name to a file, or takes it away if file is nil.
func (d *disk) name(name string, f *file) {
	d.names[name] = f
	if f == nil {
		delete(d.names, name)
	}
	d.renames = append(d.renames, rename{name, f})
}

// create makes a file unless there is one.
func (d *disk) create(name string) {
	if d.names[name] == nil {
		d.name(name, &file{})
	}
}

// change does c to a file, if it still has a name.
func (d *disk) change(name string, c change) {
	if f := d.names[name]; f != nil {
		f.pending = append(f.pending, c)
	}
}

// mark returns what a sync that begins now makes durable when it is called: what was
// done to a file, or with an empty name to the directory, by now.
func (d *disk) mark(name string) (sync func()) {
	if name == "" {
		n := len(d.renames)
		return func() {
			n := min(n, len(d.renames)) // another sync may have been quicker
			applyRenames(d.durable, d.renames[:n])
			d.renames = d.renames[n:]
		}
	}
	f := d.names[name]
	if f == nil {
		return func() {}
	}
	n := len(f.pending)
	return func() {
		for _, c := range f.pending[:min(n, len(f.pending))] {
			f.data = c.apply(f.data)
		}
		f.pending = f.pending[min(n, len(f.pending)):]
	}
}

func applyRenames(names map[string]*file, renames []rename) {
	for _, r := range renames {
		names[r.name] = r.file
		if r.file == nil {
			delete(names, r.name)
		}
	}
}

// apply returns data as it is after the change.
func (c change) apply(data []byte) []byte {
	if c.data == nil {
		return resized(data, int(c.at))
	}
	data = resized(data, max(len(data), int(c.at)+len(c.data)))
	copy(data[c.at:], c.data)
	return data
}

// resized returns data cut or filled with zeros to a size.
func resized(data []byte, size int) []byte {
	if size <= len(data) {
		return data[:size]
	}
	return append(data, make([]byte, size-len(data))...)
}

// loss says how much of what was not synced a cut of the power takes.
type loss int

const (
	loseAll     loss = iota // nothing stays
	loseNone                // everything stays, as if only the system had crashed
	loseLast                // what was done last, from some point on
	loseChanges             // some writes
	loseSectors             // some sectors of the writes, and some become garbage
	losses
)

// cut returns what is on the disk after a cut of the power, by name.
func (d *disk) cut(r *rand.Rand, l loss) map[string][]byte {
	names := maps.Clone(d.durable)
	kept := len(d.renames)
	switch l {
	case loseAll:
		kept = 0
	case loseNone:
	default:
		kept = r.IntN(kept + 1)
	}
	applyRenames(names, d.renames[:kept])
	image := make(map[string][]byte)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		image[name] = names[name].cut(r, l)
	}
	return image
}

func (f *file) cut(r *rand.Rand, l loss) []byte {
	data := slices.Clone(f.data)
	kept := f.pending
	switch l {
	case loseAll:
		kept = nil
	case loseLast:
		kept = kept[:r.IntN(len(kept)+1)]
	}
	for _, c := range kept {
		switch {
		case (l == loseChanges || l == loseSectors && c.data == nil) && r.IntN(2) == 0:
		case l == loseSectors && c.data != nil:
			data = c.tear(r, data)
		default:
			data = c.apply(data)
		}
	}
	return data
}

// tear applies some sectors of a write.
func (c change) tear(r *rand.Rand, data []byte) []byte {
	for at := c.at; at < c.at+int64(len(c.data)); {
		end := min((at/sector+1)*sector, c.at+int64(len(c.data)))
		part := change{at, c.data[at-c.at : end-c.at]}
		switch n := r.IntN(20); {
		case n == 0:
			garbage := make([]byte, end-at)
			for i := range garbage {
				garbage[i] = byte(r.Uint32())
			}
			data = change{at, garbage}.apply(data)
		case n < 10:
			data = part.apply(data)
		}
		at = end
	}
	return data
}

// write writes an image to a directory.
func write(image map[string][]byte, dir string) error {
	for name, data := range image {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// A cut of the power keeps what was synced, and nothing that was not done.
func TestDisk(t *testing.T) {
	t.Parallel()
	old, new := bytes.Repeat([]byte("o"), 4*sector), bytes.Repeat([]byte("n"), 4*sector)
	d := newDisk()
	d.create("synced")
	d.change("synced", change{0, old})
	d.mark("synced")()
	d.mark("")()
	d.change("synced", change{0, new})
	begun := d.mark("synced")
	d.change("synced", change{at: 0})
	d.create("unsynced")
	d.change("unsynced", change{0, new})
	r := rand.New(rand.NewPCG(1, 1))

	want := map[string][]byte{"synced": old}
	if diff := cmp.Diff(want, d.cut(r, loseAll)); diff != "" {
		t.Errorf("lose all (-want +got):\n%s", diff)
	}
	want = map[string][]byte{"synced": {}, "unsynced": new}
	if diff := cmp.Diff(want, d.cut(r, loseNone)); diff != "" {
		t.Errorf("lose none (-want +got):\n%s", diff)
	}
	sizes := make(map[int]bool)
	for range 100 {
		sizes[len(d.cut(r, loseLast)["synced"])] = true
	}
	if want := map[int]bool{0: true, 4 * sector: true}; !cmp.Equal(want, sizes) {
		t.Errorf("lose the last: got sizes %v, want %v", sizes, want)
	}
	// Only what had been done when the sync began is durable when it ends.
	begun()
	want = map[string][]byte{"synced": new}
	if diff := cmp.Diff(want, d.cut(r, loseAll)); diff != "" {
		t.Errorf("after a sync (-want +got):\n%s", diff)
	}
	d.change("synced", change{0, old})
	torn := false
	for range 100 {
		data := d.cut(r, loseSectors)["synced"]
		torn = torn || bytes.Contains(data, old[:sector]) && bytes.Contains(data, new[:sector])
	}
	if !torn {
		t.Error("lose sectors: got no torn write in 100 cuts")
	}
}
