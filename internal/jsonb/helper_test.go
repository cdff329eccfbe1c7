package jsonb_test

import (
	"database/sql"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/value"
	_ "modernc.org/sqlite"
)

type (
	object = map[string]any
	list   = []any
	number = json.Number
)

var seed = flag.Uint64("seed", 0, "seed of the random tests, 0 for a new one")

// newRand returns a source of random numbers, and logs how to get it again.
func newRand(t *testing.T) *rand.Rand {
	t.Helper()
	from := *seed
	if from == 0 {
		from = rand.Uint64()
	}
	t.Logf("replay with -run '%s' -seed %d", t.Name(), from)
	return rand.New(rand.NewPCG(from, 0))
}

// oracle is SQLite, which knows its own form best.
type oracle struct {
	t  testing.TB
	db *sql.DB
}

func newOracle(t testing.TB) oracle {
	t.Helper()
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { db.Close() })
	return oracle{t, db}
}

// ask evaluates an expression.
func (o oracle) ask(result any, expression string, args ...any) {
	o.t.Helper()
	if err := o.db.QueryRow("SELECT "+expression, args...).Scan(result); err != nil {
		o.t.Fatalf("SELECT %s: %v", expression, err)
	}
}

// accepts reports whether SQLite takes b for its binary form, checked in depth.
func (o oracle) accepts(b []byte) bool {
	o.t.Helper()
	var valid bool
	o.ask(&valid, "json_valid(?1, 8)", b)
	return valid
}

