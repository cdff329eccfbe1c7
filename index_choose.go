package bucketlite

import (
	"context"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
)

// A choice is how a query is answered: the objects it looks at, which are all that
// it wants and may be more, and the indexes that led there.
type choice struct {
	source source
	used   []*index
	walk   *index  // in whose order the objects are read; nil: as the source has them
	seqs   []int64 // of the objects to look up for a page, in order; nil: see source
	most   int64   // how many objects the indexes have told, if they are looked up
	exact  bool    // the source has the objects the query wants and no others
}

// The most objects that are looked up one by one, for a page and for all of a
// query. Looking at each object of a bucket in turn costs less than half as much,
// and a page is full before its end.
const (
	minLookup    = 100
	maxLookup    = 20_000
	maxLookupAll = 200_000
)

// chooser chooses how to answer a query, from what the indexes say of it.
type chooser struct {
	bucket  *target
	ctx     context.Context
	conn    *engine.Conn
	query   *compiledQuery
	whole   bool // all objects are wanted, not a page
	indexes []*index
	limit   int // of seqs that are read from an index
}

// choose chooses how to answer a query, of which a page is wanted or the whole.
func (t *target) choose(ctx context.Context, conn *engine.Conn, c *compiledQuery, whole bool) (choice, error) {
	every := choice{source: t.everything(c.after.num)}
	if len(c.order) > 0 || whole {
		every.source = t.everything(0)
	}
	if c.isAll() && (len(c.order) == 0 || whole) {
		return every, nil
	}
	ch, err := t.chooser(ctx, conn, c, whole)
	if err != nil || len(ch.indexes) == 0 {
		return every, err
	}
	objects, err := t.objectCount(conn)
	if err != nil {
		return every, err
	}
	ch.limit = lookupLimit(float64(objects), float64(c.limit), whole || len(c.order) > 0)
	return ch.choose(every)
}

// chooser returns a chooser that knows the indexes that are ready.
func (t *target) chooser(ctx context.Context, conn *engine.Conn, c *compiledQuery, whole bool) (*chooser, error) {
	ch := &chooser{bucket: t, ctx: ctx, conn: conn, query: c, whole: whole}
	all, err := selectIndexes(conn, t.num)
	for _, i := range all {
		if i.Status == IndexReady {
			ch.indexes = append(ch.indexes, i)
		}
	}
	return ch, err
}

// lookupLimit returns how many of a bucket's objects are at most looked up one by
// one for a page of some results, or for all. For all it pays while they are few
// enough. A scan for a page meets a wanted object every objects/n, and reading n
// seqs from an index costs about a third of looking at n objects.
func lookupLimit(objects, page float64, all bool) int {
	if all {
		return int(max(minLookup, min(objects/4, maxLookupAll)))
	}
	return int(max(minLookup, min(math.Sqrt(3*page*objects), maxLookup)))
}

func (ch *chooser) choose(every choice) (choice, error) {
	c := ch.query
	paged := !ch.whole && len(c.order) == 0
	stream, err := ch.stream(every)
	if err != nil {
		return every, err
	}
	if stream != nil && paged && ch.conditions() == 1 {
		stream.exact = !stream.used[0].cut
		return *stream, nil
	}
	seqs, used, ok, err := ch.lookUp()
	if err != nil {
		return every, err
	}
	switch {
	case ok:
		every.source, every.used, every.most = ch.bucket.these(seqs, every.source.args[0].(int64)), used, int64(len(seqs))
		if paged {
			every.seqs = seqs
		}
		return every, nil
	case stream != nil && paged:
		return *stream, nil
	case len(c.order) == 1 && !ch.whole:
		if every.walk = ch.find(ValueIndex, c.order[0].Path); every.walk != nil {
			every.used = []*index{every.walk}
		}
	}
	return every, nil
}

// countEntries counts the objects that c wants without looking at any, if it is
// one condition whose entries stand for them, no more and no less.
func (t *target) countEntries(ctx context.Context, conn *engine.Conn, c *compiledQuery) (n int64, ok bool, err error) {
	ch, err := t.chooser(ctx, conn, c, true)
	conjuncts := conjuncts(c)
	if err != nil || c.search != nil || len(conjuncts) != 1 {
		return 0, false, err
	}
	i, spans := ch.spans(conjuncts[0])
	if i == nil || i.many || i.cut {
		return 0, false, nil
	}
	for _, span := range spans {
		_, err := conn.QueryRow("SELECT count(*) FROM entries WHERE idx = ? AND key >= ? AND key < ?", []any{i.num, span.Low, span.High},
			func(r engine.Row) { n += r.Int(0) })
		if err != nil {
			return 0, false, err
		}
	}
	return n, true, nil
}

