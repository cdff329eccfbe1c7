package bucketlite

import (
	"bufio"
	"crypto/rand"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"
)

// The prefixes of ids. What follows is a ULID, but for object ids chosen by the caller.
const (
	namespacePrefix = "ns_"
	bucketPrefix    = "bkt_"
	objectPrefix    = "obj_"
	blobPrefix      = "blob_"
	uploadPrefix    = "upl_"
	batchPrefix     = "btch_"
	taskPrefix      = "task_"
)

// idSource makes ids that rise strictly, also across goroutines and when the
// clock stands still or goes back.
type idSource struct {
	mu      sync.Mutex
	now     func() time.Time
	entropy *ulid.MonotonicEntropy
	last    uint64    // milliseconds of the newest id
	newest  ulid.ULID // the newest id
}

func newIDSource(now func() time.Time, entropy io.Reader) *idSource {
	if entropy == nil {
		entropy = rand.Reader
	}
	return &idSource{now: now, entropy: ulid.Monotonic(bufio.NewReader(entropy), 0)}
}

func (s *idSource) next(prefix string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(s.last, uint64(max(0, s.now().UnixMilli())))
	id, err := ulid.New(s.last, s.entropy)
	if err == ulid.ErrMonotonicOverflow || err == nil && id.Compare(s.newest) <= 0 {
		s.last++ // this millisecond's ids are used up
		id, err = ulid.New(s.last, s.entropy)
	}
	if err != nil {
		return "", errorf("make an id: %w", err)
	}
	s.newest = id
	return prefix + id.String(), nil
}

// isID reports whether s is prefix and a ULID.
func isID(prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return false
	}
	_, err := ulid.ParseStrict(rest)
	return err == nil
}

// isObjectID reports whether a caller may choose s as an object's id: 1 to 128
// of the characters A–Z a–z 0–9 _ -.
func isObjectID(s string) bool {
	for _, c := range []byte(s) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && !('0' <= c && c <= '9') && c != '_' && c != '-' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 128
}

const maxNameLength = 255

// nameIssue says what is wrong with the name of a namespace or bucket, if
// anything is.
func nameIssue(name string) string {
	switch {
	case name == "":
		return "required"
	case !utf8.ValidString(name):
		return "valid UTF-8 expected"
	case utf8.RuneCountInString(name) > maxNameLength:
		return "at most 255 characters expected"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "no control characters expected"
	case strings.TrimSpace(name) == "":
		return "must not be blank"
	case isID(namespacePrefix, name), isID(bucketPrefix, name):
		return "must not look like an id"
	}
	return ""
}
