package bucketlite

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/value"
)

// StorageClass is a hint for where objects are kept. The store records and returns
// it, and otherwise ignores it.
type StorageClass string

// The storage classes.
const (
	StorageStandard StorageClass = "standard" // the default
	StorageNearline StorageClass = "nearline"
	StorageColdline StorageClass = "coldline"
	StorageArchive  StorageClass = "archive"
)

// BucketConfig describes a new bucket.
type BucketConfig struct {
	// Name is unique in the namespace, and compared exactly. It has 1 to 255
	// characters, no control characters, and no spaces at either end. It is not "." or
	// "..", does not look like an id, and contains no percent escape of a character
	// beyond ASCII, such as "%C3%A9".
	Name string `json:"bucket_name"`
	// Description is free text for people.
	Description string `json:"description,omitempty"`
	// Schema declares the objects' fields. [Bucket.ChangeSchema] changes it.
	Schema Schema `json:"bucket_schema"`
	// UniqueKey, unless nil, names fields that identify an object. It cannot be
	// changed later.
	UniqueKey *UniqueKey `json:"unique_key,omitempty"`
	// Metadata is stored and returned unchanged.
	Metadata map[string]any `json:"metadata,omitempty"`
	// StorageClass is stored and returned. Default: StorageStandard.
	StorageClass StorageClass `json:"storage_class,omitempty"`
	// Indexes and TextIndexes are the paths of indexes that are created together with the
	// bucket, as by [Bucket.EnsureIndex] and [Bucket.EnsureTextIndex]. The empty path in
	// TextIndexes is the index of all texts.
	Indexes     []string `json:"indexes,omitempty"`
	TextIndexes []string `json:"text_indexes,omitempty"`
	// Retention limits the objects that the bucket keeps. [Bucket.Update] changes it.
	// Default: no limits.
	Retention Retention `json:"retention,omitzero"`
}

// BucketInfo is a snapshot of a bucket. Its JSON form is that of the hosted service's
// BucketResponse.
type BucketInfo struct {
	ID          string `json:"bucket_id"`
	Name        string `json:"bucket_name"`
	Description string `json:"description,omitempty"`
	Schema      Schema `json:"bucket_schema"`
	// SchemaVersion is 1 for the schema that the bucket was created with, and one more
	// after each change of the schema.
	SchemaVersion int64          `json:"schema_version"`
	UniqueKey     *UniqueKey     `json:"unique_key,omitempty"`
	Metadata      map[string]any `json:"metadata"`
	StorageClass  StorageClass   `json:"storage_class"`
	Status        Status         `json:"status"`
	Locked        bool           `json:"is_locked"`
	CreatedAt     time.Time      `json:"created_at"`
	UpdatedAt     time.Time      `json:"updated_at"`
	Retention     Retention      `json:"retention,omitzero"`
	Stats

	num int64
}

// BucketUpdate holds the changes to a bucket. A nil field leaves its value as it is.
type BucketUpdate struct {
	Name        *string        `json:"bucket_name"`
	Description *string        `json:"description"`
	Metadata    map[string]any `json:"metadata"`  // replaces the old metadata as a whole
	Retention   *Retention     `json:"retention"` // replaces all limits
	// Schema replaces the schema, as [Bucket.ChangeSchema] does with SchemaOptions.
	Schema *Schema `json:"bucket_schema"`
	// UniqueKey cannot be changed. A value equal to the bucket's is accepted, and any
	// other is refused.
	UniqueKey *UniqueKey `json:"unique_key"`
	// SchemaOptions are those of a change of the schema; nil means none.
	SchemaOptions *SchemaChangeOptions `json:"-"`
}

// Bucket is a handle on a collection of objects that conform to one schema. It is
// safe for concurrent use. Once the bucket has been deleted, its methods return
// [ErrNotFound].
type Bucket struct {
	store *Store
	target
}

// target identifies a bucket to the code below the handles.
type target struct {
	num  int64 // buckets.num
	id   string
	name string
	def  *definition
}

// String returns the bucket's name in the form used in messages.
func (t *target) String() string { return fmt.Sprintf("bucket %q", t.name) }

// indexed returns what package index has to know of the bucket.
func (t *target) indexed() index.Bucket {
	return index.Bucket{Num: t.num, Partition: t.def.partition, ID: t.id, Name: t.name, Plan: t.def.plan}
}

