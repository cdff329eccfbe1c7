package engine

import "github.com/bucketlite/bucketlite/internal/sqlite3"

// Row is one row of a result, valid until the function it was handed to
// returns. Strings and byte slices taken from it are copies.
type Row []sqlite3.Value

// RowOf returns a row of values: nil, bool, int64, float64, string or []byte. A nil []byte
// is NULL. It is valid for good, and shares the bytes of its values.
func RowOf(values ...any) Row {
	r := make(Row, len(values))
	for i, v := range values {
		r[i] = sqlite3.ValueOf(v)
	}
	return r
}

// Null reports whether column i is NULL.
func (r Row) Null(i int) bool { return r[i].IsNull() }

// Int returns the integer in column i, 0 for NULL.
func (r Row) Int(i int) int64 { return r[i].Int() }

// Text returns the text in column i, "" for NULL.
func (r Row) Text(i int) string { return r[i].Text() }

// Bytes returns the blob in column i, nil for NULL and for a blob of no bytes.
func (r Row) Bytes(i int) []byte { return r[i].Bytes() }

// Size returns how many bytes the texts and byte slices of the row have.
func (r Row) Size() (n int64) {
	for _, v := range r {
		n += int64(v.Len())
	}
	return n
}

// Keep returns a copy of the row that is valid for good.
func (r Row) Keep() Row {
	kept := make(Row, len(r))
	for i, v := range r {
		kept[i] = v.Keep()
	}
	return kept
}
