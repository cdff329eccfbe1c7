package bucketlite

import (
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
)

// summed returns a row with something in every column.
func summed() objectRow {
	return objectRow{
		object: Object{
			seq: 1<<commit.ClockBits | 7, ID: "obj", Version: 9, KeyPrefix: "here/", Size: 3, Status: StatusDraft, Error: "none",
			CreatedAt: time.UnixMicro(11), UpdatedAt: time.UnixMicro(12),
		},
		key: []byte("key"), fields: []byte("fields"), blobs: "blobs",
	}
}

// Whatever a row says of an object changes its checksum, also if the same bytes only
// move from one column to the next.
func TestChecksumCovers(t *testing.T) {
	t.Parallel()
	seen := map[int64]string{}
	for name, change := range map[string]func(*objectRow){
		"nothing":                       func(o *objectRow) {},
		"seq":                           func(o *objectRow) { o.object.seq++ },
		"version":                       func(o *objectRow) { o.object.Version++ },
		"creation":                      func(o *objectRow) { o.object.CreatedAt = o.object.CreatedAt.Add(time.Microsecond) },
		"update":                        func(o *objectRow) { o.object.UpdatedAt = o.object.UpdatedAt.Add(time.Microsecond) },
		"times exchanged":               func(o *objectRow) { o.object.CreatedAt, o.object.UpdatedAt = o.object.UpdatedAt, o.object.CreatedAt },
		"id":                            func(o *objectRow) { o.object.ID = "obk" },
		"key":                           func(o *objectRow) { o.key = []byte("kez") },
		"no key":                        func(o *objectRow) { o.key = nil },
		"key prefix":                    func(o *objectRow) { o.object.KeyPrefix = "" },
		"fields":                        func(o *objectRow) { o.fields = []byte("Fields") },
		"blobs":                         func(o *objectRow) { o.blobs = "" },
		"long blobs":                    func(o *objectRow) { o.blobs = strings.Repeat("b", 1<<20) },
		"a letter from id to key":       func(o *objectRow) { o.object.ID, o.key = "ob", []byte("jkey") },
		"a letter from key to fields":   func(o *objectRow) { o.key, o.object.KeyPrefix, o.fields = []byte("keyhere/"), "", []byte("fields") },
		"a letter from fields to blobs": func(o *objectRow) { o.fields, o.blobs = []byte("field"), "sblobs" },
		"expiry":                        func(o *objectRow) { o.object.ExpiresAt = time.UnixMicro(13) },
		"expiry in the blobs":           func(o *objectRow) { o.blobs += "\x0d\x00\x00\x00\x00\x00\x00\x00" },
		"all in the blobs":              func(o *objectRow) { o.fields, o.blobs = nil, "fieldsblobs" },
	} {
		o := summed()
		change(&o)
		sum := o.checksum()
		if other, ok := seen[sum]; ok {
			t.Errorf("%s and %s: got one checksum, want two", name, other)
		}
		seen[sum] = name
	}
}

// Columns that statements change in many rows, and derived ones, are not covered.
func TestChecksumLeavesOut(t *testing.T) {
	t.Parallel()
	o := summed()
	want := o.checksum()
	o.object.Status, o.object.Error, o.object.Size = StatusCompleted, "", 4
	if got := o.checksum(); got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}

// A checksum allocates nothing. It is on the way of every read and write.
func TestChecksumAllocations(t *testing.T) {
	o := summed()
	if n := testing.AllocsPerRun(100, func() { o.checksum() }); n >= 1 {
		t.Errorf("got %v allocations, want none", n)
	}
}