// conjuncts are the parts of the filter that all must hold.
func conjuncts(c *compiledQuery) []*query.Node {
	if c.filter == nil {
		return nil
	}
	var list []*query.Node
	var add func(*query.Node)
	add = func(n *query.Node) {
		if n.Op != query.And {
			list = append(list, n)
			return
		}
		for _, m := range n.Nodes {
			add(m)
		}
	}
	add(c.filter.Root)
	return list
}

// conditions returns how many parts of the query there are.
func (ch *chooser) conditions() int {
	n := len(conjuncts(ch.query))
	if ch.query.search != nil {
		n++
	}
	return n
}

// find returns the index of that kind of a path, nil if there is none.
func (ch *chooser) find(kind IndexKind, path []string) *index {
	for _, i := range ch.indexes {
		if i.Kind == kind && slices.Equal(i.path, path) {
			return i
		}
	}
	return nil
}

// spans returns the index that has the entries of a condition, and where; nil if
// none has.
func (ch *chooser) spans(n *query.Node) (*index, []query.Span) {
	if n.Op == query.And || n.Op == query.Or || n.Op == query.Not {
		return nil, nil
	}
	i := ch.find(ValueIndex, n.Path)
	if i == nil {
		return nil, nil
	}
	spans, ok := n.Spans()
	if !ok {
		return nil, nil
	}
	return i, spans
}

// hasWide reports whether some objects have not all of their entries in an index,
// so that every condition must look at them.
func (ch *chooser) hasWide(i *index) (bool, error) {
	if !i.many {
		return false, nil
	}
	return ch.conn.QueryRow("SELECT 1 FROM entries WHERE idx = ? AND key = ? LIMIT 1", []any{i.num, query.WideKey}, nil)
}

// stream returns a choice that reads from an index in the order of creation, so
// that it ends when a page is full: for a condition that asks for one key. It
// returns nil if there is none.
func (ch *chooser) stream(every choice) (*choice, error) {
	for _, n := range conjuncts(ch.query) {
		i, spans := ch.spans(n)
		if len(spans) != 1 {
			continue
		}
		key, ok := spans[0].Key()
		if !ok {
			continue
		}
		if wide, err := ch.hasWide(i); err != nil {
			return nil, err
		} else if wide {
			continue
		}
		every.source.from, every.source.seq = keyObjects, "e.seq"
		every.source.args[2], every.source.args[3] = key, i.num
		every.used = []*index{i}
		return &every, nil
	}
	return nil, nil
}

// lookUp returns the seqs of the objects that the query may want, sorted, if the
// indexes tell them and they are not too many.
func (ch *chooser) lookUp() (seqs []int64, used []*index, ok bool, err error) {
	keep := func(s []int64, u []*index, found bool, e error) bool {
		if err = e; e == nil && found && (!ok || len(s) < len(seqs)) {
			seqs, used, ok = s, u, true
		}
		return e == nil
	}
	if ch.query.search != nil {
		if i := ch.find(TextIndex, nil); i != nil {
			s, found, e := ch.textSeqs(ch.query.search.Parts)
			if !keep(s, []*index{i}, found, e) {
				return nil, nil, false, err
			}
		}
	}
	for _, n := range conjuncts(ch.query) {
		if s, u, found, e := ch.nodeSeqs(n); !keep(s, u, found, e) {
			return nil, nil, false, err
		}
	}
	return seqs, used, ok, err
}

// nodeSeqs is lookUp for a part of the filter.
func (ch *chooser) nodeSeqs(n *query.Node) (seqs []int64, used []*index, ok bool, err error) {
	switch n.Op {
	case query.Not:
		return nil, nil, false, nil
	case query.And:
		for _, m := range n.Nodes {
			s, u, found, err := ch.nodeSeqs(m)
			if err != nil {
				return nil, nil, false, err
			}
			if found && (!ok || len(s) < len(seqs)) {
				seqs, used, ok = s, u, true
			}
		}
		return seqs, used, ok, nil
	case query.Or:
		for _, m := range n.Nodes {
			s, u, found, err := ch.nodeSeqs(m)
			if err != nil || !found || len(seqs)+len(s) > ch.limit {
				return nil, nil, false, err
			}
			seqs, used = append(seqs, s...), append(used, u...)
		}
		return unique(seqs), used, true, nil
	}
	if i, spans := ch.spans(n); i != nil {
		seqs, ok, err = ch.spanSeqs(i, spans)
		return seqs, []*index{i}, ok, err
	}
	i := ch.textIndex(n)
	if i == nil {
		return nil, nil, false, nil
	}
	parts, _ := n.Texts()
	seqs, ok, err = ch.textSeqs(parts)
	return seqs, []*index{i}, ok, err
}

