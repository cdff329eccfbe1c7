package bucketlite

import (
	"cmp"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Policy decides between creating and replacing an object in Put.
type Policy string

// The policies. The empty Policy means the bucket's default.
const (
	// Insert creates an object. If the key is taken, the error is [ErrExists].
	Insert Policy = "insert"
	// Update replaces the object with the key. If the key is free, the error is
	// [ErrNotFound].
	Update Policy = "update"
	// Upsert replaces the object with the key, or creates one if the key is free.
	Upsert Policy = "upsert"
)

func (p Policy) known() bool { return p == Insert || p == Update || p == Upsert }

// UniqueKey names the fields whose values together identify an object of the bucket.
// It is fixed when the bucket is created.
type UniqueKey struct {
	// Fields are names of scalar fields: no objects, arrays or files. Their order
	// does not matter. They are required in every object, declared so or not. A
	// string in the key has 1 to 255 characters.
	Fields []string `json:"fields"`
	// DefaultPolicy applies to calls that set no policy. If it is empty too, such
	// calls return [ErrBadRequest].
	DefaultPolicy Policy `json:"default_policy,omitempty"`
}

// keyPath is the path of a unique key in a bucket's configuration.
var keyPath = value.Path{{Name: "unique_key"}}

// judge reports the faults of the key that do not depend on the schema.
func (k *UniqueKey) judge(report value.Report) {
	if len(k.Fields) == 0 {
		report(keyPath.Member("fields"), ruleKey, "at least one field expected")
	}
	if p := k.DefaultPolicy; p != "" && !p.known() {
		report(keyPath.Member("default_policy"), ruleKey, "insert, update or upsert expected, got "+value.Show(string(p)))
	}
}

// policy returns the policy for a call that asks for one, or for the default if asked
// is "".
func (k *UniqueKey) policy(asked Policy) (Policy, error) {
	p := cmp.Or(asked, k.DefaultPolicy)
	switch {
	case p.known():
		return p, nil
	case p == "":
		return "", badRequest("policy: the bucket has a unique key without a default policy: insert, update or upsert expected")
	}
	return "", badRequest("policy: insert, update or upsert expected, got %s", value.Show(string(p)))
}

// equal reports whether two unique keys have the same policy, and the same fields in
// any order.
func (k *UniqueKey) equal(o *UniqueKey) bool {
	if k == nil || o == nil {
		return k == o
	}
	return k.DefaultPolicy == o.DefaultPolicy &&
		slices.Equal(slices.Sorted(slices.Values(k.Fields)), slices.Sorted(slices.Values(o.Fields)))
}

// describe returns a readable form of the key, also of none.
func (k *UniqueKey) describe() string {
	if k == nil {
		return "none"
	}
	fields := strings.Join(slices.Sorted(slices.Values(k.Fields)), ", ")
	if k.DefaultPolicy == "" {
		return fields
	}
	return fields + " with the policy " + string(k.DefaultPolicy)
}

// keyHolder returns the id of the bucket's object with an encoded unique key, or ""
// if there is none.
func keyHolder(c *engine.Conn, partition int64, key []byte) (id string, err error) {
	_, err = c.QueryRow("SELECT id FROM object WHERE partition = ? AND key = ?", []any{partition, key}, func(r engine.Row) { id = r.Text(0) })
	return id, err
}
