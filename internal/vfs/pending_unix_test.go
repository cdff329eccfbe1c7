//go:build unix

package vfs

import (
	"encoding/binary"
	"testing"

	sqlite3 "modernc.org/sqlite/lib"
)

// frameHead returns the header of a frame, which ends its transaction if size is not 0.
func frameHead(size uint32) []byte {
	b := make([]byte, frameHeader)
	binary.BigEndian.PutUint32(b[4:], size)
	return b
}

// Only whole frames in their places are held back.
func TestPart(t *testing.T) {
	t.Parallel()
	const page, frame = 4096, 24 + 4096
	empty := pending{page: page}
	awaiting := pending{page: page, at: 32, size: frame + 24, header: true}
	within := pending{page: page, at: 32, size: frame}
	tests := []struct {
		name   string
		held   pending
		data   []byte
		offset int64
		want   part
	}{
		{"first header", empty, frameHead(0), 32, header},
		{"last header", empty, frameHead(7), 32, lastHeader},
		{"header of a later frame", empty, frameHead(0), 32 + 5*frame, header},
		{"header between frames", empty, frameHead(0), 33, other},
		{"header before the first frame", empty, frameHead(0), 32 - frame, other},
		{"end of a page of 24 bytes", empty, make([]byte, 24), 32 + frame - 24, other},
		{"header of the log", empty, make([]byte, 32), 0, other},
		{"page without a header", empty, make([]byte, page), 32 + 24, other},
		{"page of the header", awaiting, make([]byte, page), 32 + frame + 24, pageOfFrame},
		{"page elsewhere", awaiting, make([]byte, page), 32 + 24, other},
		{"part of the page", awaiting, make([]byte, page-1), 32 + frame + 24, other},
		{"header in place of the page", awaiting, frameHead(0), 32 + 2*frame, other},
		{"header after a page", within, frameHead(0), 32 + frame, header},
		{"page after a page", within, make([]byte, page), 32 + frame, other},
	}
	for _, test := range tests {
		if got := test.held.part(test.data, test.offset); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

func TestPageSize(t *testing.T) {
	t.Parallel()
	head := func(magic, size uint32) []byte {
		b := make([]byte, logHeader)
		binary.BigEndian.PutUint32(b, magic)
		binary.BigEndian.PutUint32(b[8:], size)
		return b
	}
	tests := []struct {
		name   string
		header []byte
		want   int32
	}{
		{"little endian", head(0x377f0682, 4096), 4096},
		{"big endian", head(0x377f0683, 512), 512},
		{"largest", head(0x377f0682, 65536), 65536},
		{"no log", head(0x377f0684, 4096), 0},
		{"empty", make([]byte, logHeader), 0},
		{"too small", head(0x377f0682, 256), 0},
		{"too large", head(0x377f0682, 131072), 0},
		{"no power of two", head(0x377f0682, 4097), 0},
	}
	for _, test := range tests {
		if got := pageSize(test.header); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

// An index reports the header of the connection that mapped it first, until that is
// closed, and never one that is being written.
func TestIndex(t *testing.T) {
	t.Parallel()
	x := NewIndex()
	want := func(when string, want Header, wantOK bool) {
		t.Helper()
		if got, ok := x.Header(); got != want || ok != wantOK {
			t.Errorf("%s: got %v, %t, want %v, %t", when, got, ok, want, wantOK)
		}
	}
	h := Header{headerVersion, 0, 5, 1, 9}
	first, second := headers{h, h}, headers{}
	want("before any", Header{}, false)
	indexes.mapped(x.id, 1, &first)
	indexes.mapped(x.id, 2, &second)
	want("mapped twice", h, true)
	first[1][2]++
	want("while the header is written", Header{}, false)
	first[0][2]++
	want("afterwards", first[0], true)
	first[0], first[1] = Header{}, Header{}
	if _, ok := x.Header(); ok {
		t.Error("cleared: got a header, want none")
	}
	first[0], first[1] = h, h
	indexes.unmapped(x.id, 2)
	want("the second is closed", h, true)
	indexes.unmapped(x.id, 1)
	want("the first is closed", Header{}, false)
	indexes.mapped(x.id, 3, &first)
	want("mapped again", h, true)
	x.Close()
	want("closed", Header{}, false)
	indexes.mapped(x.id, 4, &first)
	want("mapped after Close", Header{}, false)
}

// The first word of a header is its version.
func TestHeaderVersion(t *testing.T) {
	t.Parallel()
	if sqlite3.WALINDEX_MAX_VERSION != headerVersion {
		t.Errorf("got version %d, want %d", sqlite3.WALINDEX_MAX_VERSION, headerVersion)
	}
}
