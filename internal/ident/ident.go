// Package ident makes and recognizes ids. An id is a prefix, which tells its kind,
// and a ULID. Only ids of objects may be chosen by callers.
package ident

import (
	"bufio"
	"crypto/rand"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// The prefixes of ids.
const (
	NamespacePrefix = "ns_"
	BucketPrefix    = "bkt_"
	ObjectPrefix    = "obj_"
	BlobPrefix      = "blob_"
	UploadPrefix    = "upl_"
	BatchPrefix     = "btch_"
	TaskPrefix      = "task_"
)

// Source makes strictly increasing ids, across goroutines and even if the clock stops
// or goes back. It is safe for concurrent use.
type Source struct {
	mu      sync.Mutex
	now     func() time.Time
	entropy *ulid.MonotonicEntropy
	last    uint64    // milliseconds of the newest id
	newest  ulid.ULID // the newest id
}

// NewSource returns a source that uses now as its clock and entropy for its random
// part; a nil entropy means crypto/rand.
func NewSource(now func() time.Time, entropy io.Reader) *Source {
	if entropy == nil {
		entropy = rand.Reader
	}
	return &Source{now: now, entropy: ulid.Monotonic(bufio.NewReader(entropy), 0)}
}

// Next returns a new id with the prefix. It fails only if the entropy does.
func (s *Source) Next(prefix string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(s.last, uint64(max(0, s.now().UnixMilli())))
	id, err := ulid.New(s.last, s.entropy)
	if err == ulid.ErrMonotonicOverflow || err == nil && id.Compare(s.newest) <= 0 {
		s.last++ // the ids of this millisecond are used up
		id, err = ulid.New(s.last, s.entropy)
	}
	if err != nil {
		return "", fmt.Errorf("make an id: %w", err)
	}
	s.newest = id
	return prefix + id.String(), nil
}

// Is reports whether s is prefix and a ULID.
func Is(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return false
	}
	_, err := ulid.ParseStrict(rest)
	return err == nil
}

// IsObject reports whether a caller may choose s as an object's id: 1 to 128
// of the characters A–Z a–z 0–9 _ -.
func IsObject(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && !('0' <= c && c <= '9') && c != '_' && c != '-' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 128
}
