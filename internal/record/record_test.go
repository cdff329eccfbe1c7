package record

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// kinds are the readers of texts.
var kinds = map[string]func(r io.Reader, most int) Reader{
	"lines": func(r io.Reader, most int) Reader { return NewLines(r, most) },
	"array": func(r io.Reader, most int) Reader { return NewArray(r, most) },
	"table": func(r io.Reader, most int) Reader { return NewTable(r, TableOptions{MaxBytes: most}) },
}

// show returns what a reader returns, one entry a record, and then the error that ended it.
func show(r Reader) (shown []string) {
	for rec, err := range All(r) {
		var fault *Fault
		switch {
		case errors.As(err, &fault):
			shown = append(shown, fmt.Sprintf("%d-%d %s", fault.First, fault.Last, fault.Rule))
		case err != nil:
			shown = append(shown, err.Error())
		case rec.Cells != nil:
			var texts []string
			for _, c := range rec.Cells {
				texts = append(texts, c.Text)
			}
			shown = append(shown, fmt.Sprintf("%d %q", rec.Line, texts))
		default:
			shown = append(shown, fmt.Sprintf("%d %s", rec.Line, rec.Text))
		}
	}
	return shown
}

func TestReaders(t *testing.T) {
	t.Parallel()
	const most = 40
	long := strings.Repeat("x", most+1)
	for name, c := range map[string]struct {
		kind, input string
		want        []string
	}{
		"lines: none":                     {"lines", "", nil},
		"lines: a mark alone":             {"lines", "\ufeff", nil},
		"lines: line breaks":              {"lines", "a\nb\r\n\n \nc", []string{"1 a", "2 b", "5 c"}},
		"lines: long":                     {"lines", "a\n" + long + "\nb\n" + long, []string{"1 a", "2-2 size", "3 b", "4-4 size"}},
		"lines: marks":                    {"lines", "\ufeffa\n\ufeff\n\ufeffb\n", []string{"1 a", "3 b"}},
		"lines: UTF-16":                   {"lines", "\xFE\xFF\x00a\x00\n\x00b", []string{"1 a", "2 b"}},
		"lines: UTF-16 without mark":      {"lines", "a\x00b\x00\n\x00c\x00", []string{"1 ab", "2 c"}},
		"lines: half a pair":              {"lines", "\xFF\xFEa\x00\n\x00\x00\xD8b\x00\n\x00c\x00", []string{"1 a", "2 \xFFb", "3 c"}},
		"lines: odd bytes":                {"lines", "\xFF\xFEa\x00\n\x00b", []string{"1 a", "2 \xFF"}},
		"array: none":                     {"array", "", nil},
		"array: white space":              {"array", " \n", []string{"1-1 array"}},
		"array: empty":                    {"array", " [ ]\n", nil},
		"array: elements":                 {"array", "[1,\n {\"a\": [2, \"],\\\"\"]}\n, 3]", []string{"1 1", "2 {\"a\": [2, \"],\\\"\"]}\n", "3 3"}},
		"array: no array":                 {"array", "\n{\"a\": 1}", []string{"2-2 array"}},
		"array: a missing element":        {"array", "[1,,2,]", []string{"1 1", "1-1 array", "1 2", "1-1 array"}},
		"array: a faulty element":         {"array", "[tru, {]}, 2]", []string{"1 tru", "1 {]}", "1 2"}},
		"array: text after it":            {"array", "[1]\n2", []string{"1 1", "2-2 array"}},
		"array: cut in an element":        {"array", "[1, {\"a\"", []string{"1 1", "1 {\"a\"", "1-1 array"}},
		"array: cut after a comma":        {"array", "[1,\n", []string{"1 1", "1-1 array"}},
		"array: long":                     {"array", "[\"" + long + "\", 2]", []string{"1-1 size", "1 2"}},
		"table: none":                     {"table", "", nil},
		"table: a header":                 {"table", "a,b\n", nil},
		"table: rows":                     {"table", "a,b\n1,2\r\n\n,\n3,\n", []string{`2 ["1" "2"]`, `5 ["3" ""]`}},
		"table: no line break at last":    {"table", "a,b\n1,2", []string{`2 ["1" "2"]`}},
		"table: quotes":                   {"table", "\"a\",b\r\n\"1\r\n,\"\"2\"\"\",\"3\"\r\n4\" x,5\n", []string{`2 ["1\r\n,\"2\"" "3"]`, `4 ["4\" x" "5"]`}},
		"table: text after a quote":       {"table", "a,b\n\"1\"x,2\n3,4\n", []string{"2-2 quote", `3 ["3" "4"]`}},
		"table: an open quote":            {"table", "a,b\n1,\"2\n3,4\n", []string{"2-3 quote"}},
		"table: too few and too many":     {"table", "a,b\n1\n1,2,\n1,2,3\n4,5\n", []string{"2-2 cells", `3 ["1" "2"]`, "4-4 cells", `5 ["4" "5"]`}},
		"table: a column without a name":  {"table", "a,\n1,\n1,2\n", []string{`2 ["1" ""]`, "3-3 cells"}},
		"table: long":                     {"table", "a\n" + long + "\n\"" + long + "\n\"\nb\n", []string{"2-2 size", "3-4 size", `5 ["b"]`}},
		"table: semicolons":               {"table", "a;b\n1,5;2\n", []string{`2 ["1,5" "2"]`}},
		"table: tabs":                     {"table", "a, b\tc;d\n1\t2\n", []string{`2 ["1" "2"]`}},
		"table: pipes":                    {"table", "a|b\n1|2\n", []string{`2 ["1" "2"]`}},
		"table: one column":               {"table", "a\nx y\n", []string{`2 ["x y"]`}},
		"table: a declared delimiter":     {"table", "sep=;\r\na;b\n1;2\n", []string{`3 ["1" "2"]`}},
		"table: lines of old Macs":        {"table", "a,b\r1,2\r3,4", []string{`2 ["1" "2"]`, `3 ["3" "4"]`}},
		"table: Windows-1252":             {"table", "a,b\nGr\xFC\xDFe,\x80\n", []string{`2 ["Grüße" "€"]`}},
		"table: UTF-8":                    {"table", "a,b\nGrüße,€\n", []string{`2 ["Grüße" "€"]`}},
		"table: UTF-8 with one bad byte":  {"table", "a,b\nGrüße,€\nx\xFC,1\n", []string{`2 ["Grüße" "€"]`, `3 ["x\xfc" "1"]`}},
		"table: UTF-16":                   {"table", "\xFF\xFEa\x00,\x00b\x00\n\x001\x00,\x002\x00", []string{`2 ["1" "2"]`}},
		"table: two columns of one name":  {"table", "a,b,a\n1,2,3\n", []string{`header on line 1: columns 1 and 3 are both named "a"`}},
		"table: no names":                 {"table", ",\n1,2\n", []string{"header on line 1: no column has a name"}},
		"table: an open quote at the top": {"table", "a,\"b\n1,2\n", []string{"header on line 2: lines 1 to 2: column 2: the quote is not closed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for way, wrap := range map[string]func(io.Reader) io.Reader{
				"at once": func(r io.Reader) io.Reader { return r }, "byte by byte": iotest.OneByteReader, "with EOF": iotest.DataErrReader,
			} {
				got := show(kinds[c.kind](wrap(strings.NewReader(c.input)), most))
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", way, diff)
				}
			}
		})
	}
}

