package bucketlite

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/ident"
	"github.com/bucketlite/bucketlite/internal/value"
)

// NamespaceConfig describes a new namespace.
type NamespaceConfig struct {
	// Name is unique in the store. The rules of [BucketConfig].Name apply.
	Name string `json:"namespace_name"`
	// Description is free text for people.
	Description string `json:"description,omitempty"`
	// FeatureExtractors and PayloadIndexes are stored and returned with all their
	// members. They must conform to the hosted service's models, so that its clients
	// can read them: an extractor is {"feature_extractor_name", "version", "params"}, an
	// index {"field_name", "type", "field_schema", "is_protected"}, of which the first
	// two are required.
	//
	// A payload index makes an index in every bucket of the namespace: types keyword,
	// integer, float, bool, datetime and uuid as [Bucket.EnsureIndex] does, type text as
	// [Bucket.EnsureTextIndex] does. The type geo, and names that are no field path,
	// have no effect.
	FeatureExtractors []any `json:"feature_extractors,omitempty"`
	PayloadIndexes    []any `json:"payload_indexes,omitempty"`
}

// NamespaceInfo is a snapshot of a namespace. Its JSON form is that of the hosted
// service's NamespaceModel.
type NamespaceInfo struct {
	ID                string    `json:"namespace_id"`
	Name              string    `json:"namespace_name"`
	Description       string    `json:"description,omitempty"`
	FeatureExtractors []any     `json:"feature_extractors"`
	PayloadIndexes    []any     `json:"payload_indexes"`
	BucketCount       int64     `json:"bucket_count"` // without those being deleted
	ObjectCount       int64     `json:"object_count"` // in those buckets
	CreatedAt         time.Time `json:"created_at"`
	UpdatedAt         time.Time `json:"updated_at"`

	num int64
}

// NamespaceUpdate holds the changes to a namespace. A nil field leaves its value as
// it is.
type NamespaceUpdate struct {
	Name           *string `json:"namespace_name"`
	Description    *string `json:"description"`
	PayloadIndexes []any   `json:"payload_indexes"`
}

// Namespace is a handle on a group of buckets, isolated from other namespaces. It is
// safe for concurrent use. Once the namespace has been deleted, its methods return
// [ErrNotFound].
type Namespace struct {
	store *Store
	num   int64
	id    string
	name  string
}

// ID returns the namespace's id.
func (n *Namespace) ID() string { return n.id }

// Name returns the namespace's name at the time the handle was made. [Namespace.Info]
// returns the current name.
func (n *Namespace) Name() string { return n.name }

// String returns the namespace's name in the form used in messages.
func (n *Namespace) String() string { return fmt.Sprintf("namespace %q", n.name) }

// CreateNamespace creates a namespace. Errors: [ErrInvalid], and [ErrExists] if the
// name is taken.
func (s *Store) CreateNamespace(ctx context.Context, config NamespaceConfig) (*Namespace, error) {
	c, err := s.newNamespace(config)
	if err != nil {
		return nil, err
	}
	err = s.write(ctx, func(tx *commit.Tx) error {
		if err := s.checkNamespaceName(tx, config.Name, 0); err != nil {
			return err
		}
		return c.create(tx)
	})
	if err != nil {
		return nil, err
	}
	return c.Namespace, nil
}

// A newNamespace is a namespace that can be created: its validated configuration in stored
// form.
type newNamespace struct {
	*Namespace // gets its number when it is created

	description         string
	extractors, indexes any // JSON, or nil
}

// newNamespace validates a configuration and gives the namespace an id.
func (s *Store) newNamespace(config NamespaceConfig) (*newNamespace, error) {
	c := &newNamespace{Namespace: &Namespace{store: s, name: config.Name}, description: config.Description}
	var err error
	if c.extractors, c.indexes, err = judgeNamespace(&config); err != nil {
		return nil, err
	}
	c.id, err = s.newID(ident.NamespacePrefix)
	return c, err
}

// create writes the namespace, whose name must be free.
func (c *newNamespace) create(tx *commit.Tx) (err error) {
	now := c.store.now()
	c.num, err = tx.Insert(`
INSERT INTO namespaces (id, name, description, feature_extractors, payload_indexes, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING num`, c.id, c.name, c.description, c.extractors, c.indexes, now, now)
	tx.Note(string(EventNamespaceCreated), commit.Place{Namespace: c.id}, "")
	return err
}

