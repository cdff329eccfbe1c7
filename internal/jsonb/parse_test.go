package jsonb_test

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/value"
)

// judge checks that whatever is made of b is what SQLite makes of it, or less.
func (o oracle) judge(b []byte) {
	o.t.Helper()
	m, err := jsonb.Parse(b)
	var texts []string
	visitErr := jsonb.Strings(b, func(s string) bool { texts = append(texts, s); return true })
	if _, _, memberErr := jsonb.Member(b, "a"); err == nil && memberErr != nil {
		o.t.Errorf("% x: Member: got %v, want no error", b, memberErr)
	}
	written, textErr := appendJSON(b)
	if (textErr == nil) != (err == nil) {
		o.t.Errorf("% x: AppendJSON: got error %v, Parse: %v", b, textErr, err)
	}
	if _, selectErr := jsonb.ParseSelected(b, value.Selection{"a": {"x": nil}, "b": nil}); err == nil && selectErr != nil {
		o.t.Errorf("% x: ParseSelected: got %v, want no error", b, selectErr)
	}
	if err != nil {
		return
	}
	if want := string(value.Append(nil, m)); written != want {
		o.t.Errorf("% x: AppendJSON: got %s, want %s", b, written, want)
	}
	if !o.accepts(b) {
		o.t.Fatalf("% x: got %v, but SQLite refuses it", b, m)
	}
	var text string
	o.ask(&text, "json(?1)", b)
	if want, err := value.ParseTrusted(text); err != nil || !reflect.DeepEqual(m, want) {
		o.t.Errorf("% x: got %v, want %v, %v", b, m, want, err)
	}
	for name, want := range m {
		if v, ok, err := jsonb.Member(b, name); err != nil || !ok || !reflect.DeepEqual(v, want) {
			o.t.Errorf("% x: member %q: got %v, %t, %v, want %v", b, name, v, ok, err, want)
		}
	}
	slices.Sort(texts)
	if want := slices.Sorted(slices.Values(stringsIn(m))); visitErr != nil || !slices.Equal(texts, want) {
		o.t.Errorf("% x: strings: got %q, %v, want %q", b, texts, visitErr, want)
	}
}

// appendJSON returns the JSON text of the object b, written from its stored form.
func appendJSON(b []byte) (string, error) {
	fields, err := jsonb.Fields(b)
	if err != nil {
		return "", err
	}
	text := []byte("{")
	for i, f := range fields {
		if i > 0 {
			text = append(text, ',')
		}
		text = append(value.AppendString(text, f.Name), ':')
		if text, err = f.Value.AppendJSON(text); err != nil {
			return "", err
		}
	}
	return string(text) + "}", nil
}

// stringsIn returns the strings in v, at any depth, in the order of names and items.
func stringsIn(v any) (texts []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case list:
		for _, item := range v {
			texts = append(texts, stringsIn(item)...)
		}
	case object:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			texts = append(texts, stringsIn(v[name])...)
		}
	}
	return texts
}

func TestParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		in   []byte
		want object
	}{
		{"empty", obj(), object{}},
		{"literals", obj(text("a"), "\x00", text("b"), "\x01", text("c"), "\x02"), object{"a": nil, "b": true, "c": false}},
		{"numbers", obj(text("a"), element(kindInt, "-0"), text("b"), element(kindFloat, "-1e2")), object{"a": number("-0"), "b": number("-1e2")}},
		{"nested", obj(text("a"), element(kindArray, text("x"), "\x0b", "\x0c"), text("b"), "\x0b"), object{"a": list{"x", list{}, object{}}, "b": list{}}},
		{"not sorted", obj(text("b"), "\x00", text("a"), "\x01"), object{"a": true, "b": nil}},
		{"raw", obj(element(kindRaw, `a"`), element(kindRaw, "\\\n")), object{`a"`: "\\\n"}},
		{"raw without need", obj(element(kindRaw, "a"), element(kindRaw, "b")), object{"a": "b"}},
		{"escaped", obj(element(kindEscaped, `a\"b`), element(kindEscaped, `\u00e9\n\/`)), object{`a"b`: "é\n/"}},
		{"escaped without need", obj(element(kindEscaped, "a"), element(kindEscaped, "é")), object{"a": "é"}},
		{"surrogates", obj(text("a"), element(kindEscaped, `\ud83d\ude00`)), object{"a": "😀"}},
		{"apostrophe", obj(text("a"), text("'")), object{"a": "'"}},
		{"size in one byte", obj(text("a"), "\xc3\x011", "\xc7\x00", "\x00"), object{"a": number("1"), "": nil}},
		{"size in two bytes", obj("\xd7\x00\x01a", "\xda\x00\x02bc"), object{"a": "bc"}},
		{"size in four bytes", obj("\xe7\x00\x00\x00\x01a", "\xeb\x00\x00\x00\x01\x01"), object{"a": list{true}}},
		{"size in eight bytes", obj("\xf7\x00\x00\x00\x00\x00\x00\x00\x01a", "\xfc\x00\x00\x00\x00\x00\x00\x00\x00"), object{"a": object{}}},
	}
	o := newOracle(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := jsonb.Parse(tt.in)
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, %v, want %v", got, err, tt.want)
			}
			oracle{t, o.db}.judge(tt.in)
		})
	}
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	value := func(kind byte, payload string) []byte { return obj(text("a"), element(kind, payload)) }
	tests := map[string][]byte{
		"nothing":                   {},
		"null":                      {0x00},
		"array":                     {0x0b},
		"text":                      []byte(text("a")),
		"JSON text":                 []byte(`{"a":1}`),
		"trailing":                  append(obj(), 0x00),
		"cut short":                 {0x4c, 0x17, 'a'},
		"cut short in a size":       {0xdc, 0x00},
		"cut short in a large size": {0xfc, 0x00, 0x00, 0x00},
		"huge size":                 []byte("\xfc\xff\xff\xff\xff\xff\xff\xff\xff"),
		"size that wraps around":    []byte("\xfc\xff\xff\xff\xff\xff\xff\xff\xf7"),
		"large size":                []byte("\xec\xff\xff\xff\xff"),
		"size that leads back":      obj(text("a"), "\x00", text("b"), "\xfb\xff\xff\xff\xff\xff\xff\xff\xf1"),
		"value beyond its object":   obj(text("a"), "\x17"),
		"name beyond its object":    obj(text("a"), "\x00", "\x17"),
		"item beyond its array":     obj(text("a"), element(kindArray, "\x37b"), text("b"), "\x00"),
		"size beyond its array":     obj(text("a"), element(kindArray, "\xc7"), text("b"), "\x00"),
		"name without a value":      obj(text("a"), "\x00", text("b")),
		"name that is a number":     obj(element(kindInt, "1"), "\x00"),
		"name that is null":         obj("\x00", "\x00"),
		"name that is an object":    obj("\x0c", "\x00"),
		"name of JSON5":             obj(element(kindText5, "a"), "\x00"),
		"name with a NUL":           obj(element(kindRaw, "a\x00"), "\x00"),
		"member twice":              obj(text("a"), "\x00", text("a"), "\x00"),
		"member twice, differently": obj(text("a"), "\x00", element(kindEscaped, `\u0061`), "\x00"),
		"member twice, deeper":      obj(text("b"), string(obj(text("a"), "\x00", element(kindRaw, "a"), "\x00"))),
		"null with a payload":       value(kindNull, "x"),
		"true in two bytes":         obj(text("a"), "\xc1\x00"),
		"integer of JSON5":          value(kindInt5, "0x1"),
		"float of JSON5":            value(kindFloat5, ".5"),
		"text of JSON5":             value(kindText5, "b"),
		"kind 13":                   value(13, ""),
		"kind 14":                   value(14, ""),
		"kind 15":                   value(15, ""),
		"empty integer":             value(kindInt, ""),
		"empty float":               value(kindFloat, ""),
		"sign alone":                value(kindInt, "-"),
		"two signs":                 value(kindInt, "--1"),
		"sign within":               value(kindInt, "1-1"),
		"leading zero":              value(kindInt, "01"),
		"plus":                      value(kindInt, "+1"),
		"letters":                   value(kindInt, "1x"),
		"integer that is a float":   value(kindInt, "1.5"),
		"float that is an integer":  value(kindFloat, "12"),
		"point at the end":          value(kindFloat, "1."),
		"point at the start":        value(kindFloat, ".1"),
		"bare exponent":             value(kindFloat, "1e"),
		"out of range":              value(kindFloat, "1e999"),
		"not finite":                value(kindFloat, "NaN"),
		"too many digits":           []byte("\xdc\x03\xee\x17a\xd3\x03\xe9" + strings.Repeat("1", 1001)),
		"quote in text":             value(kindText, `b"`),
		"backslash in text":         value(kindText, `b\`),
		"control in text":           value(kindText, "b\n"),
		"control in longer text":    value(kindText, "eight by\ntes"),
		"NUL in text":               value(kindText, "b\x00"),
		"NUL in raw":                value(kindRaw, "b\x00"),
		"NUL in escaped":            value(kindEscaped, `\u0000`),
		"invalid UTF-8":             value(kindText, "b\xff"),
		"invalid UTF-8, longer":     value(kindText, "b\xff and so on"),
		"half a character":          value(kindText, "\xc3"),
		"invalid UTF-8 in raw":      value(kindRaw, "\"\xff"),
		"invalid UTF-8 in escaped":  value(kindEscaped, "b\xff"),
		"surrogate in UTF-8":        value(kindText, "\xed\xa0\x80"),
		"half a surrogate pair":     value(kindEscaped, `\ud83d`),
		"unknown escape":            value(kindEscaped, `\x`),
		"escape cut short":          value(kindEscaped, `\`),
		"escape of three digits":    value(kindEscaped, `\u00e`),
		"quote unescaped":           value(kindEscaped, `"`),
		"control unescaped":         value(kindEscaped, "\n"),
		"deep":                      nested(1001),
		"very deep":                 nested(100_000),
	}
	o := newOracle(t)
	for name, in := range tests {
		t.Run(name, func(t *testing.T) {
			if m, err := jsonb.Parse(in); err == nil || m != nil {
				t.Errorf("% .60x: got %.60v, %v, want an error", in, m, err)
			}
			oracle{t, o.db}.judge(in)
		})
	}
}