// Whatever a text is cut to, the records before the cut stay, and what is left of the
// last one is one record or fault.
func TestCut(t *testing.T) {
	t.Parallel()
	for kind, input := range samples {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			whole := show(kinds[kind](strings.NewReader(input), 0))
			for end := range input {
				got := show(kinds[kind](strings.NewReader(input[:end]), 0))
				same := 0
				for same < min(len(got), len(whole)) && got[same] == whole[same] {
					same++
				}
				if len(got)-same > 2 || len(got) > len(whole)+1 {
					t.Fatalf("cut at %d: got %q, want a beginning of %q", end, got, whole)
				}
			}
		})
	}
}

var samples = map[string]string{
	"lines": "{\"a\": 1}\n\n{\"b\": \"ü\"}\r\n{\"c\": [1, 2]}\n",
	"array": "[\n{\"a\": 1}, {\"b\": \"ü],\\\"\"},\n[1, [2]]\n, 5 ]\n",
	"table": "a,b,c\n1,\"2\n\",ü\n\"\"\"\",,3\r\n\n4,5,6\n",
}

// A reader that skips to a position of another returns the records after it.
func TestSkip(t *testing.T) {
	t.Parallel()
	for kind, input := range samples {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			whole := show(kinds[kind](strings.NewReader(input), 0))
			for n := range len(whole) + 1 {
				first := kinds[kind](strings.NewReader(input), 0)
				for range n {
					if _, err := first.Next(); err != nil {
						t.Fatal(err)
					}
				}
				second := kinds[kind](iotest.HalfReader(strings.NewReader(input)), 0)
				same, err := second.Skip(first.Position())
				if err != nil || !same {
					t.Fatalf("after %d records: same %v, %v", n, same, err)
				}
				if diff := cmp.Diff(whole[n:], show(second), cmp.Transformer("nil", slices.Clip[[]string])); diff != "" && len(whole) > n {
					t.Errorf("after %d records (-want +got):\n%s", n, diff)
				}
				other := strings.Replace(input, "a", "x", 1)
				if same, err := kinds[kind](strings.NewReader(other), 0).Skip(first.Position()); n > 0 && (same || err != nil) {
					t.Errorf("after %d records of another text: same %v, %v", n, same, err)
				}
			}
		})
	}
}

func TestSkipOpenLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, after string
		same          bool
		want          []string
	}{
		"the same":               {"a\nb\n", "a\nb\n", true, nil},
		"more lines":             {"a\nb\n", "a\nb\nc\n", true, []string{"3 c"}},
		"another line":           {"a\nb\n", "a\nB\nc\n", false, nil},
		"shorter":                {"a\nb\n", "a\n", false, nil},
		"stays open":             {"a\nb", "a\nb", true, nil},
		"is ended":               {"a\nb", "a\nb\n", true, nil},
		"is ended, and one more": {"a\nb", "a\nb\nc\n", true, []string{"3 c"}},
		"CRLF":                   {"a\nb", "a\nb\r\nc", true, []string{"3 c"}},
		"grows":                  {"a\nb", "a\nbb\n", false, nil},
		"with a mark":            {"\ufeffa\n", "\ufeffa\nb\n", true, []string{"2 b"}},
	} {
		for _, kind := range []string{"lines", "table"} {
			t.Run(kind+": "+name, func(t *testing.T) {
				t.Parallel()
				first := kinds[kind](strings.NewReader(c.before), 0)
				show(first)
				second := kinds[kind](strings.NewReader(c.after), 0)
				same, err := second.Skip(first.Position())
				if err != nil || same != c.same {
					t.Fatalf("same: got %v, %v, want %v", same, err, c.same)
				}
				got := strings.NewReplacer(`["`, "", `"]`, "").Replace(strings.Join(show(second), ","))
				if want := strings.Join(c.want, ","); same && got != want {
					t.Errorf("records after it: got %q, want %q", got, want)
				}
			})
		}
	}
}

// An error of the underlying reader comes after the records before it.
func TestReaderFails(t *testing.T) {
	t.Parallel()
	for kind, input := range samples {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			r := kinds[kind](io.MultiReader(strings.NewReader(input[:len(input)/2]), iotest.ErrReader(io.ErrClosedPipe)), 0)
			got := show(r)
			if len(got) < 2 || got[len(got)-1] != io.ErrClosedPipe.Error() {
				t.Errorf("got %q, want a record and then %v", got, io.ErrClosedPipe)
			}
		})
	}
}

// endless is a text of one byte, repeated.
type endless struct {
	c    byte
	left int64
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), e.left))
	for i := range p[:n] {
		p[i] = e.c
	}
	e.left -= int64(n)
	return n, nil
}

// A record of a gigabyte is a fault, takes little memory, and the next one is read.
func TestGigabyte(t *testing.T) {
	t.Parallel()
	for kind, around := range map[string][2]string{
		"lines": {"1\n", "\n2\n"},
		"array": {"[1, \"", "\", 2]"},
		"table": {"a\n1\n\"", "\"\n2\n"},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			const most = 1 << 20
			r := kinds[kind](io.MultiReader(strings.NewReader(around[0]), &endless{'x', 1 << 30}, strings.NewReader(around[1])), most)
			got := show(r)
			if len(got) != 3 || !strings.HasSuffix(got[1], RuleSize) {
				t.Errorf("got %q, want a record, a fault and a record", got)
			}
			if held := heldBytes(r); held > 4*most {
				t.Errorf("holds %d bytes, want at most %d", held, 4*most)
			}
		})
	}
}

func heldBytes(r Reader) int {
	switch r := r.(type) {
	case *Lines:
		return cap(r.buf)
	case *Array:
		return cap(r.buf)
	case *Table:
		return cap(r.buf) + 8*cap(r.ends)
	}
	return 0
}
