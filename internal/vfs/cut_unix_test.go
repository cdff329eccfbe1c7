//go:build unix

package vfs_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/bucketlite/bucketlite/internal/vfstest"
)

// The workload ends in the middle of every write: after and within each header of a
// frame and each page. Then the file has what was acknowledged, and the step under way
// whole or not at all. The last step is there as soon as all of its bytes are.
func TestCutWrites(t *testing.T) {
	t.Parallel()
	for _, m := range modes[:3] {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			r := record(t, m)
			var images []image
			for i, call := range r.calls {
				for _, n := range cuts(call) {
					images = append(images, r.image(i, func(data []byte) []byte { return data[:n] }))
				}
			}
			r.judge(t, images)
		})
	}
}

// As TestCutWrites, but of the last write any choice of sectors has reached the disk, some
// of which hold neither the old nor the new bytes.
func TestTornWrites(t *testing.T) {
	t.Parallel()
	tears := 2
	if *storetest.Long {
		tears = 50
	}
	for _, m := range modes[:2] {
		t.Run(m.String(), func(t *testing.T) {
			t.Parallel()
			r, random := record(t, m), storetest.NewRand(t)
			var images []image
			for i, call := range r.calls {
				if call.Kind != vfstest.Write || !call.OnLog() {
					continue // SQLite does not promise that for the file
				}
				for range tears {
					images = append(images, r.torn(random, i))
				}
			}
			r.judge(t, images)
		})
	}
}

// recorded is what the workload did to its files.
type recorded struct {
	calls []vfstest.Call
	ended []int // how many calls there were at the end of each step, 0 first
	file  []byte
}

func record(t *testing.T, m mode) *recorded {
	t.Helper()
	path := newFile(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := vfstest.Watch(t, filepath.Dir(path))
	c := open(t, path, m)
	defer c.Close()
	r := &recorded{file: before, ended: []int{0}}
	for _, tx := range workload {
		if err := c.do(tx); err != nil {
			t.Fatal(err)
		}
		r.ended = append(r.ended, len(d.Calls()))
	}
	r.calls = d.Calls()
	return r
}

// image is what a call that is under way leaves behind.
type image struct {
	file, log []byte
	call      int
	whole     bool // all of the call
}

// image returns what is left if all calls before one were made, and of that a part.
func (r *recorded) image(call int, part func([]byte) []byte) image {
	files := map[string][]byte{"test.db": bytes.Clone(r.file)}
	for _, c := range r.calls[:call] {
		files[c.Name] = apply(files[c.Name], c)
	}
	last := r.calls[call]
	whole := part(last.Data)
	img := image{call: call, whole: len(whole) == len(last.Data) && bytes.Equal(whole, last.Data)}
	if last.Kind == vfstest.Write {
		last.Data = whole
	}
	files[last.Name] = apply(files[last.Name], last)
	img.file, img.log = files["test.db"], files["test.db-wal"]
	return img
}

// apply returns data after a call.
func apply(data []byte, c vfstest.Call) []byte {
	switch c.Kind {
	case vfstest.Truncate:
		return data[:min(int(c.Offset), len(data))]
	case vfstest.Write:
		if end := int(c.Offset) + len(c.Data); end > len(data) && len(c.Data) > 0 {
			data = append(data, make([]byte, end-len(data))...)
		}
		copy(data[min(int(c.Offset), len(data)):], c.Data)
	}
	return data
}

// cuts returns after which numbers of its bytes a call is cut. A write to the file is whole
// or was not made.
func cuts(c vfstest.Call) []int {
	const page, frame = 4096, 24 + 4096
	if c.Kind != vfstest.Write || !c.OnLog() {
		return []int{len(c.Data)}
	}
	var all []int
	for at := 0; at < len(c.Data); at += frame {
		all = append(all, at, at+10, at+24, at+24+page/3, at+frame-1)
	}
	all = append(all, len(c.Data))
	return slices.DeleteFunc(all, func(n int) bool { return n > len(c.Data) })
}

// torn returns an image in which some sectors of a write are old and some are garbage.
func (r *recorded) torn(random *rand.Rand, call int) image {
	const sector = 512
	c := r.calls[call]
	before := r.image(call, func([]byte) []byte { return nil }).log
	return r.image(call, func(data []byte) []byte {
		data = bytes.Clone(data)
		for at := 0; at < len(data); at += sector {
			piece := data[at:min(at+sector, len(data))]
			switch random.IntN(8) {
			case 0:
				clear(piece)
				if from := int(c.Offset) + at; from < len(before) {
					copy(piece, before[from:])
				}
			case 1:
				for i := range piece {
					piece[i] = byte(random.Uint32())
				}
			}
		}
		return data
	})
}

// judge opens each image.
func (r *recorded) judge(t *testing.T, images []image) {
	t.Helper()
	want, dir := wantStates(t), t.TempDir()
	var wg sync.WaitGroup
	turns := make(chan struct{}, runtime.NumCPU())
	for i, img := range images {
		turns <- struct{}{}
		wg.Go(func() {
			defer func() { <-turns }()
			done := 0 // steps that were acknowledged before the call began
			for done+1 < len(r.ended) && r.ended[done+1] <= img.call {
				done++
			}
			possible := want[done : done+2]
			if img.whole && img.call == len(r.calls)-1 {
				possible = want[len(want)-1:]
			}
			path := filepath.Join(dir, fmt.Sprint(i), "test.db")
			got, err := img.state(path)
			if err != nil || !slices.Contains(possible, got) {
				t.Errorf("call %d of %d, %v of %d bytes at %d of %q: got %s, %v, want one of %q", img.call, len(r.calls),
					r.calls[img.call].Kind, len(r.calls[img.call].Data), r.calls[img.call].Offset, r.calls[img.call].Name, got, err, possible)
			}
		})
	}
	wg.Wait()
	t.Logf("%d images of %d calls", len(images), len(r.calls))
}

func (img image) state(path string) (string, error) {
	dir := filepath.Dir(path)
	if err := os.Mkdir(dir, 0o777); err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(path, img.file, 0o666); err != nil {
		return "", err
	}
	if err := os.WriteFile(path+"-wal", img.log, 0o666); err != nil {
		return "", err
	}
	return stateOf(path)
}
