package console

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
)

// formatBytes returns a size as people read it, as in "1.2 MiB".
func formatBytes(n any) string { return humanize.IBytes(uint64(max(toInt(n), 0))) }

// formatCount returns a number with separators, as in "1,000,000".
func formatCount(n any) string { return humanize.Comma(toInt(n)) }

func toInt(n any) int64 {
	switch n := n.(type) {
	case int:
		return int64(n)
	case int64:
		return n
	case uint64:
		return int64(n)
	}
	return 0
}

// plural returns a number with its noun, as in "1 object" and "2 objects".
func plural(n any, noun string) string {
	if toInt(n) == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "ch") || strings.HasSuffix(noun, "x") {
		return formatCount(n) + " " + noun + "es"
	}
	return formatCount(n) + " " + noun + "s"
}

// statusText returns a status in words, as in "in progress".
func statusText(s any) string {
	return strings.ToLower(strings.ReplaceAll(fmt.Sprint(s), "_", " "))
}

// sentence returns the text of an error as a sentence.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}
