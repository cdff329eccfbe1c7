package infer

import (
	"cmp"
	"encoding/json"
	"hash/maphash"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/value"
)

const (
	maxCompared = 1 << 16 // values of one field that are compared with each other
	maxHashes   = 1 << 19 // values of all fields, at one time
	maxKeyText  = 255     // characters
)

// A Key is a field that can be a unique key, by the samples.
type Key struct {
	Field string
	// Compared is how many samples were found to have different values.
	Compared int64
}

// checkUnique compares the value of a field at the root with those of earlier samples.
func (s *Samples) checkUnique(f *field, v any) {
	if f.unique == nil {
		return
	}
	hash, ok := s.hash(v)
	_, taken := f.unique[hash]
	if !ok || taken || f.seen != s.count {
		s.dropUnique(f)
		return
	}
	if f.compared < maxCompared && s.hashes < maxHashes && f.compared == s.count-1 {
		f.unique[hash] = struct{}{}
		f.compared++
		s.hashes++
	}
}

// dropUnique records that the field is no unique key.
func (s *Samples) dropUnique(f *field) {
	s.hashes -= len(f.unique)
	f.unique = nil
}

// hash returns the hash of a value that can be part of a unique key. Values that are
// equal as parts of a key have equal hashes.
func (s *Samples) hash(v any) (uint64, bool) {
	text, isText := v.(string)
	if !isText {
		if _, ok := value.Int(v); !ok {
			return 0, false
		}
		var buf [32]byte
		return maphash.Bytes(s.seed, value.AppendNumberKey(buf[:0], v)), true
	}
	if text == "" || len(text) > maxKeyText && utf8.RuneCountInString(text) > maxKeyText {
		return 0, false
	}
	if sec, nanos, ok := value.ParseDateTime(text); ok {
		text = strconv.FormatInt(sec, 10) + "." + strconv.Itoa(int(nanos))
	} else if s.opts.Text && kindOfText(text) == integer {
		var buf [32]byte
		text = string(value.AppendNumberKey(buf[:0], json.Number(text)))
	}
	return maphash.String(s.seed, text), true
}

// keys returns the candidates for a unique key, the most likely one first.
func (s *Samples) keys() []Key {
	var keys []Key
	for _, name := range slices.Sorted(maps.Keys(s.root.byName)) {
		f := s.root.byName[name]
		if f.unique == nil || f.unfit != "" || f.seen != s.count || keyRank(f.kind()) < 0 {
			continue
		}
		keys = append(keys, Key{name, f.compared})
	}
	slices.SortStableFunc(keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(nameRank(a.Field), nameRank(b.Field)),
			cmp.Compare(keyRank(s.root.byName[a.Field].kind()), keyRank(s.root.byName[b.Field].kind())))
	})
	return keys
}

// keyRank returns the rank of a type among those of keys, or a negative number if fields
// of the type are seldom keys: numbers with fractions are measured, not chosen.
func keyRank(k kind) int { return slices.Index([]kind{text, integer, dateTime, date}, k) }

// identifiers are words that end the names of fields that identify something, the most
// telling one first.
var identifiers = []string{"id", "uuid", "guid", "key", "sku", "isbn", "ean", "slug", "code", "path", "url", "email"}

// nameRank returns the rank of a name among those of keys.
func nameRank(name string) int {
	folded := strings.ToLower(name)
	for i, word := range identifiers {
		rest, ok := strings.CutSuffix(folded, word)
		switch last, _ := utf8.DecodeLastRuneInString(rest); {
		case ok && (rest == "" || !unicode.IsLetter(last)):
			return i // as in id and order_id
		case ok:
			return len(identifiers) + i // as in orderId, or in paid
		}
	}
	return 2 * len(identifiers)
}
