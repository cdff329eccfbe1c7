package bucketlite

import (
	"bytes"
	"encoding/json"
	"errors"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// errEnough ends a query that has read as much as is wanted.
var errEnough = errors.New("enough")

// timeOf converts a stored time.
func timeOf(micro int64) time.Time { return time.UnixMicro(micro).UTC() }

// optionalTime returns the time in column i, or nil for NULL.
func optionalTime(r engine.Row, i int) *time.Time {
	if r.Null(i) {
		return nil
	}
	t := timeOf(r.Int(i))
	return &t
}

// decodeInfo decodes the JSON in column i into v, unless the column is NULL.
func decodeInfo(r engine.Row, i int, v any) error {
	if r.Null(i) {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader([]byte(r.Text(i))))
	d.UseNumber()
	return d.Decode(v)
}

// nilIfEmpty returns b as a column value, which is NULL if b is nil.
func nilIfEmpty(b []byte) any {
	if b == nil {
		return nil
	}
	return b
}

// nilIfBlank returns s as a column value, which is NULL if s is empty.
func nilIfBlank(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// nilIfNever returns the time at which an object expires as a column value, which is NULL
// for the zero time.
func nilIfNever(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// nilIfNoTime returns t as a column value, which is NULL if t is nil.
func nilIfNoTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return t.UnixMicro()
}
