package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// shown is a value of a field, as people read it.
type shown struct {
	Kind  string // absent, null, text, link, number, bool, time or json
	Text  string
	Short string   // the text cut, on one line
	Long  bool     // the text takes more than a few lines
	Whole int      // the bytes of the text if only its beginning is here, else 0
	Time  timeText // of a time
}

// Lengths of values as text, in characters: a longer text is folded, cut in a table, and
// an array or object is no longer on one line.
const (
	longText  = 1200
	shortText = 120
	lineText  = 60
)

// maxText bounds the bytes of a value, and of an object's JSON, on a page: an object has up
// to 16 MiB, and a page holds it several times.
const maxText = 256 << 10

// maxIndent bounds the bytes by which lines and spaces make JSON longer. In deeply nested
// JSON they are a thousand times as long as the rest.
const maxIndent = 1 << 20

// beginning returns the beginning of a text that is too long for a page, and its length
// then.
func beginning(text string) (part string, whole int) {
	if len(text) <= maxText {
		return text, 0
	}
	return wholeRunes(text[:maxText]), len(text)
}

// show returns a value as people read it; ok reports whether the object has it.
func show(v any, ok bool) shown {
	switch v := v.(type) {
	case nil:
		if ok {
			return shown{Kind: "null", Text: "null", Short: "null"}
		}
		return shown{Kind: "absent", Text: "absent", Short: ""}
	case string:
		return showText(v)
	case bool, json.Number:
		s := shown{Kind: "number", Text: fmt.Sprint(v)}
		if _, ok := v.(bool); ok {
			s.Kind = "bool"
		}
		s.Short = s.Text
		return s
	}
	text := compact(v)
	s := shown{Kind: "json", Text: text, Short: cut(text, shortText), Long: len(text) > longText}
	if len(text) > lineText {
		s.Text, s.Whole = beginning(indentedText(text))
		s.Long = len(s.Text) > longText
	}
	if list, ok := v.([]any); ok && len(s.Short) > 40 {
		s.Short = plural(len(list), "item")
	}
	return s
}

func showText(v string) shown {
	s := shown{Kind: "text"}
	s.Text, s.Whole = beginning(v)
	s.Short, s.Long = cut(oneLine(cut(s.Text, longText)), shortText), utf8.RuneCountInString(s.Text) > longText
	switch {
	case s.Long:
	case strings.HasPrefix(v, "https://") || strings.HasPrefix(v, "http://"):
		if !strings.ContainsAny(v, " \r\n\t<>\"") {
			s.Kind = "link"
		}
	case len(v) >= len("2006-01-02T15:04Z") && v[4] == '-' && strings.ContainsRune(v, 'T'):
		if t, err := time.Parse(time.RFC3339, v); err == nil {
			s.Kind, s.Time = "time", newTimeText(t)
			s.Time.UTC = v
		}
	}
	return s
}

// plainText returns a value as it is in a title.
func plainText(v any) string {
	if s, ok := v.(string); ok {
		return oneLine(s)
	}
	return compact(v)
}

func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func indented(v any) string { return indentedText(compact(v)) }

// indentedText returns compact JSON with line breaks and indentation, or as it is where
// these are too long.
func indentedText(text string) string {
	if indentation(text) > maxIndent+len(text) {
		return text
	}
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(text), "", indentUnit); err != nil {
		return text
	}
	return b.String()
}

const indentUnit = "  "

// indentation returns by how many bytes indentation makes compact JSON longer, roughly.
func indentation(text string) (n int) {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[', c == '{', c == ',':
			if c != ',' {
				depth++
			}
			n += 1 + depth*len(indentUnit)
		case c == ']', c == '}':
			depth--
			n += 1 + depth*len(indentUnit)
		}
	}
	return n
}

// oneLine returns a text without line breaks and runs of spaces.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// cut returns the beginning of a text that is longer than n characters.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	count := 0
	for i := range text {
		if count == n-1 && utf8.RuneCountInString(text[i:]) > 1 {
			return text[:i] + "…"
		}
		count++
	}
	return text
}
