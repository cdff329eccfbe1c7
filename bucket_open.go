package bucketlite

import (
	"context"
	"errors"
	"sync"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/value"
)

// bucketNames are the names or ids that a bucket is asked for by.
type bucketNames struct{ namespace, bucket string }

// openedBucket is what such names led to.
type openedBucket struct {
	namespace Namespace
	bucket    Bucket
}

// openedBuckets remembers what names led to, as long as nobody commits to the file, in
// whatever process. The zero value is ready for use.
type openedBuckets struct {
	mu   sync.Mutex
	mark engine.Mark
	of   map[bucketNames]openedBucket // read after mark was taken
}

// maxOpened bounds the buckets that are remembered.
const maxOpened = 1000

// find returns what the names led to, if that is still so. The caller has just taken mark.
func (m *openedBuckets) find(mark engine.Mark, names bucketNames) (openedBucket, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mark != mark {
		return openedBucket{}, false
	}
	found, ok := m.of[names]
	return found, ok
}

// keep remembers what names led to in a read that began after mark was taken.
func (m *openedBuckets) keep(mark engine.Mark, names bucketNames, found openedBucket) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.mark != mark || m.of == nil {
		m.mark, m.of = mark, make(map[bucketNames]openedBucket)
	}
	if len(m.of) < maxOpened {
		m.of[names] = found
	}
}

// OpenBucket returns handles on a namespace and on a bucket in it, each given by its
// name or id, as [Store.Namespace] and [Namespace.Bucket] do, in a single read. If
// there is no such namespace or bucket, the error is [ErrNotFound]; if only the
// bucket is missing, the namespace is returned along with the error.
//
// It is made to be called for each request: names that were opened since the last commit
// to the file, by whatever process, need no read. In memory, with [Options].PlainIO and on
// Windows it always reads.
func (s *Store) OpenBucket(ctx context.Context, namespace, bucket string) (*Namespace, *Bucket, error) {
	names := bucketNames{namespace, bucket}
	mark, sure := s.db.Mark() // before the read, so that the result is of this state or a newer one
	if sure && ctx.Err() == nil {
		if found, ok := s.opened.find(mark, names); ok {
			return &found.namespace, &found.bucket, nil
		}
	}
	n, b, err := s.openBucket(ctx, names)
	if sure && err == nil {
		s.opened.keep(mark, names, openedBucket{*n, *b})
	}
	return n, b, err
}

// openBucket is OpenBucket, which remembers nothing.
func (s *Store) openBucket(ctx context.Context, names bucketNames) (*Namespace, *Bucket, error) {
	where := "n.name = ?1"
	if ident.Is(ident.NamespacePrefix, names.namespace) {
		where = "n.id = ?1"
	}
	n, b := &Namespace{store: s}, &Bucket{store: s}
	var stored storedDefinition
	err := s.read(ctx, func(c *engine.Conn) error {
		n.num, b.num = 0, 0
		ok, err := c.QueryRow("SELECT n.num, n.id, n.name, b.num, b.id, b.name FROM namespaces n LEFT JOIN buckets b ON b.namespace = n.num AND "+
			bucketNamed(names.bucket)+" WHERE n.delete_task IS NULL AND "+where, []any{names.namespace, names.bucket}, func(r engine.Row) {
			n.num, n.id, n.name = r.Int(0), r.Text(1), r.Text(2)
			b.num, b.id, b.name = r.Int(3), r.Text(4), r.Text(5)
		})
		switch {
		case err != nil:
		case !ok:
			err = notFound("namespace %s", value.Show(names.namespace))
		case b.num == 0:
			err = notFound("%s: bucket %s", n, value.Show(names.bucket))
		default:
			stored, err = b.readDefinition(c)
		}
		return err
	})
	if err == nil {
		err = b.define(stored)
	}
	switch {
	case err == nil:
		return n, b, nil
	case n.num == 0 || !errors.Is(err, ErrNotFound):
		return nil, nil, err
	}
	return n, nil, err
}
