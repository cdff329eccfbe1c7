// Package filename says what may be the name of a file that came from outside.
package filename

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxLength is how many characters a name may have.
const MaxLength = 255

// Check refuses names that are more than a name, or none on some system: it does
// not mend them, so that what is kept is what was given. The empty name, which
// stands for none, is accepted.
func Check(name string) error {
	switch {
	case !utf8.ValidString(name):
		return errors.New("valid UTF-8 expected in a filename")
	case utf8.RuneCountInString(name) > MaxLength:
		return fmt.Errorf("a filename has at most %d characters", MaxLength)
	case strings.ContainsAny(name, `/\`), strings.ContainsFunc(name, isControl), name == ".", name == "..":
		return fmt.Errorf("a filename without a path expected, got %q", name)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
