package bucketlite

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"strings"

	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// list names what a cursor belongs to: a kind of list, the number of its owner,
// and a hash of what it was asked for, which may be nothing.
type list struct {
	kind  string
	owner int64
	query []byte
	whole bool // its members cannot be selected from
}

// A cursor is the position after which to go on, and a checksum that binds it to
// the list, the query and the file it came from.
const (
	cursorNum = 8
	cursorSum = 8
	maxCursor = cursorNum + MaxSort*(2*MaxSortBytes+2) + cursorSum // keys are longest for texts of nothing but zeros
)

func (s *Store) cursor(l list, p query.Position) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(p.Num))
	b = append(b, p.Key...)
	b = append(b, s.cursorSum(l, b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// position returns the position a cursor holds, the zero position if there is none.
func (s *Store) position(l list, cursor string) (query.Position, error) {
	if cursor == "" {
		return query.Position{}, nil
	}
	if len(cursor) > base64.RawURLEncoding.EncodedLen(maxCursor) || strings.ContainsAny(cursor, "\r\n") { // the decoder skips line ends
		return query.Position{}, badRequest("cursor: not a cursor")
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(b) < cursorNum+cursorSum {
		return query.Position{}, badRequest("cursor: not a cursor")
	}
	b, sum := b[:len(b)-cursorSum], b[len(b)-cursorSum:]
	if subtle.ConstantTimeCompare(sum, s.cursorSum(l, b)) != 1 {
		return query.Position{}, badRequest("cursor: it belongs to another list or query")
	}
	return query.Position{Key: b[cursorNum:], Num: int64(binary.BigEndian.Uint64(b))}, nil
}

func (s *Store) cursorSum(l list, position []byte) []byte {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(s.id), []byte(l.kind), binary.BigEndian.AppendUint64(nil, uint64(l.owner)), l.query, position} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part)))) // else one could pass for the end of another
		h.Write(part)
	}
	return h.Sum(nil)[:cursorSum]
}

// sum returns a hash that queries share if a cursor of one may be used with the
// other: nil for all that neither filter nor sort.
func (q Query) sum(c *compiledQuery) []byte {
	if c.IsPlain() {
		return nil
	}
	form := map[string]any{"filters": q.Filter.expr.JSON(), "case_sensitive": q.CaseSensitive}
	if c.Search != nil {
		form["search"] = asAny(c.Search.Parts)
	}
	sort := make([]any, len(q.Sort))
	for i, by := range q.Sort {
		sort[i] = []any{by.Field, by.Direction == SortDescending}
	}
	form["sort"] = sort
	sum := sha256.Sum256(value.Append(nil, form))
	return sum[:]
}
