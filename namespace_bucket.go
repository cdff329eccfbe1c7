package bucketlite

import (
	"context"
	"encoding/json"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/value"
)

// CreateBucket creates a bucket, with its indexes. Errors: [ErrInvalid] with all faults of
// the configuration, [ErrExists] if the name is taken, [ErrNotFound] if the namespace is
// deleted.
func (n *Namespace) CreateBucket(ctx context.Context, config BucketConfig) (*Bucket, error) {
	c, err := n.store.newBucket(config)
	if err != nil {
		return nil, err
	}
	err = n.store.write(ctx, func(tx *commit.Tx) error {
		if err := n.check(tx.Conn); err != nil {
			return err
		}
		if err := checkBucketName(tx, n.id, config.Name, 0); err != nil {
			return err
		}
		return c.create(tx, n)
	})
	if err != nil {
		return nil, err
	}
	return c.created(), nil
}

// ValidateBucket validates a configuration as [Namespace.CreateBucket] does, but does
// not check whether the name is free. It returns a [*ValidationError] with all
// faults, or nil.
func ValidateBucket(config BucketConfig) error {
	_, err := judgeBucket(config)
	return err
}

// A newBucket is a bucket that can be created: its validated configuration in stored form.
type newBucket struct {
	*Bucket // gets its number when it is created

	description, storage  string
	schema, key, metadata any     // JSON, or nil
	indexes               []Index // without a status
	retention             commit.Retention
}

// newBucket validates a configuration and gives the bucket an id.
func (s *Store) newBucket(config BucketConfig) (*newBucket, error) {
	c, err := judgeBucket(config)
	if err != nil {
		return nil, err
	}
	schema, err := json.Marshal(c.def.schema)
	if err != nil {
		return nil, err
	}
	c.schema = string(schema)
	if c.def.unique != nil {
		text, err := json.Marshal(c.def.unique)
		if err != nil {
			return nil, errorf("encode the unique key: %w", err)
		}
		c.key = string(text)
	}
	c.store = s
	c.id, err = s.newID(ident.BucketPrefix)
	return c, err
}

// create writes the bucket into a namespace in which its name is free.
func (c *newBucket) create(tx *commit.Tx, n *Namespace) error {
	wanted, err := n.wantedIndexes(tx)
	if err != nil {
		return err
	}
	now := c.store.now()
	c.num, err = tx.Insert(`
INSERT INTO buckets (status, is_locked, definition, partition, schema_version, rules, clock, object_count, total_size, namespace, id, name, created_at, updated_at,
    storage_class, description, metadata, unique_key, schema)
VALUES (?, 0, 1, 0, 1, ?, 0, 0, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING num`,
		string(StatusActive), int64(c.def.rules), n.num, c.id, c.name, now, now, c.storage, c.description, c.metadata, c.key, c.schema)
	if err != nil {
		return err
	}
	if _, err := tx.Exec("UPDATE buckets SET partition = num WHERE num = ?", c.num); err != nil {
		return err
	}
	tx.Note(string(EventBucketCreated), commit.Place{Namespace: n.id, Bucket: c.id}, "")
	if err := addWanted(tx, c.num, append(c.indexes[:len(c.indexes):len(c.indexes)], wanted...)); err != nil || (c.retention == commit.Retention{}) {
		return err
	}
	state, err := tx.Bucket(c.num)
	if err != nil {
		return err
	}
	return limit(tx, state, c.retention)
}

// created returns the handle once the bucket has been committed.
func (c *newBucket) created() *Bucket {
	c.def.number, c.def.version, c.def.partition = 1, 1, c.num
	c.store.keepDefinition(c.num, c.def)
	return c.Bucket
}

// judgeBucket validates a configuration, fills in its defaults, and compiles its definition.
func judgeBucket(config BucketConfig) (*newBucket, error) {
	def, issues := define(config.Schema, config.UniqueKey)
	for i := range issues {
		issues[i].Path = schemaPath(issues[i].Path)
	}
	if problem := nameIssue(config.Name); problem != "" {
		issues = append(issues, Issue{"bucket_name", ruleName, problem})
	}
	switch config.StorageClass {
	case "":
		config.StorageClass = StorageStandard
	case StorageStandard, StorageNearline, StorageColdline, StorageArchive:
	default:
		issues = append(issues, Issue{"storage_class", "enum", "standard, nearline, coldline or archive expected, got " + value.Show(string(config.StorageClass))})
	}
	c := &newBucket{
		Bucket:      &Bucket{target: target{name: config.Name, def: def}},
		description: config.Description, storage: string(config.StorageClass),
		metadata: encodeInfo("metadata", config.Metadata, &issues),
		indexes:  judgeIndexes(&config, &issues), retention: config.Retention.stored(),
	}
	encodeInfo("description", config.Description, &issues)
	config.Retention.judge(&issues)
	if len(issues) > 0 {
		return nil, newValidationError("bucket "+value.Show(config.Name), issues)
	}
	return c, nil
}

// judgeIndexes returns the indexes that a configuration names, each once.
func judgeIndexes(config *BucketConfig, issues *[]Issue) (indexes []Index) {
	j := &judge{}
	add := func(member string, kind IndexKind, paths []string) {
		for i, path := range paths {
			if problem := checkIndexPath(kind, path); problem != "" {
				j.fault(value.Path{{Name: member}}.Item(i), rulePath, problem)
			}
			indexes = appendMissing(indexes, Index{Kind: kind, Path: path})
		}
	}
	add("indexes", ValueIndex, config.Indexes)
	add("text_indexes", TextIndex, config.TextIndexes)
	if len(indexes) > MaxIndexes {
		j.fault(value.Path{{Name: "indexes"}}, ruleSize, tooManyIndexes(len(indexes)))
	}
	*issues = append(*issues, j.issues()...)
	return indexes
}
