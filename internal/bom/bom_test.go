package bom

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"
)

// encode returns a text as UTF-16 with a mark.
func encode(order binary.AppendByteOrder, text string) string {
	var b []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		b = order.AppendUint16(b, unit)
	}
	return string(b)
}

func TestText(t *testing.T) {
	t.Parallel()
	const text = "{\"name\": \"Größe 日本 😀\"}\r\n"
	long := strings.Repeat(text, 1000)
	tests := []struct {
		name, in, want string
		err            error
	}{
		{"empty", "", "", nil},
		{"one byte", "5", "5", nil},
		{"without a mark", text, text, nil},
		{"UTF-8", "\ufeff" + text, text, nil},
		{"UTF-8, the mark alone", "\ufeff", "", nil},
		{"UTF-8, two marks", "\ufeff\ufeff", "\ufeff", nil},
		{"a mark that does not begin the text", " \ufeff", " \ufeff", nil},
		{"half a mark", "\xEF\xBB", "\xEF\xBB", nil},
		{"invalid UTF-8 stays", "\xEF\xBB\xBF\xFF", "\xFF", nil},
		{"UTF-16, little end first", encode(binary.LittleEndian, text), text, nil},
		{"UTF-16, big end first", encode(binary.BigEndian, text), text, nil},
		{"UTF-16, the mark alone", "\xFF\xFE", "", nil},
		{"UTF-16, long", encode(binary.LittleEndian, long), long, nil},
		{"UTF-16, an odd number of bytes", "\xFF\xFEa\x00b", "a", ErrUTF16},
		{"UTF-16, a high surrogate at the end", "\xFF\xFEa\x00\x3D\xD8", "a", ErrUTF16},
		{"UTF-16, a high surrogate before a letter", "\xFF\xFE\x3D\xD8a\x00", "", ErrUTF16},
		{"UTF-16, a low surrogate first", "\xFE\xFF\xDE\x00\xD8\x3D", "", ErrUTF16},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Text([]byte(tt.in))
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("Text: got %.100q, error %v, want %.100q, error %v", got, err, tt.want, tt.err)
			}
			for name, r := range map[string]io.Reader{
				"whole":         strings.NewReader(tt.in),
				"byte by byte":  iotest.OneByteReader(strings.NewReader(tt.in)),
				"with its end":  iotest.DataErrReader(strings.NewReader(tt.in)),
				"in small bits": iotest.HalfReader(strings.NewReader(tt.in)),
			} {
				got, err := io.ReadAll(iotest.OneByteReader(NewReader(r)))
				if string(got) != tt.want || !errors.Is(err, tt.err) {
					t.Errorf("NewReader, %s: got %.100q, error %v, want %.100q, error %v", name, got, err, tt.want, tt.err)
				}
			}
		})
	}
}

func TestTextSharesMemory(t *testing.T) {
	t.Parallel()
	in := []byte("\ufeff{}")
	got, err := Text(in)
	if err != nil {
		t.Fatal(err)
	}
	in[3] = '['
	if string(got) != "[}" {
		t.Errorf("got %q, want the memory of the text", got)
	}
}

func TestReaderFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, start := range map[string]string{"UTF-8": "\ufeffab", "UTF-16": "\xFF\xFEa\x00b\x00", "nothing": ""} {
		_, err := io.ReadAll(NewReader(io.MultiReader(strings.NewReader(start), iotest.ErrReader(broken))))
		if !errors.Is(err, broken) {
			t.Errorf("%s: got error %v, want %v", name, err, broken)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add([]byte("\xFF\xFEa\x00\x3D\xD8\x00\xDE"))
	f.Add([]byte("\ufeff{}"))
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := Text(in)
		read, readErr := io.ReadAll(NewReader(bytes.NewReader(in)))
		if !bytes.Equal(got, read) || !errors.Is(err, readErr) {
			t.Errorf("Text: %q, error %v; NewReader: %q, error %v", got, err, read, readErr)
		}
	})
}