// agree checks that we and SQLite encode and decode v alike.
func (o oracle) agree(v object) {
	o.t.Helper()
	text := string(value.Append(nil, v))
	b, size := jsonb.Append(nil, v)
	if size != len(text) {
		o.t.Errorf("text size of %.100s: got %d, want %d", text, size, len(text))
	}
	if !o.accepts(b) {
		o.t.Errorf("SQLite refuses % .100x, for %.100s", b, text)
		return
	}
	var got string
	if o.ask(&got, "json(?1)", b); got != text {
		o.t.Errorf("SQLite reads\n%.200s\n as %.200s", text, got)
	}
	var theirs []byte
	o.ask(&theirs, "jsonb(?1)", text)
	// Only strings with escapes have another form there, for it copies them.
	if !strings.Contains(text, `\`) && string(b) != string(theirs) {
		o.t.Errorf("encoded: got % .100x, want % .100x, for %.100s", b, theirs, text)
	}
	want, err := value.ParseTrusted(text)
	if err != nil {
		o.t.Fatalf("%.200s: %v", text, err)
	}
	for writer, b := range map[string][]byte{"Append": b, "SQLite": theirs} {
		if m, err := jsonb.Parse(b); err != nil || !reflect.DeepEqual(m, want) {
			o.t.Errorf("what %s wrote: got %.200v, %v, want %.200v", writer, m, err, want)
		}
	}
}

// The kinds of elements, for those that are put together by hand.
const (
	kindNull = iota
	kindTrue
	kindFalse
	kindInt
	kindInt5
	kindFloat
	kindFloat5
	kindText
	kindEscaped
	kindText5
	kindRaw
	kindArray
	kindObject
)

// element returns an element with the parts as its payload, of up to 255 bytes.
func element(kind byte, parts ...string) string {
	payload := strings.Join(parts, "")
	if n := byte(len(payload)); n > 11 {
		return string([]byte{12<<4 | kind, n}) + payload
	} else {
		return string([]byte{n<<4 | kind}) + payload
	}
}

// obj returns an object with members that are put together by hand.
func obj(parts ...string) []byte { return []byte(element(kindObject, parts...)) }

func text(s string) string { return element(kindText, s) }

// lengths lie around those at which a header gets longer.
var lengths = []int{0, 1, 3, 4, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 254, 255, 256, 65534, 65535, 65536}

// corners are values at the edges of what there is, by name.
func corners() map[string]any {
	corners := map[string]any{
		"null": nil, "true": true, "false": false,
		"empty string": "", "empty array": list{}, "nil array": list(nil), "empty object": object{}, "nil object": object(nil),
		"mixed array":      list{nil, true, 1, "two", 3.5, list{list{}, object{}}, object{"": list{nil}}},
		"quotes":           `"`,
		"quoted":           `say "hi"`,
		"apostrophe":       `it's`,
		"backslash":        `\`,
		"backslashes":      `c:\dir\new\u0041`,
		"slash":            `</script>`,
		"control":          "\x01\x02\x07\b\t\n\v\f\r\x0e\x1f",
		"DEL":              "\x7f",
		"C1 control":       "\u0080\u009f",
		"lines":            "one\ntwo\r\nthree\ttab",
		"latin":            "größe",
		"eight bytes":      "größe 1",
		"separators":       "\u2028\u2029",
		"replacement":      "\ufffd",
		"non-BMP":          "😀",
		"edges of unicode": "\u07ff\u0800\uffff\U00010000\U0010ffff",
		"raw and wide":     "\"größe\" 😀\n日本",
		"names": object{"": 1, "a": 2, "A": 3, "aa": 4, "a\"b": 5, `a\b`: 6, "a\nb": 7, "a.b": 8, "a'b": 9, "$": 10,
			"é": 11, "\U0001f600": 12, "\uffff": 13, "abcdefgh": 14, "abcdefghi": 15, "abcdefgha": 16, "abcdefg": 17},
	}
	for _, s := range []number{
		"0", "-0", "1", "-1", "10", "1.0", "-0.0", "0.5", "1.50", "1e5", "1E5", "1e+5", "1e-5", "12.5E-7", "0e0", "0E+0", "-0e-0", "0.0e1",
		"9007199254740993", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
		"18446744073709551616", "123456789012345678901234567890", "0.1000000000000000055511151231257827", "1e308", "1.7976931348623157e308", "5e-324",
		number("1" + strings.Repeat("0", 299)), number("0." + strings.Repeat("1", 998)),
	} {
		corners["number "+string(s)] = s
	}
	for name, v := range map[string]any{
		"int": -3, "int8": int8(-128), "int16": int16(-7), "int32": int32(7), "int64": int64(-1 << 63),
		"uint": uint(3), "uint8": uint8(200), "uint16": uint16(9), "uint32": uint32(9), "uint64": uint64(1<<64 - 1),
		"float64": 0.1, "whole float64": 2.0, "large float64": 1e21, "small float64": 1e-9, "float32": float32(0.1),
	} {
		corners[name] = v
	}
	for _, n := range lengths {
		for name, s := range map[string]string{"plain": "x", "tab": "\t", "wide": "é"} {
			corners[name+" string of "+strconv.Itoa(n)] = strings.Repeat(s, (n+len(s)-1)/len(s))
		}
		array := make(list, n)
		for i := range array {
			array[i] = true // of one byte
		}
		corners["array of "+strconv.Itoa(n)] = array
		if n > 0 {
			corners["object of "+strconv.Itoa(n)] = object{"": list{strings.Repeat("x", max(0, n-4))}}
		}
		// The tab is where a word of eight begins, ends, or is cut short.
		corners["last byte of "+strconv.Itoa(n)] = strings.Repeat("x", max(0, n-1)) + "\t"
		corners["first byte of "+strconv.Itoa(n)] = "\t" + strings.Repeat("x", max(0, n-1))
	}
	for _, n := range []int{31, 32, 33, 200} {
		many := object{}
		for i := range n {
			many["member "+strconv.Itoa(i*7919%n)] = i
		}
		corners["members "+strconv.Itoa(n)] = many
	}
	for _, n := range []int{1, 2, 100, 500} {
		var arrays, objects, wide any = "", "", strings.Repeat("x", 300)
		for range n {
			arrays, objects, wide = list{arrays}, object{"a": objects}, list{wide, object{"a": n}}
		}
		corners["arrays nested "+strconv.Itoa(n)] = arrays
		corners["objects nested "+strconv.Itoa(n)] = objects
		corners["wide nested "+strconv.Itoa(n)] = wide
	}
	return corners
}

// randomValue returns a plain value that nests at most so deep.
func randomValue(r *rand.Rand, depth int) any {
	kinds := 7
	if depth == 0 {
		kinds = 5
	}
	switch r.IntN(kinds) {
	case 0:
		return []any{nil, true, false}[r.IntN(3)]
	case 1:
		return randomNumber(r)
	case 5:
		array := make(list, r.IntN(6))
		for i := range array {
			array[i] = randomValue(r, depth-1)
		}
		return array
	case 6:
		return randomObject(r, depth-1)
	}
	return randomString(r)
}

func randomObject(r *rand.Rand, depth int) object {
	m := object{}
	n := r.IntN(8)
	if r.IntN(20) == 0 {
		n = 25 + r.IntN(20)
	}
	for range n {
		m[randomString(r)] = randomValue(r, depth)
	}
	return m
}

func randomNumber(r *rand.Rand) any {
	switch r.IntN(6) {
	case 0:
		return r.IntN(2000) - 1000
	case 1:
		return r.Int64() - r.Int64()
	case 2:
		return r.NormFloat64() * []float64{1, 1e-9, 1e25}[r.IntN(3)]
	case 3:
		return number(strconv.FormatFloat(r.NormFloat64(), "eEf"[r.IntN(3)], r.IntN(30), 64))
	case 4:
		return number(strconv.FormatUint(r.Uint64(), 10) + strconv.FormatUint(r.Uint64(), 10))
	}
	return []any{uint8(r.Uint32()), r.Uint64(), r.Float32(), int32(r.Uint32()), number("-0"), number("1.0")}[r.IntN(6)]
}

// randomString returns strings of few different characters, so that many have a
// beginning in common, and now and then a long one.
func randomString(r *rand.Rand) string {
	alphabet := []rune("aaabbc")
	if r.IntN(3) == 0 {
		alphabet = []rune("aaab \"\\\n\x01\x1f\x7f/'é\u2028日😀\U0010ffff")
	}
	n := r.IntN(20)
	switch r.IntN(200) {
	case 0:
		n = 65520 + r.IntN(30)
	case 1, 2, 3:
		n = 240 + r.IntN(30)
	}
	s := make([]rune, n)
	for i := range s {
		s[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(s)
}
