package jsonb

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

// The kinds of elements. Those left out are JSON5's.
const (
	kindNull    = 0
	kindTrue    = 1
	kindFalse   = 2
	kindInt     = 3
	kindFloat   = 5
	kindText    = 7  // the same in JSON text
	kindEscaped = 8  // as in JSON text, escapes and all
	kindRaw     = 10 // in need of escapes in JSON text
	kindArray   = 11
	kindObject  = 12
)

// Append appends the plain value v to dst, and returns besides how long its
// canonical JSON text is, the one [value.Append] writes. Members are in the order
// they have there. A value may take up to 4 GiB, which is more than SQLite takes.
// All of dst's spare capacity may be written to. Append panics if v is not plain.
func Append(dst []byte, v any) (out []byte, textSize int) {
	w := writer{buf: dst[:cap(dst)], floor: len(dst), at: cap(dst)}
	w.value(v)
	n := copy(w.buf[w.floor:], w.buf[w.at:])
	return w.buf[:w.floor+n], w.textSize
}

// A writer writes from the end of its buffer towards the start, so that the size
// of a payload is known when the header is written.
type writer struct {
	buf      []byte
	floor    int // the bytes below are not the writer's
	at       int // the bytes from here on are written
	textSize int
}

// claim moves w.at down by n bytes, which are to be written.
func (w *writer) claim(n int) {
	if w.at-w.floor < n {
		w.grow(n)
	}
	w.at -= n
}

func (w *writer) grow(n int) {
	buf := make([]byte, 2*len(w.buf)+n+64)
	copy(buf, w.buf[:w.floor])
	at := len(buf) - copy(buf[len(buf)-(len(w.buf)-w.at):], w.buf[w.at:])
	w.buf, w.at = buf, at
}

func (w *writer) value(v any) {
	switch v := v.(type) {
	case nil:
		w.header(kindNull, 0)
		w.textSize += len("null")
	case bool:
		if v {
			w.header(kindTrue, 0)
			w.textSize += len("true")
		} else {
			w.header(kindFalse, 0)
			w.textSize += len("false")
		}
	case string:
		w.string(v)
	case []any:
		w.array(v)
	case map[string]any:
		w.object(v)
	default:
		w.number(v)
	}
}

// header writes the header of a payload of n bytes.
func (w *writer) header(kind byte, n int) {
	switch {
	case n <= 11:
		w.claim(1)
		w.buf[w.at] = byte(n)<<4 | kind
	case n <= 0xff:
		w.claim(2)
		w.buf[w.at], w.buf[w.at+1] = 12<<4|kind, byte(n)
	case n <= 0xffff:
		w.claim(3)
		w.buf[w.at] = 13<<4 | kind
		binary.BigEndian.PutUint16(w.buf[w.at+1:], uint16(n))
	default:
		w.claim(5)
		w.buf[w.at] = 14<<4 | kind
		binary.BigEndian.PutUint32(w.buf[w.at+1:], uint32(n))
	}
}

func (w *writer) string(s string) {
	w.claim(len(s))
	copy(w.buf[w.at:], s)
	w.textSize += len(s) + len(`""`)
	if verbatim, _ := inspect(s); verbatim {
		w.header(kindText, len(s))
		return
	}
	w.header(kindRaw, len(s))
	w.textSize += escapes(s)
}

// escapes returns by how much the escapes make s longer in JSON text.
func escapes(s string) int {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"', c == '\\', '\b' <= c && c <= '\r' && c != '\v':
			n += len(`\n`) - 1
		case c < ' ':
			n += len(`\u0001`) - 1
		}
	}
	return n
}

func (w *writer) number(v any) {
	if !value.IsNumber(v) {
		panic(fmt.Sprintf("jsonb: %T is not a plain type", v))
	}
	var few [32]byte // enough for any but a json.Number
	text := value.AppendNumber(few[:0], v)
	w.claim(len(text))
	copy(w.buf[w.at:], text)
	w.textSize += len(text)
	kind := byte(kindInt)
	for _, c := range text {
		if c == '.' || c == 'e' || c == 'E' {
			kind = kindFloat
			break
		}
	}
	w.header(kind, len(text))
}

func (w *writer) array(a []any) {
	end := len(w.buf) - w.at // from the end, which stays if the buffer grows
	for i := len(a) - 1; i >= 0; i-- {
		w.value(a[i])
	}
	w.header(kindArray, len(w.buf)-w.at-end)
	w.textSize += len("[]") + max(len(a)-1, 0)
}

type member struct {
	name  string
	value any
}

// A place is where the members' order has one of them.
type place struct {
	prefix uint64 // the first bytes of the name
	at     int    // its index
}

func (w *writer) object(m map[string]any) {
	// Most objects are small enough for their members to be sorted on the stack.
	var fewMembers [32]member
	var fewPlaces [32]place
	members, order := fewMembers[:0], fewPlaces[:0]
	if len(m) > len(fewMembers) {
		members, order = make([]member, 0, len(m)), make([]place, 0, len(m))
	}
	for name, v := range m {
		order = append(order, place{prefix(name), len(members)})
		members = append(members, member{name, v})
	}
	sortPlaces(order, members)

	end := len(w.buf) - w.at
	for i := len(order) - 1; i >= 0; i-- {
		m := &members[order[i].at]
		w.value(m.value)
		w.string(m.name)
	}
	w.header(kindObject, len(w.buf)-w.at-end)
	w.textSize += len("{}") + len(m) + max(len(m)-1, 0)
}

// sortPlaces puts the places of members in the order of their names.
func sortPlaces(order []place, members []member) {
	if len(order) > 32 {
		slices.SortFunc(order, func(a, b place) int {
			return strings.Compare(members[a.at].name, members[b.at].name)
		})
		return
	}
	for i, p := range order {
		for ; i > 0; i-- {
			before := order[i-1]
			if p.prefix > before.prefix || p.prefix == before.prefix && members[p.at].name > members[before.at].name {
				break
			}
			order[i] = before
		}
		order[i] = p
	}
}

// prefix returns the first eight bytes of s as a number, with zeros for those it
// does not have: of two that differ, the smaller one belongs to the smaller string.
func prefix(s string) (p uint64) {
	if len(s) >= 8 {
		return bits.ReverseBytes64(word(s))
	}
	for i := range len(s) {
		p |= uint64(s[i]) << (56 - 8*i)
	}
	return p
}
