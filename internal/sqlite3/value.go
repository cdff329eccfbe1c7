package sqlite3

import (
	"fmt"
	"math"
	"strings"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// Kind is the type of a value.
type Kind uint8

// The kinds of values.
const (
	Null Kind = iota
	Integer
	Float
	Text
	Blob
)

// Value is a value of SQL. The zero Value is NULL.
type Value struct {
	kind Kind
	lent bool   // the bytes are SQLite's and end with the row, so they are copied when read
	bits uint64 // the integer, or the bits of the float
	data string // the bytes of a text or blob
}

// ValueOf returns an argument as a value, by the rules for arguments. It panics if v has
// none of their types. The value shares the bytes of a []byte.
func ValueOf(v any) Value {
	switch v := v.(type) {
	case nil:
		return Value{}
	case bool:
		return Value{kind: Integer, bits: uint64(bit(v))}
	case int64:
		return Value{kind: Integer, bits: uint64(v)}
	case float64:
		return Value{kind: Float, bits: math.Float64bits(v)}
	case string:
		return Value{kind: Text, data: v}
	case []byte:
		if v == nil {
			return Value{}
		}
		return Value{kind: Blob, data: unsafe.String(unsafe.SliceData(v), len(v))}
	}
	panic(fmt.Sprintf("sqlite3: a value of type %T", v))
}

// Kind returns the type of the value.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether the value is NULL.
func (v Value) IsNull() bool { return v.kind == Null }

// IsBlob reports whether the value is a blob.
func (v Value) IsBlob() bool { return v.kind == Blob }

// Int returns an integer, and 0 for a value of another kind.
func (v Value) Int() int64 {
	if v.kind != Integer {
		return 0
	}
	return int64(v.bits)
}

// Float returns a floating-point number, and 0 for a value of another kind.
func (v Value) Float() float64 {
	if v.kind != Float {
		return 0
	}
	return math.Float64frombits(v.bits)
}

// Text returns a text, and "" for a value of another kind.
func (v Value) Text() string {
	switch {
	case v.kind != Text:
		return ""
	case v.lent:
		return strings.Clone(v.data)
	}
	return v.data
}

// Bytes returns a blob. It returns nil for a blob of no bytes and for a value of another
// kind.
func (v Value) Bytes() []byte {
	switch {
	case v.kind != Blob || len(v.data) == 0:
		return nil
	case v.lent:
		return []byte(v.data)
	}
	return unsafe.Slice(unsafe.StringData(v.data), len(v.data))
}

// Len returns how many bytes a text or blob has, and 0 for a value of another kind.
func (v Value) Len() int { return len(v.data) }

// Any returns the value as nil, int64, float64, string or []byte. A blob of no bytes is a
// []byte that is nil.
func (v Value) Any() any {
	switch v.kind {
	case Integer:
		return v.Int()
	case Float:
		return v.Float()
	case Text:
		return v.Text()
	case Blob:
		return v.Bytes()
	}
	return nil
}

// String returns the value as package fmt prints what [Value.Any] returns.
func (v Value) String() string { return fmt.Sprint(v.Any()) }

// Keep returns the value with bytes of its own, which outlive the row.
func (v Value) Keep() Value {
	v.data, v.lent = strings.Clone(v.data), false
	return v
}

// load reads a value of SQLite's without a copy. It reports false if there was no memory
// to convert it.
func (v *Value) load(tls *libc.TLS, p uintptr, lent bool) bool {
	switch lib.Xsqlite3_value_type(tls, p) {
	case lib.SQLITE_INTEGER:
		*v = Value{kind: Integer, bits: uint64(lib.Xsqlite3_value_int64(tls, p))}
	case lib.SQLITE_FLOAT:
		*v = Value{kind: Float, bits: math.Float64bits(lib.Xsqlite3_value_double(tls, p))}
	case lib.SQLITE_TEXT:
		return v.view(Text, lent, lib.Xsqlite3_value_text(tls, p), lib.Xsqlite3_value_bytes(tls, p))
	case lib.SQLITE_BLOB:
		return v.view(Blob, lent, lib.Xsqlite3_value_blob(tls, p), lib.Xsqlite3_value_bytes(tls, p))
	default:
		*v = Value{}
	}
	return true
}

// view makes v a value of n bytes at p.
func (v *Value) view(kind Kind, lent bool, p uintptr, n int32) bool {
	*v = Value{kind: kind, lent: lent}
	if n == 0 {
		return true
	}
	if p == 0 {
		return false
	}
	v.data = unsafe.String((*byte)(at(p)), int(n))
	return true
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