// ValidateNamespace validates a configuration as [Store.CreateNamespace] does, but does
// not check whether the name is free. It returns a [*ValidationError] with all faults, or
// nil.
func ValidateNamespace(config NamespaceConfig) error {
	_, _, err := judgeNamespace(&config)
	return err
}

// judgeNamespace validates a configuration, and returns the stored form of its feature
// extractors and payload indexes.
func judgeNamespace(config *NamespaceConfig) (extractors, indexes any, err error) {
	var issues []Issue
	if problem := nameIssue(config.Name); problem != "" {
		issues = append(issues, Issue{"namespace_name", ruleName, problem})
	}
	encodeInfo("description", config.Description, &issues)
	extractors = encodeExtractors(config.FeatureExtractors, &issues)
	indexes = encodePayloadIndexes(config.PayloadIndexes, &issues)
	if len(issues) > 0 {
		return nil, nil, newValidationError("namespace "+value.Show(config.Name), issues)
	}
	return extractors, indexes, nil
}

// checkNamespaceName returns an error if another namespace, not being deleted, has
// the name.
func (s *Store) checkNamespaceName(tx *commit.Tx, name string, except int64) error {
	taken := ""
	_, err := tx.QueryRow("SELECT id FROM namespaces WHERE name = ? AND delete_task IS NULL AND num <> ?",
		[]any{name, except}, func(r engine.Row) { taken = r.Text(0) })
	if err != nil || taken == "" {
		return err
	}
	return &ConflictError{Subject: "store", Reason: fmt.Sprintf("namespace %q already exists", name), ExistingID: taken, Exists: true}
}

