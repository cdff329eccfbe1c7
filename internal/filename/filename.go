// Package filename checks the names of files that come from outside.
package filename

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxLength is how many characters a name may have.
const MaxLength = 255

// Check refuses names that contain a path or are invalid on some system. It does not
// change names, so the given name is the stored one. The empty name means none and is
// accepted.
func Check(name string) error {
	switch {
	case !utf8.ValidString(name):
		return errors.New("valid UTF-8 expected in a filename")
	case utf8.RuneCountInString(name) > MaxLength:
		return fmt.Errorf("a filename has at most %d characters, got %d", MaxLength, utf8.RuneCountInString(name))
	case strings.ContainsAny(name, `/\`), strings.ContainsFunc(name, isControl), name == ".", name == "..":
		return fmt.Errorf("a filename without a path expected, got %q", name)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
