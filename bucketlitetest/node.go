package bucketlitetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/bom"
	"github.com/bucketlite/bucketlite/internal/value"
	"github.com/go-json-experiment/json/jsontext"
)

// node is a JSON value in a file, and knows its place there. Its errors begin with
// a line break, since there may be several.
type node struct {
	file string
	line int // from 1
	path value.Path
	raw  []byte
}

// readText reads a file, which may begin with a byte order mark.
func readText(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf(" %w", err)
	}
	if text, err = bom.Text(text); err != nil {
		return nil, fmt.Errorf(" %s: %w", path, err)
	}
	return text, nil
}

// readNode reads a file that holds one JSON value.
func readNode(path string) (node, error) {
	text, err := readText(path)
	if err != nil {
		return node{}, err
	}
	n := node{file: path, line: 1, raw: text}
	d := jsontext.NewDecoder(bytes.NewReader(text))
	raw, err := d.ReadValue()
	if err != nil {
		return node{}, n.syntax(err)
	}
	whole := n.child(raw, d.InputOffset())
	whole.raw = slices.Clone(raw) // it is the decoder's until the next call
	if _, err := d.ReadToken(); err != io.EOF {
		if err == nil {
			n.line += bytes.Count(text[:d.InputOffset()], []byte("\n"))
			return node{}, n.fault("more after the end of the value")
		}
		return node{}, n.syntax(err)
	}
	return whole, nil
}

// members hands each member of n, which must be an object, to each.
func (n node) members(each func(name string, child node) error) error {
	return n.split('{', "object", func(d *jsontext.Decoder, _ int) (value.Path, error) {
		name, err := d.ReadToken()
		return n.path.Member(name.String()), err
	}, func(child node) error { return each(child.path[len(child.path)-1].Name, child) })
}

// items hands each item of n, which must be an array, to each.
func (n node) items(each func(child node) error) error {
	return n.split('[', "array", func(_ *jsontext.Decoder, i int) (value.Path, error) { return n.path.Item(i), nil }, each)
}

// split hands each part of n, which must begin with open, to each. Path
// reads the text before the i-th part.
func (n node) split(open byte, kind string, path func(d *jsontext.Decoder, i int) (value.Path, error), each func(node) error) error {
	if n.raw[0] != open {
		return n.fault(kind + " expected, got " + kindOf(n.raw))
	}
	d := jsontext.NewDecoder(bytes.NewReader(n.raw))
	if _, err := d.ReadToken(); err != nil {
		return n.syntax(err)
	}
	for i := 0; d.PeekKind() != '}' && d.PeekKind() != ']'; i++ {
		at, err := path(d, i)
		if err != nil {
			return n.syntax(err)
		}
		raw, err := d.ReadValue()
		if err != nil {
			return n.syntax(err)
		}
		child := n.child(raw, d.InputOffset())
		child.path = slices.Clone(at)
		child.raw = slices.Clone(raw)
		if err := each(child); err != nil {
			return err
		}
	}
	return nil
}

// child returns the part of n that is raw and ends at end.
func (n node) child(raw []byte, end int64) node {
	n.line += bytes.Count(n.raw[:int(end)-len(raw)], []byte("\n"))
	n.raw = raw
	return n
}

// kindOf returns the kind of a JSON value.
func kindOf(raw []byte) string {
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f', 'n':
		return string(raw)
	}
	return "a number"
}

// fault returns an error about n.
func (n node) fault(message string) error { return n.faultAt("", message) }

// faultAt returns an error about the value at path below n.
func (n node) faultAt(path, message string) error {
	at := n.path.String()
	if at != "" && path != "" && path[0] != '[' {
		at += "."
	}
	if at += path; at != "" {
		at += ": "
	}
	return fmt.Errorf("\n\t%s:%d: %s%s", n.file, n.lineOf(path), at, message)
}

// errFound ends a search.
var errFound = errors.New("found")

// lineOf returns the line of what path leads to from n, or of the last value on
// the way that is there.
func (n node) lineOf(path string) int {
	line := n.line
	n.path = nil
	look := func(child node) error {
		rest, ok := strings.CutPrefix(path, child.path.String())
		if !ok || rest != "" && rest[0] != '.' && rest[0] != '[' {
			return nil
		}
		line = child.lineOf(strings.TrimPrefix(rest, "."))
		return errFound
	}
	switch {
	case path == "":
	case n.raw[0] == '{':
		n.members(func(_ string, child node) error { return look(child) })
	case n.raw[0] == '[':
		n.items(look)
	}
	return line
}

// syntax says where the text of n is no JSON.
func (n node) syntax(err error) error {
	var bad *jsontext.SyntacticError
	if errors.As(err, &bad) {
		n.line += bytes.Count(n.raw[:min(int(bad.ByteOffset), len(n.raw))], []byte("\n"))
		err = bad.Err
	} else if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		n.line += bytes.Count(n.raw, []byte("\n"))
		err = io.ErrUnexpectedEOF
	}
	return n.fault(err.Error())
}

// refused says why the library would not take n: each reason with its own place,
// if there are several.
func (n node) refused(err error) error {
	var invalid *bucketlite.ValidationError
	if !errors.As(err, &invalid) {
		return n.fault(err.Error())
	}
	var text strings.Builder
	for _, issue := range invalid.Issues {
		text.WriteString(n.faultAt(issue.Path, issue.Message).Error())
	}
	if invalid.Omitted > 0 {
		text.WriteString(n.fault(fmt.Sprintf("and %d more", invalid.Omitted)).Error())
	}
	return errors.New(text.String())
}
