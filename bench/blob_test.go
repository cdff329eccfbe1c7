package main

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

func TestContent(t *testing.T) {
	t.Parallel()
	const size = 2<<20 + 100
	one, err := io.ReadAll(newContent(1, size))
	if err != nil || len(one) != size {
		t.Fatalf("got %d bytes, %v, want %d", len(one), err, size)
	}
	again, err := io.ReadAll(iotest.HalfReader(newContent(1, size)))
	if err != nil || !bytes.Equal(one, again) {
		t.Errorf("%v, or other bytes from reads of other sizes", err)
	}
	two, err := io.ReadAll(newContent(2, size))
	if err != nil || bytes.Equal(one, two) {
		t.Errorf("%v, or the same bytes for another blob", err)
	}
	if bytes.Equal(one[:1<<20], one[1<<20:2<<20]) {
		t.Error("got the same bytes in both parts of a blob")
	}
}

func TestVerifier(t *testing.T) {
	t.Parallel()
	const size = 1<<20 + 5000
	whole, err := io.ReadAll(newContent(3, size))
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Clone(whole)
	changed[1<<20+4000] ^= 1
	for _, c := range []struct {
		name  string
		bytes []byte
		ok    bool
	}{
		{"whole", whole, true},
		{"short", whole[:size-1], false},
		{"long", append(bytes.Clone(whole), 0), false},
		{"changed", changed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := &verifier{want: newContent(3, size)}
			_, err := io.Copy(v, iotest.OneByteReader(bytes.NewReader(c.bytes[:100])))
			if err == nil {
				_, err = io.Copy(v, bytes.NewReader(c.bytes[100:]))
			}
			if err == nil {
				err = v.end()
			}
			if (err == nil) != c.ok {
				t.Errorf("got %v, want success: %v", err, c.ok)
			}
		})
	}
}

// Every peer with blobs returns what was written.
func TestBlobsOfPeers(t *testing.T) {
	t.Parallel()
	for name := range blobPeers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := peerNamed(name)
			task := blobTask{Peer: name, Dir: t.TempDir(), Size: 100_000, Durable: p.durable != "", Budget: 1}
			st, err := blobPeers[name](t.Context(), task.Dir, settings{durable: task.Durable})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := task.do(t.Context(), st); err != nil {
				t.Error(err)
			}
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}