// types returns the declared type of a path in the bucket's objects.
func (t *target) types(path []string) query.Type { return index.TypeOf(t.def.plan, path) }

// handle returns a handle on a target.
func (s *Store) handle(t target) *Bucket { return &Bucket{s, t} }

// ID returns the bucket's id.
func (b *Bucket) ID() string { return b.id }

// Name returns the bucket's name at the time the handle was made. [Bucket.Info]
// returns the current name.
func (b *Bucket) Name() string { return b.name }

// String returns the bucket's name in the form used in messages.
func (b *Bucket) String() string { return b.target.String() }

// refusal returns the faults of an input for the bucket as an error, or nil.
func (b *Bucket) refusal(j *judge) error {
	if !j.Any() {
		return nil // saves formatting the name
	}
	return j.err(b.String())
}

// schemaPath converts a path in a definition to one in a configuration.
func schemaPath(path string) string {
	if path == "" {
		return "bucket_schema"
	}
	if len(path) >= len("unique_key") && path[:len("unique_key")] == "unique_key" {
		return path
	}
	return "bucket_schema." + path
}

// infoLimits limit the description and the metadata of a namespace or a bucket.
var infoLimits = value.Limits{MaxBytes: 1 << 20}

// encodeInfo returns v in stored form: compact JSON, or nil for a nil map or list.
func encodeInfo(name string, v any, issues *[]Issue) any {
	plain, ok := value.Plain(v, value.Path{{Name: name}}, infoLimits, appendTo(issues))
	if !ok {
		return nil
	}
	switch plain := plain.(type) {
	case map[string]any:
		if plain == nil {
			return nil
		}
	case []any:
		if plain == nil {
			return nil
		}
	}
	return string(value.Append(nil, plain))
}

// checkBucketName returns an error if another bucket, not being deleted, has the
// name.
func checkBucketName(tx *commit.Tx, namespace, name string, except int64) error {
	owner, taken := "", ""
	_, err := tx.QueryRow("SELECT n.name, b.id FROM namespaces n JOIN buckets b ON b.namespace = n.num WHERE n.id = ? AND b.name = ? AND b.status <> 'IN_PROGRESS' AND b.num <> ?",
		[]any{namespace, name, except}, func(r engine.Row) { owner, taken = r.Text(0), r.Text(1) })
	if err != nil || taken == "" {
		return err
	}
	return &ConflictError{Subject: fmt.Sprintf("namespace %q", owner), Reason: fmt.Sprintf("bucket %q already exists", name), ExistingID: taken, Exists: true}
}