// nested returns an object in which so many objects and arrays are nested.
func nested(depth int) []byte {
	var v any
	for range depth - 1 {
		v = list{v}
	}
	b, _ := jsonb.Append(nil, object{"": v})
	return b
}

func TestParseDeep(t *testing.T) {
	t.Parallel()
	if _, err := jsonb.Parse(nested(1000)); err != nil {
		t.Errorf("nested 1000 deep: %v", err)
	}
	if err := jsonb.Strings(nested(1000), func(string) bool { return true }); err != nil {
		t.Errorf("strings, nested 1000 deep: %v", err)
	}
	if err := jsonb.Strings(nested(1001), func(string) bool { return true }); err == nil {
		t.Error("strings, nested 1001 deep: no error")
	}
	if _, _, err := jsonb.Member(nested(1000), ""); err != nil {
		t.Errorf("member nested 1000 deep: %v", err)
	}
	if _, _, err := jsonb.Member(nested(1001), ""); err == nil {
		t.Error("member nested 1001 deep: no error")
	}
}

// TestParseSiblings makes sure that depth is not counted across siblings.
func TestParseSiblings(t *testing.T) {
	t.Parallel()
	want := object{"a": make(list, 2000)}
	for i := range want["a"].(list) {
		want["a"].(list)[i] = []any{list{}, object{}}[i%2]
	}
	b, _ := jsonb.Append(nil, want)
	if got, err := jsonb.Parse(b); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %.60v, %v", got, err)
	}
	if err := jsonb.Strings(b, func(string) bool { return true }); err != nil {
		t.Error(err)
	}
}

// TestParseDamaged changes each byte of sound input, and cuts it short at each.
func TestParseDamaged(t *testing.T) {
	t.Parallel()
	v := object{"a": list{nil, true, -1, 2.5, "b"}, "text": "a\"b", "long": strings.Repeat("é", 7), "o": object{"x": object{}, "yy": list{1e9}}}
	ours, _ := jsonb.Append(nil, v)
	var theirs []byte
	o := newOracle(t)
	o.ask(&theirs, "jsonb(?1)", string(value.Append(nil, v)))
	for _, sound := range [][]byte{ours, theirs} {
		for i := range sound {
			if m, err := jsonb.Parse(sound[:i]); err == nil {
				t.Errorf("cut at %d: got %v", i, m)
			}
			for c := range 256 {
				damaged := slices.Clone(sound)
				damaged[i] = byte(c)
				o.judge(damaged)
			}
		}
	}
}

// TestParseCopies makes sure that what is kept of a large object does not hold on
// to all of it.
func TestParseCopies(t *testing.T) {
	t.Parallel()
	b, _ := jsonb.Append(nil, object{"a": "b", "filler": strings.Repeat("x", 20_000)})
	m, err := jsonb.Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	v, ok, err := jsonb.Member(b, "a")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	clear(b)
	if m["a"] != "b" || v != "b" {
		t.Errorf("after the bytes have gone: got %q and %q, want copies", m["a"], v)
	}
}

func TestParseAllocs(t *testing.T) {
	stored, _ := jsonb.Append(nil, record())
	got := testing.AllocsPerRun(100, func() { jsonb.Parse(stored) })
	text := string(value.Append(nil, record()))
	want := testing.AllocsPerRun(100, func() { value.ParseTrusted(text) })
	if got > want {
		t.Errorf("decoding allocates %v times, that of text %v times", got, want)
	}
}

func FuzzParse(f *testing.F) {
	o := newOracle(f)
	for _, v := range corners() {
		text := value.Append(nil, object{"v": v, "w": list{v}})
		if len(text) > 500 {
			continue
		}
		ours, _ := jsonb.Append(nil, object{"v": v, "w": list{v}})
		var theirs []byte
		o.ask(&theirs, "jsonb(?1)", string(text))
		f.Add(ours)
		f.Add(theirs)
	}
	f.Add([]byte("\xfc\x00\x00\x00\x00\x00\x00\x00\x0c\x17a\xfb\x00\x00\x00\x00\x00\x00\x00\x01\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		oracle{t, o.db}.judge(b)
	})
}
