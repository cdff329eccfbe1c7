package sample

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Languages are the languages that [Of] writes.
var Languages = [...]string{"curl", "Python", "JavaScript", "Go"}

// A Request is what a program sends.
type Request struct {
	// Method has letters alone; other characters are left out. Default: GET.
	Method string
	// Path is escaped, as in "/v1/buckets/films". Bytes that no path can have are escaped
	// here, a question mark too.
	Path string
	// Query is sorted by name.
	Query url.Values
	// Header has neither the key nor the namespace. In a name, characters that no name can
	// have are left out; in a value, a character that is not visible becomes a space.
	Header map[string]string
	// Namespace is the name or id of X-Namespace. Default: no such header.
	Namespace string
	// Keyless leaves the key out.
	Keyless bool
	// Body is sent as JSON: any value that package encoding/json can encode, of which a
	// [json.RawMessage] keeps the order of members. Default: no JSON.
	Body any
	// File is the name of a file that is sent instead of JSON. Default: none.
	File string
	// Raw says that the answer is not JSON: a file, lines, events, or nothing. It is
	// written as it comes.
	Raw bool
}

// Of returns the program that sends r, without a line break at its end. The language is
// one of [Languages]; for another one the result is empty. It panics if encoding/json
// cannot encode r.Body.
func Of(r Request, language string) string {
	c := newCall(r)
	switch language {
	case "curl":
		return c.curl()
	case "Python":
		return c.python()
	case "JavaScript":
		return c.javaScript()
	case "Go":
		return c.golang()
	}
	return ""
}

// JSON returns a value in the layout of samples: short objects and lists stand on one line.
// It panics if encoding/json cannot encode it.
func JSON(v any) string { return jsonText.write(parse(encode(v)), "") }

// A call is a request in the form that all languages write.
type call struct {
	method  string
	target  string // path and query: letters, digits and -._~/:@,%?&=+ alone
	keyless bool
	headers [][2]string // in order, without the key
	body    *value      // nil if there is none
	file    string
	raw     bool
}

func newCall(r Request) *call {
	c := &call{method: keep(r.Method, letters), target: target(r.Path, r.Query), keyless: r.Keyless, file: r.File, raw: r.Raw}
	if c.method == "" {
		c.method = "GET"
	}
	if r.Namespace != "" {
		c.headers = append(c.headers, [2]string{"X-Namespace", namespace(r.Namespace)})
	}
	if r.Body != nil {
		c.body = parse(encode(r.Body))
		if _, ok := r.Header["Content-Type"]; !ok {
			c.headers = append(c.headers, [2]string{"Content-Type", "application/json"})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		if token := keep(name, letters+"0123456789-_"); token != "" {
			c.headers = append(c.headers, [2]string{token, headerText(r.Header[name])})
		}
	}
	return c
}

func encode(body any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(body); err != nil {
		panic(fmt.Sprintf("sample: encode the body: %v", err))
	}
	return b.Bytes()
}

// target returns the path and the query, in characters that need no quotes in any language.
func target(path string, query url.Values) string {
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		if strings.IndexByte(letters+"0123456789-._~/:@,", c) >= 0 || c == '%' && isEscape(path[i:]) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if len(query) > 0 {
		b.WriteString("?" + query.Encode())
	}
	return b.String()
}

// isEscape reports whether s begins with an escaped byte.
func isEscape(s string) bool {
	if len(s) < 3 {
		return false
	}
	_, err := url.PathUnescape(s[:3])
	return err == nil
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// keep returns the characters of s that are among those given.
func keep(s, among string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(among, r) {
			return r
		}
		return -1
	}, s)
}

// namespace returns the value of X-Namespace. Some clients send only Latin-1 in headers,
// so other names are percent-encoded, which the server understands.
func namespace(name string) string {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return url.PathEscape(name)
		}
	}
	return headerText(name)
}

// headerText returns a text of a header on one line.
func headerText(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}