// Namespace returns a handle on the namespace with the name or id. A namespace that
// is being deleted is not found. Errors: [ErrNotFound].
func (s *Store) Namespace(ctx context.Context, nameOrID string) (*Namespace, error) {
	where := "name = ?"
	if ident.Is(ident.NamespacePrefix, nameOrID) {
		where = "id = ?"
	}
	n := &Namespace{store: s}
	err := s.read(ctx, func(c *engine.Conn) error {
		ok, err := c.QueryRow("SELECT num, id, name FROM namespaces WHERE delete_task IS NULL AND "+where,
			[]any{nameOrID}, func(r engine.Row) { n.num, n.id, n.name = r.Int(0), r.Text(1), r.Text(2) })
		if err == nil && !ok {
			err = notFound("namespace %s", value.Show(nameOrID))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}

// check returns ErrNotFound if the namespace is deleted or being deleted.
func (n *Namespace) check(c *engine.Conn) error {
	found, err := c.QueryRow("SELECT 1 FROM namespaces WHERE num = ? AND delete_task IS NULL", []any{n.num}, nil)
	if err == nil && !found {
		err = notFound("%s", n)
	}
	return err
}

// Info returns the namespace's current state. Errors: [ErrNotFound].
func (n *Namespace) Info(ctx context.Context) (*NamespaceInfo, error) {
	var info *NamespaceInfo
	err := n.store.read(ctx, func(c *engine.Conn) error {
		info = nil
		return c.Snapshot(func() error {
			return selectNamespaces(c, "n.num = ?1 AND n.delete_task IS NULL", []any{n.num}, func(i *NamespaceInfo, _ int64) error { info = i; return nil })
		})
	})
	if err == nil && info == nil {
		err = notFound("%s", n)
	}
	return info, err
}

// Namespaces iterates over the store's namespaces that match q.
func (s *Store) Namespaces(ctx context.Context, q Query) iter.Seq2[*NamespaceInfo, error] {
	return each(ctx, s, q, s.ListNamespaces)
}

// ListNamespaces returns one page of the store's namespaces that match q. Query paths
// are those of [NamespaceInfo]'s JSON form, such as namespace_name, bucket_count,
// object_count and created_at. Search covers namespace_id, namespace_name and
// description. Errors: [ErrBadRequest].
func (s *Store) ListNamespaces(ctx context.Context, q Query) (*Page[*NamespaceInfo], error) {
	return s.namespaces().page(ctx, s, q)
}

func (s *Store) namespaces() listing[*NamespaceInfo] {
	return listing[*NamespaceInfo]{
		list: list{kind: "namespaces"}, types: timesIn("created_at", "updated_at"),
		texts: []string{"namespace_id", "namespace_name", "description"},
		num:   func(i *NamespaceInfo) int64 { return i.num },
		read: func(c *engine.Conn, s span, each func(*NamespaceInfo, int64) error) error {
			return selectNamespaces(c, "n.delete_task IS NULL AND "+s.within("n.num", "?1")+s.order("n.num")+" LIMIT ?2", []any{s.start(), s.limit}, each)
		},
		count: counting("SELECT count(*) FROM namespaces WHERE delete_task IS NULL"),
	}
}

// selectNamespaces reads the namespaces that satisfy an SQL condition. The caller has a
// snapshot.
func selectNamespaces(c *engine.Conn, where string, args []any, each func(*NamespaceInfo, int64) error) error {
	unfolded, err := commit.ReadUnfolded(c)
	if err != nil {
		return err
	}
	return c.Query(`
SELECT n.num, n.id, n.name, n.description, n.feature_extractors, n.payload_indexes, n.created_at, n.updated_at,
    (SELECT count(*) FROM buckets b WHERE b.namespace = n.num AND b.status <> 'IN_PROGRESS'),
    (SELECT coalesce(sum(b.object_count), 0) FROM buckets b WHERE b.namespace = n.num AND b.status <> 'IN_PROGRESS')
FROM namespaces n WHERE `+where, args, func(r engine.Row) error {
		info := &NamespaceInfo{
			num: r.Int(0), ID: r.Text(1), Name: r.Text(2), Description: r.Text(3),
			CreatedAt: timeOf(r.Int(6)), UpdatedAt: timeOf(r.Int(7)), BucketCount: r.Int(8),
			ObjectCount: r.Int(9) + unfolded[r.Int(0)].Objects,
		}
		err := decodeInfo(r, 4, &info.FeatureExtractors)
		if err == nil {
			err = decodeInfo(r, 5, &info.PayloadIndexes)
		}
		if err != nil {
			return errorf("namespace %q: %w: %v", info.Name, ErrCorrupt, err)
		}
		if info.FeatureExtractors == nil {
			info.FeatureExtractors = []any{}
		}
		if info.PayloadIndexes == nil {
			info.PayloadIndexes = []any{}
		}
		return each(info, r.Size())
	})
}

// Update changes the namespace's name, description or payload indexes, and returns
// its new state. New indexes are built for all its buckets, in the background.
// Indexes missing from the new list stay; see [Bucket.DropIndex]. Errors:
// [ErrInvalid], [ErrExists], [ErrNotFound].
func (n *Namespace) Update(ctx context.Context, u NamespaceUpdate) (*NamespaceInfo, error) {
	var issues []Issue
	if u.Name != nil && *u.Name != n.name { // an old namespace may keep a name that a new one may not have
		if problem := nameIssue(*u.Name); problem != "" {
			issues = append(issues, Issue{"namespace_name", ruleName, problem})
		}
	}
	if u.Description != nil {
		encodeInfo("description", *u.Description, &issues)
	}
	indexes := encodePayloadIndexes(u.PayloadIndexes, &issues)
	if len(issues) > 0 {
		return nil, newValidationError(n.String(), issues)
	}
	err := n.store.write(ctx, func(tx *commit.Tx) error {
		if err := n.check(tx.Conn); err != nil {
			return err
		}
		if u.Name != nil {
			if err := n.store.checkNamespaceName(tx, *u.Name, n.num); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`
UPDATE namespaces SET name = coalesce(?, name), description = coalesce(?, description), payload_indexes = coalesce(?, payload_indexes), updated_at = ?
WHERE num = ?`, optional(u.Name), optional(u.Description), indexes, n.store.now(), n.num)
		tx.Note(string(EventNamespaceUpdated), commit.Place{Namespace: n.id}, "")
		if err != nil || u.PayloadIndexes == nil {
			return err
		}
		wanted, err := n.wantedIndexes(tx)
		if err != nil {
			return err
		}
		return n.addWantedToAll(tx, wanted)
	})
	if err != nil {
		return nil, err
	}
	return n.Info(ctx)
}
