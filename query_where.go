package bucketlite

import (
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite/internal/where"
)

// ParseWhere reads a filter as people write it:
//
//	duration > 5000 and language = "en"
//
// A condition is a path, an operator and a value. The operators are those of a [Filter]:
//
//	= != < <= > >=                    Eq, Ne, Lt, Lte, Gt, Gte
//	in (1, 2, "three"), not in (…)    In, NotIn
//	contains, starts with, ends with  Contains, StartsWith, EndsWith
//	matches                           Regex
//	has words                         Words
//	exists, not exists                Exists, with no value behind it
//	is null, is not null              IsNull
//
// Except the symbols and "is", each may have "not" before it. Conditions are joined by
// "and" and "or", negated by "not" and grouped by parentheses; "not" binds closest, then
// "and". All these words may be in upper case.
//
// Text stands in double quotes, with the escapes of JSON, or in single quotes, where two
// stand for one and nothing else is special: matches '^\d+$'. Dates are text. Numbers
// are those of JSON and keep every digit. The words true, false and null are values.
//
// A path is names with dots between them. A name stands in quotes if it has characters
// other than letters, digits, "_" and "-", begins with a digit or "-", or is "and", "or"
// or "not": "first name" = "Ada".
//
// An empty text is an error: a condition that was forgotten must not select everything.
// The bounds are those of filters. Errors: a [*WhereError].
func ParseWhere(text string) (Filter, error) {
	e, err := where.Parse(text)
	if err == nil {
		return Filter{e}, nil
	}
	var bad *where.Error
	if !errors.As(err, &bad) {
		return Filter{}, err
	}
	return Filter{}, &WhereError{Offset: bad.Offset, Line: bad.Line, Column: bad.Column, Message: bad.Message}
}

// WhereError is the first fault of a text that [ParseWhere] refuses. It matches
// [ErrBadRequest].
type WhereError struct {
	Offset int // the number of bytes before the fault
	Line   int // its line, from 1
	Column int // its character in the line, from 1
	// Message says what was found and what was expected.
	Message string
}

func (e *WhereError) Error() string {
	if e.Line > 1 {
		return fmt.Sprintf("bucketlite: where: line %d, character %d: %s", e.Line, e.Column, e.Message)
	}
	return fmt.Sprintf("bucketlite: where: character %d: %s", e.Column, e.Message)
}

// Is reports whether target is [ErrBadRequest].
func (e *WhereError) Is(target error) bool { return target == ErrBadRequest }