// Bucket returns a handle on the bucket with the name or id. A bucket that is being
// deleted is found by its id only. Errors: [ErrNotFound].
func (n *Namespace) Bucket(ctx context.Context, nameOrID string) (*Bucket, error) {
	b := &Bucket{store: n.store}
	var stored storedDefinition
	err := n.store.read(ctx, func(c *engine.Conn) error {
		ok, err := c.QueryRow("SELECT b.num, b.id, b.name FROM buckets b WHERE b.namespace = ?1 AND "+bucketNamed(nameOrID),
			[]any{n.num, nameOrID}, func(r engine.Row) { b.num, b.id, b.name = r.Int(0), r.Text(1), r.Text(2) })
		if err == nil && !ok {
			err = notFound("%s: bucket %s", n, value.Show(nameOrID))
		}
		if err == nil {
			stored, err = b.readDefinition(c)
		}
		return err
	})
	if err == nil {
		err = b.define(stored)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// bucketNumbered returns a handle on the bucket with the number, or [ErrNotFound].
func (s *Store) bucketNumbered(ctx context.Context, num int64) (*Bucket, error) {
	b := s.handle(target{num: num})
	var stored storedDefinition
	err := s.read(ctx, func(c *engine.Conn) error {
		found, err := c.QueryRow("SELECT id, name FROM buckets WHERE num = ?", []any{num}, func(r engine.Row) { b.id, b.name = r.Text(0), r.Text(1) })
		if err == nil && !found {
			err = notFound("the bucket")
		}
		if err == nil {
			stored, err = b.readDefinition(c)
		}
		return err
	})
	if err == nil {
		err = b.define(stored)
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// bucketNamed returns an SQL condition that buckets AS b have the name or id ?2.
func bucketNamed(nameOrID string) string {
	if ident.Is(ident.BucketPrefix, nameOrID) {
		return "b.id = ?2"
	}
	return "b.name = ?2 AND b.status <> 'IN_PROGRESS'"
}

// Info returns the bucket's current state, including its statistics.
func (b *Bucket) Info(ctx context.Context) (*BucketInfo, error) {
	var info *BucketInfo
	err := b.store.read(ctx, func(c *engine.Conn) error {
		info = nil
		return selectBuckets(c, "b.num = ?1", []any{b.num}, func(i *BucketInfo, _ int64) error { info = i; return nil })
	})
	if err == nil && info == nil {
		err = b.gone()
	}
	return info, err
}

// Buckets iterates over the namespace's buckets that match q. Buckets that are being
// deleted are left out.
func (n *Namespace) Buckets(ctx context.Context, q Query) iter.Seq2[*BucketInfo, error] {
	return each(ctx, n.store, q, n.ListBuckets)
}

// ListBuckets returns one page of the namespace's buckets that match q. Buckets that
// are being deleted are left out. Query paths are those of [BucketInfo]'s JSON form,
// such as bucket_name, status, is_locked, object_count, created_at and metadata.team.
// Search covers bucket_id, bucket_name, description and metadata.
//
// Errors: [ErrBadRequest], [ErrNotFound].
func (n *Namespace) ListBuckets(ctx context.Context, q Query) (*Page[*BucketInfo], error) {
	return n.buckets().page(ctx, n.store, q)
}

func (n *Namespace) buckets() listing[*BucketInfo] {
	return listing[*BucketInfo]{
		list: list{kind: "buckets", owner: n.num}, types: timesIn("created_at", "updated_at", "last_upload_at", "stats_updated_at"),
		texts: []string{"bucket_id", "bucket_name", "description", "metadata"},
		num:   func(i *BucketInfo) int64 { return i.num },
		read: func(c *engine.Conn, s span, each func(*BucketInfo, int64) error) error {
			if err := n.check(c); err != nil {
				return err
			}
			return selectBuckets(c, "b.namespace = ?1 AND b.status <> 'IN_PROGRESS' AND "+s.within("b.num", "?2")+s.order("b.num")+" LIMIT ?3",
				[]any{n.num, s.start(), s.limit}, each)
		},
		count: counting("SELECT count(*) FROM buckets WHERE namespace = ? AND status <> 'IN_PROGRESS'", n.num),
	}
}

// selectBuckets reads the buckets that satisfy an SQL condition. Each is read as one
// row, so that its statistics are consistent.
func selectBuckets(c *engine.Conn, where string, args []any, each func(*BucketInfo, int64) error) error {
	return c.Query("SELECT b.num, b.id, b.name, b.description, b.schema, b.unique_key, b.metadata, b.storage_class, b.status, b.is_locked, b.created_at, b.updated_at, b.schema_version, r.max_age, r.max_objects, r.max_bytes, "+
		statsColumns+" FROM buckets b "+joinStats+" LEFT JOIN retention r ON r.bucket = b.num WHERE "+where, args, func(r engine.Row) error {
		info := &BucketInfo{
			num: r.Int(0), ID: r.Text(1), Name: r.Text(2), Description: r.Text(3),
			StorageClass: StorageClass(r.Text(7)), Status: Status(r.Text(8)), Locked: r.Int(9) != 0,
			CreatedAt: timeOf(r.Int(10)), UpdatedAt: timeOf(r.Int(11)), SchemaVersion: r.Int(12),
			Retention: retentionOf(commit.Retention{MaxAge: r.Int(13), MaxObjects: r.Int(14), MaxBytes: r.Int(15)}),
		}
		var err error
		if info.Stats, err = scanStats(r, 16); err != nil {
			return err
		}
		info.Schema, err = storedSchema(r.Text(4))
		if err == nil && !r.Null(5) {
			err = json.Unmarshal([]byte(r.Text(5)), &info.UniqueKey)
		}
		if err == nil {
			err = decodeInfo(r, 6, &info.Metadata)
		}
		if err != nil {
			return errorf("bucket %q: %w: %v", info.Name, ErrCorrupt, err)
		}
		if info.Metadata == nil {
			info.Metadata = map[string]any{}
		}
		return each(info, r.Size())
	})
}

// UniqueKey returns a copy of the bucket's unique key, or nil if it has none.
func (b *Bucket) UniqueKey() *UniqueKey {
	if b.def.unique == nil {
		return nil
	}
	key := *b.def.unique
	key.Fields = slices.Clone(key.Fields)
	return &key
}
