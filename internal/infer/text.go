package infer

import (
	"encoding/json"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

// kindOfText returns the narrowest type of a text in a file whose values are all texts.
//
// Digits that no number writes are text: a leading zero or a plus as in postal codes and
// telephone numbers, more digits than a 64-bit integer has, and an exponent without a
// point or a sign, as in the code 12e4.
func kindOfText(s string) kind {
	if s == "true" || s == "false" {
		return boolean
	}
	if s == "" || value.CheckNumber(s) != nil {
		return text
	}
	if !strings.ContainsAny(s, ".eE") {
		if _, ok := value.Int(json.Number(s)); !ok {
			return text
		}
		return integer
	}
	if strings.ContainsAny(s, "eE") && !strings.ContainsAny(s, ".+") && !strings.Contains(s[1:], "-") {
		return text
	}
	return number
}
