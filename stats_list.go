package bucketlite

import (
	"context"
	"strings"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
)

// ObjectListStats summarize a list of objects. The JSON form is that of the hosted
// service's ObjectListStats.
type ObjectListStats struct {
	Objects  int64            `json:"total_objects"`
	Blobs    int64            `json:"total_blobs"`
	AvgBlobs float64          `json:"avg_blobs_per_object"`
	ByStatus map[Status]int64 `json:"objects_by_status"`
}

// BucketListStats summarize a list of buckets. The JSON form is that of the hosted
// service's BucketListStats.
type BucketListStats struct {
	Objects    int64   `json:"total_objects"`
	Size       int64   `json:"total_size_bytes"`
	AvgObjects float64 `json:"avg_objects_per_bucket"`
	AvgSize    float64 `json:"avg_size_per_bucket"`
}

// NamespaceListStats summarize a list of namespaces. The JSON form is that of the
// hosted service's NamespaceListStats. This library has no documents or collections:
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

// UploadListStats summarize a list of uploads. The JSON form is that of the hosted
// service's UploadListStats.
type UploadListStats struct {
	Uploads  int64            `json:"total_uploads"`
	Size     int64            `json:"total_size_bytes"` // as announced, before the bytes arrive
	ByStatus map[Status]int64 `json:"uploads_by_status"`
	AvgSize  float64          `json:"avg_file_size_bytes"`
	Buckets  int64            `json:"unique_buckets"` // 1, or 0 without uploads
}

// ListStats summarizes all the bucket's objects that match q's Filter and Search, in
// one snapshot. The rest of q has no effect.
//
// Errors: [ErrBadRequest], [ErrNotActive] if the bucket is suspended, [ErrNotFound].
func (b *Bucket) ListStats(ctx context.Context, q Query) (*ObjectListStats, error) {
	var stats *ObjectListStats
	err := b.following(ctx, func(b *Bucket) (err error) {
		stats, err = b.listStats(ctx, q)
		return err
	})
	return stats, err
}

func (b *Bucket) listStats(ctx context.Context, q Query) (*ObjectListStats, error) {
	c, err := q.members().compile(b.store, list{kind: "objects", owner: b.num}, b.types)
	if err != nil {
		return nil, err
	}
	var stats *ObjectListStats
	err = b.store.readLong(ctx, func(ctx context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			err := b.readable(conn)
			if err == nil {
				stats, err = b.summarize(ctx, conn, c)
			}
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return stats, nil
}

// summarize summarizes the objects that match c, inside a snapshot.
func (b *Bucket) summarize(ctx context.Context, conn *engine.Conn, c *compiledQuery) (*ObjectListStats, error) {
	how, err := index.Choose(ctx, conn, b.indexed(), &c.Query, true)
	if err != nil {
		return nil, err
	}
	stats := &ObjectListStats{ByStatus: make(map[Status]int64)}
	err = stats.count(ctx, conn, &how)
	stats.AvgBlobs = ratio(stats.Blobs, stats.Objects)
	return stats, err
}

// count counts the objects that match, and their blobs, by status. GROUP BY would hold
// all their blobs in memory.
func (l *ObjectListStats) count(ctx context.Context, conn *engine.Conn, how *index.Choice) error {
	counts := make(map[string]*int64) // pointers: a map of numbers would keep each row's text alive as its key
	err := how.Each(ctx, conn, "o.status, json_array_length(o.blobs)", func(r engine.Row) error {
		n := counts[r.Text(0)]
		if n == nil {
			n = new(int64)
			counts[strings.Clone(r.Text(0))] = n
		}
		*n++
		l.Objects++
		l.Blobs += r.Int(1)
		return nil
	})
	for status, n := range counts {
		l.ByStatus[Status(status)] = *n
	}
	return err
}

// BucketListStats summarizes all the namespace's buckets that match q's Filter and
// Search, as in [Namespace.ListBuckets], in one snapshot. The rest of q has no
// effect. Errors: [ErrBadRequest], [ErrNotFound].
func (n *Namespace) BucketListStats(ctx context.Context, q Query) (*BucketListStats, error) {
	c, err := q.members().compile(n.store, n.buckets().list, n.buckets().types)
	if err != nil {
		return nil, err
	}
	if c.IsAll() {
		return n.allBucketStats(ctx)
	}
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

// allBucketStats summarizes all the namespace's buckets without reading their schemas.
func (n *Namespace) allBucketStats(ctx context.Context) (*BucketListStats, error) {
	var stats BucketListStats
	err := n.store.readLong(ctx, func(_ context.Context, conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			if err := n.check(conn); err != nil {
				return err
			}
			unfolded, err := commit.ReadUnfolded(conn)
			if err != nil {
				return err
			}
			_, err = conn.QueryRow(`
SELECT coalesce(sum(object_count), 0), coalesce(sum(total_size), 0), count(*) FROM buckets WHERE namespace = ? AND status <> 'IN_PROGRESS'`, []any{n.num},
				func(r engine.Row) {
					objects, size, count := r.Int(0)+unfolded[n.num].Objects, r.Int(1)+unfolded[n.num].Size, r.Int(2)
					stats = BucketListStats{objects, size, ratio(objects, count), ratio(size, count)}
				})
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return &stats, nil
}

// NamespaceListStats summarizes all the store's namespaces that match q's Filter and
// Search, as in [Store.ListNamespaces], in one snapshot. The rest of q has no effect.
// Errors: [ErrBadRequest].
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

// UploadListStats summarizes all the bucket's uploads that match q's Filter and
// Search, as in [Bucket.ListUploads], in one snapshot. The rest of q has no effect.
//
// Errors: [ErrBadRequest], [ErrNotActive] if the bucket is suspended, [ErrNotFound].
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

// sumUp calls add for each member of a list that matches q's Filter and Search, and
// counts them.
func sumUp[S, T any](ctx context.Context, s *Store, l listing[T], q Query, add func(*S, T)) (sum *S, count int64, err error) {
	c, err := q.members().compile(s, l.list, l.types)
	if err != nil {
		return nil, 0, err
	}
	err = s.readLong(ctx, func(ctx context.Context, conn *engine.Conn) error {
		sum, count = new(S), 0
		return l.each(ctx, conn, c, span{limit: -1}, func(h hit[T]) bool {
			add(sum, h.member)
			count++
			return true
		})
	})
	return sum, count, err
}

func ratio(total, count int64) float64 {
	if count == 0 {
		return 0
	}
	return float64(total) / float64(count)
}
