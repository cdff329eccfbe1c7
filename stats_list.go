package bucketlite

import (
	"context"
	"strings"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// ObjectListStats sum up a list of objects. Its JSON form is that of the hosted
// service's ObjectListStats.
type ObjectListStats struct {
	Objects  int64            `json:"total_objects"`
	Blobs    int64            `json:"total_blobs"`
	AvgBlobs float64          `json:"avg_blobs_per_object"`
	ByStatus map[Status]int64 `json:"objects_by_status"`
}

// BucketListStats sum up a list of buckets. Its JSON form is that of the hosted
// service's BucketListStats.
type BucketListStats struct {
	Objects    int64   `json:"total_objects"`
	Size       int64   `json:"total_size_bytes"`
	AvgObjects float64 `json:"avg_objects_per_bucket"`
	AvgSize    float64 `json:"avg_size_per_bucket"`
}

// NamespaceListStats sum up a list of namespaces. Its JSON form is that of the
// hosted service's NamespaceListStats. There are no documents or collections here:
// their numbers are 0.
type NamespaceListStats struct {
	FeatureExtractors    int64   `json:"total_feature_extractors"`
	PayloadIndexes       int64   `json:"total_payload_indexes"`
	Documents            int64   `json:"total_documents"`
	Buckets              int64   `json:"total_buckets"`
	Collections          int64   `json:"total_collections"`
	Objects              int64   `json:"total_objects"`
	AvgFeatureExtractors float64 `json:"avg_feature_extractors_per_namespace"`
	AvgPayloadIndexes    float64 `json:"avg_payload_indexes_per_namespace"`
	AvgDocuments         float64 `json:"avg_documents_per_namespace"`
	AvgBuckets           float64 `json:"avg_buckets_per_namespace"`
	AvgCollections       float64 `json:"avg_collections_per_namespace"`
	AvgObjects           float64 `json:"avg_objects_per_namespace"`
}

// UploadListStats sum up a list of uploads. Its JSON form is that of the hosted
// service's UploadListStats.
type UploadListStats struct {
	Uploads  int64            `json:"total_uploads"`
	Size     int64            `json:"total_size_bytes"` // as announced, before the bytes have come
	ByStatus map[Status]int64 `json:"uploads_by_status"`
	AvgSize  float64          `json:"avg_file_size_bytes"`
	Buckets  int64            `json:"unique_buckets"` // 1, or 0 without uploads
}

// ListStats sums up, at one moment, all the bucket's objects that q's Filter and
// Search want; the rest of q has no effect.
//
// Errors: [ErrBadRequest], [ErrNotActive] while the bucket is suspended, [ErrNotFound].
func (b *Bucket) ListStats(ctx context.Context, q Query) (*ObjectListStats, error) {
	c, err := q.members().compile(b.store, list{kind: "objects", owner: b.num}, b.types)
	if err != nil {
		return nil, err
	}
	var stats *ObjectListStats
	err = b.store.readLong(ctx, func(ctx context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			err := b.permit(conn, readObjects)
			if err == nil {
				stats, err = b.listStats(ctx, conn, c)
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return stats, nil
}

// listStats sums up the objects that c wants, amid a snapshot.
func (b *Bucket) listStats(ctx context.Context, conn *engine.Conn, c *compiledQuery) (*ObjectListStats, error) {
	how, err := b.choose(ctx, conn, c, true)
	if err != nil {
		return nil, err
	}
	s := b.newScan(ctx, c)
	defer s.release()
	stats := &ObjectListStats{ByStatus: make(map[Status]int64)}
	err = s.byStatus(ctx, conn, how.source, stats)
	stats.AvgBlobs = ratio(stats.Blobs, stats.Objects)
	return stats, err
}

// byStatus counts the objects of a source that are wanted, and their blobs, by status.
// Grouping them in SQL would hold all of their blobs in memory.
func (s *scan) byStatus(ctx context.Context, conn *engine.Conn, from source, stats *ObjectListStats) error {
	counts := make(map[string]*int64) // a map of numbers would keep each row's text as its key
	tally := engine.NewCallback(ctx, func(r engine.Row) (any, error) {
		n := counts[r.Text(0)]
		if n == nil {
			n = new(int64)
			counts[strings.Clone(r.Text(0))] = n
		}
		*n++
		stats.Objects++
		stats.Blobs += r.Int(1)
		return nil, nil
	})
	defer tally.Release()
	text := "SELECT count(bucketlite_callback(?8, o.status, json_array_length(o.blobs))) FROM " + from.from
	if !s.c.isAll() {
		text += " AND " + s.call()
	}
	err := conn.LongQuery(ctx, text, append(s.args(from, 0), tally.Token()), func(engine.Row) error { return nil })
	for status, n := range counts {
		stats.ByStatus[Status(status)] = *n
	}
	if err != nil && tally.Err() != nil {
		return tally.Err()
	}
	return s.err(conn, err)
}

// BucketListStats sums up, at one moment, all the namespace's buckets that q's
// Filter and Search want, as for [Namespace.ListBuckets]; the rest of q has no
// effect. Errors: [ErrBadRequest], [ErrNotFound].
func (n *Namespace) BucketListStats(ctx context.Context, q Query) (*BucketListStats, error) {
	stats, count, err := sumUp(ctx, n.store, n.buckets(), q, func(sum *BucketListStats, i *BucketInfo) {
		sum.Objects += i.ObjectCount
		sum.Size += i.TotalSize
	})
	if err != nil {
		return nil, err
	}
	stats.AvgObjects, stats.AvgSize = ratio(stats.Objects, count), ratio(stats.Size, count)
	return stats, nil
}

// NamespaceListStats sums up, at one moment, all the store's namespaces that q's
// Filter and Search want, as for [Store.ListNamespaces]; the rest of q has no
// effect. Errors: [ErrBadRequest].
func (s *Store) NamespaceListStats(ctx context.Context, q Query) (*NamespaceListStats, error) {
	stats, count, err := sumUp(ctx, s, s.namespaces(), q, func(sum *NamespaceListStats, i *NamespaceInfo) {
		sum.FeatureExtractors += int64(len(i.FeatureExtractors))
		sum.PayloadIndexes += int64(len(i.PayloadIndexes))
		sum.Buckets += i.BucketCount
		sum.Objects += i.ObjectCount
	})
	if err != nil {
		return nil, err
	}
	stats.AvgFeatureExtractors = ratio(stats.FeatureExtractors, count)
	stats.AvgPayloadIndexes = ratio(stats.PayloadIndexes, count)
	stats.AvgBuckets, stats.AvgObjects = ratio(stats.Buckets, count), ratio(stats.Objects, count)
	return stats, nil
}

// UploadListStats sums up, at one moment, all the bucket's uploads that q's Filter
// and Search want, as for [Bucket.ListUploads]; the rest of q has no effect.
//
// Errors: [ErrBadRequest], [ErrNotActive] while the bucket is suspended, [ErrNotFound].
func (b *Bucket) UploadListStats(ctx context.Context, q Query) (*UploadListStats, error) {
	stats, count, err := sumUp(ctx, b.store, b.uploads(), q, func(sum *UploadListStats, u *Upload) {
		if sum.ByStatus == nil {
			sum.ByStatus = make(map[Status]int64)
		}
		sum.ByStatus[u.Status]++
		sum.Size += u.Size
	})
	if err != nil {
		return nil, err
	}
	if stats.Uploads = count; count == 0 {
		stats.ByStatus = make(map[Status]int64)
	}
	stats.AvgSize, stats.Buckets = ratio(stats.Size, count), min(count, 1)
	return stats, nil
}

// sumUp sums up the members of a list that q's filter and search want, and counts
// them.
func sumUp[S, T any](ctx context.Context, s *Store, l listing[T], q Query, add func(*S, T)) (sum *S, count int64, err error) {
	c, err := q.members().compile(s, l.list, l.types)
	if err != nil {
		return nil, 0, err
	}
	err = s.readLong(ctx, func(ctx context.Context, conn *engine.Conn) error {
		sum, count = new(S), 0
		return l.each(ctx, conn, c, 0, -1, func(h hit[T]) bool {
			add(sum, h.member)
			count++
			return true
		})
	})
	return sum, count, err
}

// members returns the query for all the members of a list that q wants.
func (q Query) members() Query {
	return Query{Filter: q.Filter, Search: q.Search, CaseSensitive: q.CaseSensitive}
}

func ratio(total, count int64) float64 {
	if count == 0 {
		return 0
	}
	return float64(total) / float64(count)
}
