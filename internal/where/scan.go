package where

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/value"
)

type kind uint8

const (
	end    kind = iota
	word        // a name or a word of the language
	text        // text in quotes
	number      // what begins as a number does
	symbol      // an operator or punctuation
)

// token is a piece of the text.
type token struct {
	kind  kind
	pos   int
	raw   string // as it is written
	value string // of a text: without quotes
}

// is reports whether t is this word of the language, in upper or lower case.
func (t token) is(name string) bool { return t.kind == word && strings.ToLower(t.raw) == name }

// isSymbol reports whether t is one of these symbols.
func (t token) isSymbol(symbols ...string) bool {
	for _, s := range symbols {
		if t.kind == symbol && t.raw == s {
			return true
		}
	}
	return false
}

// show returns t as error messages show it.
func (t token) show() string {
	const shown = 40
	switch {
	case t.kind == end:
		return "the end"
	case len(t.raw) > shown:
		return strings.ToValidUTF8(t.raw[:shown], "") + "…"
	}
	return t.raw
}

// symbols are the symbols of the language, and those of others that errors explain. A
// symbol stands before those it begins with.
var symbols = []string{"==", "!=", "<>", "<=", ">=", "=~", "&&", "||", "=", "<", ">", "(", ")", ",", ".", "!", "~"}

// meant says what to write for the symbols of other languages.
var meant = map[string]string{"&&": "and", "||": "or", "!": "not", "=~": "matches", "~": "matches"}

// next returns the token that begins at or after pos.
func next(src string, pos int) (token, error) {
	for pos < len(src) && strings.IndexByte(" \t\r\n", src[pos]) >= 0 {
		pos++
	}
	rest := src[pos:]
	if rest == "" {
		return token{kind: end, pos: pos}, nil
	}
	switch c, _ := utf8.DecodeRuneInString(rest); {
	case c == '"':
		return quoted(rest, pos)
	case c == '\'':
		return raw(rest, pos)
	case startsNumber(rest):
		return token{kind: number, pos: pos, raw: rest[:span(rest, inNumber)]}, nil
	case startsWord(c):
		return token{kind: word, pos: pos, raw: rest[:span(rest, inWord)]}, nil
	}
	for _, s := range symbols {
		if strings.HasPrefix(rest, s) {
			return token{kind: symbol, pos: pos, raw: s}, nil
		}
	}
	_, size := utf8.DecodeRuneInString(rest)
	return token{kind: symbol, pos: pos, raw: rest[:size]}, nil
}

// quoted reads text in double quotes, with the escapes of JSON.
func quoted(rest string, pos int) (token, error) {
	n := 1
	for ; n < len(rest) && rest[n] != '"'; n++ {
		if rest[n] == '\\' {
			n++
		}
	}
	if n >= len(rest) {
		return token{}, &fault{pos, `got no second quote, want text to end with "`}
	}
	t := token{kind: text, pos: pos, raw: rest[:n+1]}
	v, err := value.Parse([]byte(t.raw), value.Limits{MaxBytes: MaxBytes})
	if err != nil {
		return token{}, &fault{pos, fmt.Sprintf("%s: want the escapes of JSON, or text in single quotes, which has none", err)}
	}
	t.value, _ = v.(string)
	return t, nil
}

// raw reads text in single quotes, where two of them stand for one, and nothing else is
// special.
func raw(rest string, pos int) (token, error) {
	for n := 1; n < len(rest); n++ {
		switch {
		case rest[n] != '\'':
		case strings.HasPrefix(rest[n:], "''"):
			n++
		default:
			return token{kind: text, pos: pos, raw: rest[:n+1], value: strings.ReplaceAll(rest[1:n], "''", "'")}, nil
		}
	}
	return token{}, &fault{pos, "got no second quote, want text to end with '"}
}

func startsNumber(s string) bool {
	s = strings.TrimLeft(s, "+-.")
	return s != "" && '0' <= s[0] && s[0] <= '9'
}

// inNumber takes more than numbers have, so that an error shows all of a date.
func inNumber(c rune) bool {
	return '0' <= c && c <= '9' || strings.ContainsRune("+-.:", c) || startsWord(c)
}

func startsWord(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsMark(c) }

func inWord(c rune) bool { return startsWord(c) || c == '-' || unicode.IsDigit(c) }

// span returns how many bytes at the beginning of s are of characters that in takes.
func span(s string, in func(rune) bool) int {
	if n := strings.IndexFunc(s, func(c rune) bool { return !in(c) }); n >= 0 {
		return n
	}
	return len(s)
}
