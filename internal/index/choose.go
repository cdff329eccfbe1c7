package index

import (
	"context"
	"math"
	"slices"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
)

// A Choice is a plan for a query: a superset of the matching objects, to be matched one by
// one, and the indexes used. It is valid in the snapshot it was made in.
type Choice struct {
	bucket Bucket
	query  *query.Query
	source source
	used   []*Index
	walk   *Index  // the objects are read in its order; nil for the order of the source
	seqs   []int64 // of the objects to look up for a page, in order of creation; nil to use the source
	most   int64   // the number of objects to look up
	exact  bool    // the source has exactly the matching objects
}

// Limits of the number of objects that are looked up one by one, for a page and for all
// results. A scan of the bucket costs less than half as much for each object, and a page
// is full before its end.
const (
	minLookup    = 100
	maxLookup    = 20_000
	maxLookupAll = 200_000
)

// maxShort is the number of objects up to which a page that looks them up is a short read.
const maxShort = 1000

// Choose makes a plan to find a page of the objects that match q, or all of them.
func Choose(ctx context.Context, conn *engine.Conn, b Bucket, q *query.Query, whole bool) (Choice, error) {
	q = b.rebase(q)
	every := Choice{bucket: b, query: q, source: everything(b.Partition)}
	if q.Last != 0 {
		every.source.args[1] = q.Last + 1
	}
	if len(q.Order) == 0 && !whole {
		every.source.after(q, q.After.Num)
	}
	if q.IsAll() && (len(q.Order) == 0 || whole) {
		return every, nil
	}
	ch, err := newChooser(ctx, conn, b.Partition, q, whole)
	if err != nil || len(ch.indexes) == 0 {
		return every, err
	}
	objects, _, err := commit.CountObjects(conn, b.Num)
	if err != nil {
		return every, err
	}
	ch.limit = lookupLimit(float64(objects), float64(q.Limit), whole || len(q.Order) > 0)
	return ch.choose(every)
}

// rebase returns a query whose positions, which may be of another partition of the bucket,
// are in the bucket's present partition.
func (b *Bucket) rebase(q *query.Query) *query.Query {
	if q.After.Num == 0 && q.Last == 0 {
		return q
	}
	based := *q
	if q.After.Num != 0 {
		based.After.Num = commit.Seq(b.Partition, commit.Position(q.After.Num))
	}
	if q.Last != 0 {
		based.Last = commit.Seq(b.Partition, commit.Position(q.Last))
	}
	return &based
}

// Used returns the indexes used. One may be listed twice.
func (c *Choice) Used() []*Index { return c.used }

// Sorts reports whether all matching objects must be found before the first is known.
func (c *Choice) Sorts() bool { return len(c.query.Order) > 0 && c.walk == nil }

// IsShort reports whether finding a page reads few objects besides those on the page and
// before it.
func (c *Choice) IsShort() bool {
	switch {
	case c.query.IsPlain():
		return true
	case c.walk != nil:
		return c.query.IsAll()
	case c.source.from == theseObjects:
		return c.most <= maxShort
	case c.source.from == keyObjects:
		return c.exact
	}
	return false
}

// Objects returns the number of objects to match.
func (c *Choice) Objects(conn *engine.Conn) (n int64, err error) {
	switch c.source.from {
	case theseObjects:
		return c.most, nil
	case keyObjects:
		_, err = conn.QueryRow("SELECT count(*) FROM entries WHERE idx = ? AND key = ?", []any{c.source.args[3], c.source.args[2]},
			func(r engine.Row) { n = r.Int(0) })
		return n, err
	}
	n, _, err = commit.CountObjects(conn, c.bucket.Num)
	return n, err
}

// A chooser makes a plan for a query from the entries in the indexes.
type chooser struct {
	partition int64
	ctx       context.Context
	conn      *engine.Conn
	query     *query.Query
	whole     bool // find all objects, not a page
	indexes   []*Index
	limit     int // of seqs to read from an index
}

// newChooser returns a chooser that knows the indexes that are ready.
func newChooser(ctx context.Context, conn *engine.Conn, partition int64, q *query.Query, whole bool) (*chooser, error) {
	ch := &chooser{partition: partition, ctx: ctx, conn: conn, query: q, whole: whole}
	all, err := Select(conn, partition)
	for _, i := range all {
		if i.Status == Ready {
			ch.indexes = append(ch.indexes, i)
		}
	}
	return ch, err
}

// lookupLimit returns the maximum number of a bucket's objects to look up one by one, for a
// page of some results or for all results. For all results, lookups pay if they are few
// enough. For a page, a scan finds a match every objects/n objects, and reading n seqs from
// an index costs about a third of reading n objects.
func lookupLimit(objects, page float64, all bool) int {
	if all {
		return int(max(minLookup, min(objects/4, maxLookupAll)))
	}
	return int(max(minLookup, min(math.Sqrt(3*page*objects), maxLookup)))
}

func (ch *chooser) choose(every Choice) (Choice, error) {
	q := ch.query
	paged := !ch.whole && len(q.Order) == 0
	stream, streams, err := ch.stream(every)
	if err != nil {
		return every, err
	}
	if streams && paged && ch.conditions() == 1 {
		stream.exact = !stream.used[0].cut // a single key, so the condition is exact
		return stream, nil
	}
	seqs, used, ok, err := ch.lookUp()
	if err != nil {
		return every, err
	}
	switch {
	case ok:
		every.source, every.used, every.most = every.source.these(seqs), used, int64(len(seqs))
		if paged {
			every.seqs = seqs
		}
		return every, nil
	case streams && paged:
		return stream, nil
	case len(q.Order) == 1 && !ch.whole:
		if every.walk = ch.find(Value, q.Order[0].Path); every.walk != nil {
			every.used = []*Index{every.walk}
		}
	}
	return every, nil
}

