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

// list identifies the list of a cursor: its kind, the number of its owner, and a hash
// of its query, or nil.
type list struct {
	kind  string
	owner int64
	query []byte
	whole bool // accepts no Select
}

// A cursor holds the position after which to continue, and a checksum that binds it
// to its list, query and file.
const (
	cursorNum = 8
	cursorSum = 8
	maxCursor = cursorNum + MaxSort*(2*MaxSortBytes+2) + cursorSum // keys are longest for texts of zero bytes
)

func (s *Store) cursor(l list, p query.Position) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(p.Num))
	b = append(b, p.Key...)
	b = append(b, s.cursorSum(l, b)...)
	return base64.RawURLEncoding.EncodeToString(b)
}

// position returns the position of a cursor, or the zero position for no cursor.
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
		return query.Position{}, badRequest("cursor: of another list or query")
	}
	return query.Position{Key: b[cursorNum:], Num: int64(binary.BigEndian.Uint64(b))}, nil
}

func (s *Store) cursorSum(l list, position []byte) []byte {
	h := sha256.New()
	for _, part := range [][]byte{[]byte(s.id), []byte(l.kind), binary.BigEndian.AppendUint64(nil, uint64(l.owner)), l.query, position} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part)))) // so that the end of one part cannot become the beginning of another
		h.Write(part)
	}
	return h.Sum(nil)[:cursorSum]
}

// sum returns a hash that is equal for queries whose cursors are interchangeable: nil
// for the whole list in order of creation.
func (q Query) sum(c *compiledQuery) []byte {
	if c.IsPlain() && !c.Reverse {
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
	if q.Reverse { // else the hash is that of versions without Reverse
		form["reverse"] = true
	}
	sum := sha256.Sum256(value.Append(nil, form))
	return sum[:]
}
