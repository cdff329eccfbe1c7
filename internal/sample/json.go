package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A value is JSON that keeps the order of members and the digits of numbers.
type value struct {
	kind  byte   // '{', '[', '"', '0' of a number, 'w' of true, false or null
	text  string // of what is neither object nor array
	names []string
	items []*value
}

// parse reads JSON that encoding/json has written.
func parse(text []byte) *value {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return parseNext(d)
}

func parseNext(d *json.Decoder) *value {
	switch token := next(d).(type) {
	case json.Delim:
		v := &value{kind: byte(token)}
		for d.More() {
			if token == '{' {
				v.names = append(v.names, next(d).(string))
			}
			v.items = append(v.items, parseNext(d))
		}
		next(d) // the bracket that closes it
		return v
	case string:
		return &value{kind: '"', text: token}
	case json.Number:
		return &value{kind: '0', text: token.String()}
	case nil:
		return &value{kind: 'w', text: "null"}
	default:
		return &value{kind: 'w', text: fmt.Sprint(token)}
	}
}

func next(d *json.Decoder) json.Token {
	token, err := d.Token()
	if err != nil {
		panic(fmt.Sprintf("sample: read the body: %v", err))
	}
	return token
}

// A dialect writes values as literals of a language.
type dialect struct {
	quote  func(string) string // a string
	member func(string) string // the name of a member
	words  map[string]string   // for true, false and null, where they are other words
	comma  string              // after the last of several lines
	indent string
}

// jsonText is JSON itself.
var jsonText = &dialect{quote: quoteJSON, member: quoteJSON, indent: "  "}

// lineWidth is the length up to which a value stands on one line.
const lineWidth = 76

// write returns v, whose first line is indented by margin already.
func (d *dialect) write(v *value, margin string) string {
	line := d.line(v)
	if len(v.items) == 0 || len(line)+len(margin) <= lineWidth {
		return line
	}
	var b strings.Builder
	b.WriteByte(v.kind)
	inner := margin + d.indent
	for i, item := range v.items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n" + inner)
		if v.kind == '{' {
			b.WriteString(d.member(v.names[i]) + ": ")
		}
		b.WriteString(d.write(item, inner))
	}
	b.WriteString(d.comma + "\n" + margin)
	b.WriteByte(v.kind + 2) // } follows { at this distance, and ] follows [
	return b.String()
}

// line returns v on one line.
func (d *dialect) line(v *value) string {
	switch v.kind {
	case '"':
		return d.quote(v.text)
	case '0':
		return v.text
	case 'w':
		if word, ok := d.words[v.text]; ok {
			return word
		}
		return v.text
	}
	var b strings.Builder
	b.WriteByte(v.kind)
	for i, item := range v.items {
		if i > 0 {
			b.WriteString(", ")
		}
		if v.kind == '{' {
			b.WriteString(d.member(v.names[i]) + ": ")
		}
		b.WriteString(d.line(item))
	}
	b.WriteByte(v.kind + 2)
	return b.String()
}

// The bounds of literals: compilers refuse more brackets or digits.
const (
	maxDepth  = 32
	maxDigits = 1000
)

// exact reports whether a language that has 64-bit floats, and whole numbers below maxInt,
// holds v as a literal without a loss.
func exact(v *value, maxInt float64, depth int) bool {
	if v.kind == '0' && !exactNumber(v.text, maxInt) || depth == maxDepth {
		return false
	}
	for _, item := range v.items {
		if !exact(item, maxInt, depth+1) {
			return false
		}
	}
	return true
}

func exactNumber(text string, maxInt float64) bool {
	if len(text) > maxDigits {
		return false
	}
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case !strings.ContainsAny(text, ".eE") && (math.IsInf(maxInt, 1) || err == nil && math.Abs(f) < maxInt):
		return true
	case err != nil:
		return false
	}
	return digits(text) == digits(strconv.FormatFloat(f, 'e', -1, 64))
}

// digits returns the digits of a number, without zeros at either end, and its magnitude,
// so that equal numbers have equal results.
func digits(text string) string {
	text = strings.ToLower(strings.TrimPrefix(text, "-"))
	mantissa, exponent, _ := strings.Cut(text, "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	power, _ := strconv.Atoi(exponent) // a number whose exponent is no int is not finite, or 0
	all := strings.TrimLeft(whole+fraction, "0")
	if all == "" {
		return "0"
	}
	power += len(all) - len(fraction)
	return fmt.Sprint(strings.TrimRight(all, "0"), " ", power)
}
