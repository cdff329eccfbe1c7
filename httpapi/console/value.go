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
	Time  timeText // of a time
}

// Lengths of values as text, in characters: a longer text is folded, cut in a table, and
// an array or object is no longer on one line.
const (
	longText  = 1200
	shortText = 120
	lineText  = 60
)

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
	if len(text) > lineText {
		text = indented(v)
	}
	s := shown{Kind: "json", Text: text, Short: cut(compact(v), shortText), Long: len(text) > longText}
	if list, ok := v.([]any); ok && len(s.Short) > 40 {
		s.Short = plural(len(list), "item")
	}
	return s
}

func showText(v string) shown {
	s := shown{Kind: "text", Text: v, Short: cut(oneLine(v), shortText), Long: utf8.RuneCountInString(v) > longText}
	switch {
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
	text, err := encodeJSON(v, "")
	if err != nil {
		return fmt.Sprint(v)
	}
	return text
}

func indented(v any) string {
	text, err := encodeJSON(v, "  ")
	if err != nil {
		return fmt.Sprint(v)
	}
	return text
}

func encodeJSON(v any, indent string) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	err := e.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
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
