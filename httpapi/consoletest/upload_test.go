package consoletest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi/consoletest/seed"
)

// film writes a file that passes for a video, of some size, and returns its name and its
// SHA-256.
func film(t *testing.T, name string, size int) (path, hash string) {
	t.Helper()
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(data)
	copy(data, "\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2")
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	return path, hex.EncodeToString(sum[:])
}

// stored returns the hashes of the blobs of a bucket by the names of their files.
func stored(t *testing.T, s *Server, bucket string) map[string]string {
	t.Helper()
	ctx := context.Background()
	_, b, err := s.Store.OpenBucket(ctx, seed.Main, bucket)
	if err != nil {
		t.Fatal(err)
	}
	hashes := make(map[string]string)
	for o, err := range b.Objects(ctx, bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		for _, blob := range o.Blobs {
			hashes[blob.Details.Filename] = blob.Details.Hash
		}
	}
	return hashes
}

// An upload whose connection is cut in the middle is sent again. A file that the bucket
// refuses is not, and the report says why.
func TestCutUpload(t *testing.T) {
	t.Parallel()
	var c cutter
	s := behindProxy(t, "", c.meddle)
	p := open(t, s, "console/n/{studio}/b/{studio/films}/uploads", options{})
	whole, hash := film(t, "whole.mp4", 4<<20)
	refused := filepath.Join(t.TempDir(), "refused.mp4")
	if err := os.WriteFile(refused, bytes.Repeat([]byte("%PDF-1.7 is no film\n"), 100), 0o666); err != nil {
		t.Fatal(err)
	}
	p.must(p.tab.Upload("#upload-file", whole, refused))
	p.allow("status: ") // of the cut and the refused request
	p.enter("button Upload 2 files")
	p.wants("1 stored")
	p.wants("refused.mp4: ")
	p.check()
	if !c.cut.Load() {
		t.Error("no connection was cut")
	}
	if got := stored(t, s, "films"); got["whole.mp4"] != hash || got["refused.mp4"] != "" {
		t.Errorf("got %q, want whole.mp4 with %s, and no refused.mp4", got, hash)
	}
}

// Without scripts the form sends one file.
func TestUploadWithoutScripts(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	p := open(t, s, "console/n/{studio}/b/{studio/films}/uploads", options{noScripts: true, width: 390})
	path, hash := film(t, "plain.mp4", 100_000)
	p.must(p.tab.Upload("#upload-file", path))
	p.enter("button Upload")
	p.check()
	if got := stored(t, s, "films")["plain.mp4"]; got != hash {
		t.Errorf("got %q, want %s", got, hash)
	}
}
