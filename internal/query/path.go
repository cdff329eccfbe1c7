package query

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The bounds of a path.
const (
	MaxSegments = 32  // names in a path
	MaxSegment  = 255 // characters of a name
)

// ParsePath splits a path into the names it consists of. It has 1 to
// [MaxSegments] names of 1 to [MaxSegment] characters each. The error says what
// is wrong to people.
func ParsePath(path string) ([]string, error) {
	switch {
	case path == "":
		return nil, errors.New("a path must not be empty")
	case !utf8.ValidString(path):
		return nil, errors.New("a path must be valid UTF-8")
	case strings.IndexByte(path, 0) >= 0:
		return nil, errors.New("a path must not contain U+0000")
	case strings.Count(path, ".") >= MaxSegments:
		return nil, fmt.Errorf("a path has at most %d segments, got %d", MaxSegments, strings.Count(path, ".")+1)
	}
	segments := strings.Split(path, ".")
	for _, s := range segments {
		switch {
		case s == "":
			return nil, errors.New("a path must not have an empty segment")
		case len(s) > MaxSegment && utf8.RuneCountInString(s) > MaxSegment:
			return nil, fmt.Errorf("a segment of a path has at most %d characters, got %d", MaxSegment, utf8.RuneCountInString(s))
		}
	}
	return segments, nil
}