// conjuncts returns the parts of the filter, all of which must hold.
func conjuncts(q *query.Query) []*query.Node {
	if q.Filter == nil {
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
	add(q.Filter.Root)
	return list
}

// conditions returns the number of parts of the query.
func (ch *chooser) conditions() int {
	n := len(conjuncts(ch.query))
	if ch.query.Search != nil {
		n++
	}
	return n
}

// find returns the index with the kind and path, or nil.
func (ch *chooser) find(kind string, path []string) *Index {
	for _, i := range ch.indexes {
		if i.Kind == kind && slices.Equal(i.path, path) {
			return i
		}
	}
	return nil
}

// spans returns the index with the entries of a condition, and the spans that hold them. If
// there is no such index, it is nil.
func (ch *chooser) spans(n *query.Node) (*Index, []query.Span) {
	if n.Op == query.And || n.Op == query.Or || n.Op == query.Not {
		return nil, nil
	}
	i := ch.find(Value, n.Path)
	if i == nil {
		return nil, nil
	}
	spans, ok := n.Spans()
	if !ok {
		return nil, nil
	}
	return i, spans
}

// hasWide reports whether an index lacks entries of some objects. Such objects must be
// matched with every condition.
func (ch *chooser) hasWide(i *Index) (bool, error) {
	if !i.many {
		return false, nil
	}
	return ch.conn.QueryRow("SELECT 1 FROM entries WHERE idx = ? AND key = ? LIMIT 1", []any{i.Num, query.WideKey}, nil)
}

// stream returns a plan that reads an index in order of creation or backwards, and so ends
// when a page is full. There is one if a condition selects a single key.
func (ch *chooser) stream(every Choice) (c Choice, ok bool, err error) {
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
			return c, false, err
		} else if wide {
			continue
		}
		every.source.from, every.source.seq = keyObjects, "e.seq"
		every.source.args[2], every.source.args[3] = key, i.Num
		every.used = []*Index{i}
		return every, true, nil
	}
	return c, false, nil
}

// lookUp returns the sorted seqs of the objects that may match the query, if the indexes
// have them and they are not too many.
func (ch *chooser) lookUp() (seqs []int64, used []*Index, ok bool, err error) {
	keep := func(s []int64, u []*Index, found bool, e error) bool {
		if err = e; e == nil && found && (!ok || len(s) < len(seqs)) {
			seqs, used, ok = s, u, true
		}
		return e == nil
	}
	if ch.query.Search != nil {
		if i := ch.find(Text, nil); i != nil {
			s, found, e := ch.textSeqs(ch.query.Search.Texts())
			if !keep(s, []*Index{i}, found, e) {
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
func (ch *chooser) nodeSeqs(n *query.Node) (seqs []int64, used []*Index, ok bool, err error) {
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
		return seqs, []*Index{i}, ok, err
	}
	i := ch.textIndex(n)
	if i == nil {
		return nil, nil, false, nil
	}
	parts, _ := n.Texts()
	seqs, ok, err = ch.textSeqs(parts)
	return seqs, []*Index{i}, ok, err
}

// unique sorts seqs and removes duplicates.
func unique(seqs []int64) []int64 {
	slices.Sort(seqs)
	return slices.Compact(seqs)
}

// spanSeqs returns the seqs of the entries in some spans of an index, and of the objects
// that lack entries in it.
func (ch *chooser) spanSeqs(i *Index, spans []query.Span) (seqs []int64, ok bool, err error) {
	if i.many {
		spans = append(spans, query.WideSpan)
	}
	// Returning rows takes longer than finding them.
	collect := engine.NewCallback(ch.ctx, func(r engine.Row) (any, error) {
		seqs = append(seqs, r.Int(0))
		return nil, nil
	})
	defer collect.Release()
	for _, s := range spans {
		_, err := ch.conn.QueryRow(`
SELECT count(bucketlite_callback(?1, seq)) FROM (SELECT seq FROM entries WHERE idx = ?2 AND key >= ?3 AND key < ?4 LIMIT ?5 + 0)`,
			[]any{collect.Token(), i.Num, s.Low, s.High, int64(ch.limit + 1 - len(seqs))}, nil)
		if collect.Err() != nil {
			return nil, false, collect.Err()
		}
		if err != nil || len(seqs) > ch.limit {
			return nil, false, err
		}
	}
	return unique(seqs), true, ch.ctx.Err()
}

// textIndex returns the index that finds objects by the texts of a condition, or nil.
func (ch *chooser) textIndex(n *query.Node) *Index {
	if parts, ok := n.Texts(); !ok || trigrams(parts) == "" {
		return nil
	}
	if i := ch.find(Text, n.Path); i != nil || InSystem(n.Path[0]) {
		return i
	}
	return ch.find(Text, nil)
}

// textSeqs returns the seqs of the objects whose text contains all parts.
func (ch *chooser) textSeqs(parts []string) (seqs []int64, ok bool, err error) {
	match := trigrams(parts)
	if match == "" {
		return nil, false, nil
	}
	every := everything(ch.partition)
	err = ch.conn.Query("SELECT rowid FROM texts WHERE texts MATCH ? AND rowid > ? AND rowid < ? ORDER BY rowid LIMIT ? + 0",
		[]any{"(" + match + `) OR "` + unindexedText + `"`, every.args[0], every.args[1], int64(ch.limit + 1)}, func(r engine.Row) error {
			seqs = append(seqs, r.Int(0))
			return nil
		})
	return seqs, err == nil && len(seqs) <= ch.limit, err
}