// unique sorts seqs and leaves out repetitions.
func unique(seqs []int64) []int64 {
	slices.Sort(seqs)
	return slices.Compact(seqs)
}

// spanSeqs returns the seqs of the entries in some spans of an index, and of the
// objects that have not all of their entries there.
func (ch *chooser) spanSeqs(i *index, spans []query.Span) (seqs []int64, ok bool, err error) {
	if i.many {
		spans = append(spans, query.WideSpan)
	}
	// Handing over rows takes longer than finding them.
	collect := engine.NewCallback(ch.ctx, func(r engine.Row) (any, error) {
		seqs = append(seqs, r.Int(0))
		return nil, nil
	})
	defer collect.Release()
	for _, s := range spans {
		_, err := ch.conn.QueryRow(`
SELECT count(bucketlite_callback(?1, seq)) FROM (SELECT seq FROM entries WHERE idx = ?2 AND key >= ?3 AND key < ?4 LIMIT ?5 + 0)`,
			[]any{collect.Token(), i.num, s.Low, s.High, int64(ch.limit + 1 - len(seqs))}, nil)
		if collect.Err() != nil {
			return nil, false, collect.Err()
		}
		if err != nil || len(seqs) > ch.limit {
			return nil, false, err
		}
	}
	return unique(seqs), true, ch.ctx.Err()
}

// textIndex returns the index that finds objects by the texts a condition wants,
// nil if there is none.
func (ch *chooser) textIndex(n *query.Node) *index {
	if parts, ok := n.Texts(); !ok || trigrams(parts) == "" {
		return nil
	}
	if i := ch.find(TextIndex, n.Path); i != nil || inSystem(n.Path) {
		return i
	}
	return ch.find(TextIndex, nil)
}

// textSeqs returns the seqs of the objects whose text contains all the parts.
func (ch *chooser) textSeqs(parts []string) (seqs []int64, ok bool, err error) {
	match := trigrams(parts)
	if match == "" {
		return nil, false, nil
	}
	bucket := ch.bucket.everything(0)
	err = ch.conn.Query("SELECT rowid FROM texts WHERE texts MATCH ? AND rowid > ? AND rowid < ? ORDER BY rowid LIMIT ? + 0",
		[]any{"(" + match + `) OR "` + unindexedText + `"`, bucket.args[0], bucket.args[1], int64(ch.limit + 1)}, func(r engine.Row) error {
			seqs = append(seqs, r.Int(0))
			return nil
		})
	return seqs, err == nil && len(seqs) <= ch.limit, err
}

// maxTrigrams bounds what is asked of the text index: more would hardly find less.
const maxTrigrams = 24

// trigrams returns what to ask of the text index for texts that contain all the
// parts, "" if they are too short for it. Of many trigrams it takes some from
// everywhere: what tells a text from others may be at its end.
func trigrams(parts []string) string {
	var grams []string
	for _, part := range parts {
		part = query.Fold(part)
		for i := range part {
			end := i
			for range 3 {
				_, size := utf8.DecodeRuneInString(part[end:])
				if end += size; size == 0 {
					break
				}
			}
			if gram := part[i:end]; utf8.RuneCountInString(gram) == 3 {
				grams = append(grams, gram)
			}
		}
	}
	var match strings.Builder
	n := min(len(grams), maxTrigrams)
	for i := range n {
		if i > 0 {
			match.WriteString(" AND ")
		}
		gram := grams[i*(len(grams)-1)/max(1, n-1)]
		match.WriteString(`"` + strings.ReplaceAll(gram, `"`, `""`) + `"`)
	}
	return match.String()
}

// objectCount returns how many objects the bucket has.
func (t *target) objectCount(conn *engine.Conn) (n int64, err error) {
	ok, err := conn.QueryRow("SELECT b.object_count + ifnull(d.objects, 0) FROM buckets b "+commit.JoinDelta+" WHERE b.num = ?",
		[]any{t.num}, func(r engine.Row) { n = r.Int(0) })
	if err == nil && !ok {
		err = t.gone()
	}
	return n, err
}
