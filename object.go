package bucketlite

import (
	"time"

	"github.com/bucketlite/bucketlite/internal/value"
)

// Object is a stored object. It belongs to the caller.
//
// The JSON form is that of the hosted service's ObjectResponse: the user's fields and
// the system's members together at the root. If a query had a [Query].Select, then
// Fields, Blobs and the JSON form hold only the selected members.
type Object struct {
	// ID is unique in the bucket.
	ID string
	// BucketID is the bucket's id.
	BucketID string
	// KeyPrefix is the storage path given by the user, or empty.
	KeyPrefix string
	// Fields are the user's fields. Numbers are [json.Number], exactly as given.
	Fields map[string]any
	// Blobs are the object's blobs, in the given order.
	Blobs []Blob
	// Status is StatusDraft until the object is processed, and again after its
	// content changes.
	Status Status
	// Error is the reason why processing failed, or empty.
	Error string
	// CreatedAt and UpdatedAt are in UTC, with microsecond precision.
	CreatedAt, UpdatedAt time.Time
	// ExpiresAt is the time at which the store deletes the object by itself, or zero; see
	// [ObjectInput].ExpiresAt. Its JSON name is "x-expires-at".
	ExpiresAt time.Time
	// Version increases with every change of the object. It is unique among all
	// states of all objects of the bucket, so it can guard an update; see
	// [PutOptions].IfVersion.
	Version int64
	// Size is the size of the fields as compact JSON, plus the sizes of the blobs'
	// stored content and inline data, in bytes.
	Size int64

	seq    int64           // position in the order of creation
	chosen value.Selection // members that a query selected; nil for all
}

// ObjectInput is the input of Put and Patch.
//
// The JSON form is that of the hosted service's CreateObjectRequest: fields at the
// root, together with blobs, key_prefix, object_id and x-expires-at. An [Object]'s JSON form is
// valid too, and keeps the object's blobs.
type ObjectInput struct {
	// ID is the object's id: 1 to 128 of A–Z a–z 0–9 _ -. If it is empty, a new
	// object gets a new id, and an object found by its unique key keeps its own.
	ID string
	// KeyPrefix is a storage path, stored and returned unchanged. Empty keeps the
	// stored one.
	KeyPrefix string
	// Fields are the user's fields. Values may have any Go type that has a JSON form,
	// except []byte: use a blob. A system member of [Object]'s JSON form is ignored
	// if it equals the stored value, and refused otherwise. Put and Patch do not
	// change the map.
	Fields map[string]any
	// Blobs are the object's blobs. When Put replaces an object, nil keeps the stored
	// blobs, and any other list, even an empty one, replaces them. Patch replaces the
	// blobs of the properties that Blobs names, and keeps the others.
	Blobs []BlobInput
	// ExpiresAt is the time at which the store deletes the object; see [Retention]. It
	// has microsecond precision, and must be in the future. When Put replaces an object,
	// zero removes the stored time, so that the new content does not expire. Patch keeps
	// the stored time if ExpiresAt is zero. A change of the time alone gives the object a
	// new version and keeps its status. Its JSON name is "x-expires-at".
	ExpiresAt time.Time
	// NeverExpires makes Patch remove the stored ExpiresAt. Its JSON form is the value
	// "never" of "x-expires-at". NeverExpires and ExpiresAt exclude each other.
	NeverExpires bool
	// SkipDuplicates keeps stored blobs, with their ids and metadata, that would be
	// replaced by equal bytes: a blob whose content equals that of a stored blob of
	// the same property is skipped, and the stored blob takes its place. Each stored
	// blob does so once. References and inline data do not count as content.
	SkipDuplicates bool
	// KeepReference stores URLs as references even if there is an [Options].Fetcher.
	// Its JSON name is "canonicalize_source", with the opposite meaning.
	KeepReference bool
	// Refetch fetches every URL. Without it, a URL that the stored object has for the
	// same property, with content, keeps that content. Its JSON name is
	// "force_remirror".
	Refetch bool
}

// UnmarshalJSON decodes the JSON form strictly. Duplicate members, lone surrogates,
// NUL, invalid UTF-8 and numbers out of range are refused with a [*ValidationError]
// that names the path. The text is UTF-8, or begins with a byte order mark: that of
// UTF-8 is ignored, and UTF-16 is converted.
func (in *ObjectInput) UnmarshalJSON(data []byte) error {
	v, err := value.Parse(data, value.Limits{MaxDepth: objectFormLimits.MaxDepth, MaxBytes: maxInputBytes})
	if err != nil {
		return &ValidationError{Subject: "object", Issues: syntaxIssues(nil, err)}
	}
	doc, ok := v.(map[string]any)
	if !ok {
		return &ValidationError{Subject: "object", Issues: []Issue{{"", ruleType, "object expected, got " + value.Show(v)}}}
	}
	j := &judge{}
	*in = ObjectInput{Fields: doc}
	in.ID, _ = takeString(j, doc, "object_id")
	in.KeyPrefix, _ = takeString(j, doc, "key_prefix")
	in.takeExpiry(j, doc)
	in.SkipDuplicates = orElse(takeBool(j, doc, "skip_duplicates", nil), false)
	in.KeepReference = !orElse(takeBool(j, doc, "canonicalize_source", nil), true)
	in.Refetch = orElse(takeBool(j, doc, "force_remirror", nil), false)
	if blobs, ok := doc["blobs"]; ok && !areStored(blobs) {
		delete(doc, "blobs")
		in.Blobs = blobInputs(j, blobs)
	}
	return j.err("object")
}

// areStored reports whether v lists blobs in [Object]'s form. Such blobs are compared
// with the stored ones, not stored.
func areStored(v any) bool {
	list, _ := v.([]any)
	for _, item := range list {
		blob, _ := item.(map[string]any)
		if blob["blob_id"] == nil || blob["data"] != nil || blob["upload_id"] != nil {
			return false
		}
	}
	return len(list) > 0
}

// takeString removes a system member that is a string or null from doc.
func takeString(j *judge, doc map[string]any, name string) (string, bool) {
	v, ok := doc[name]
	if !ok {
		return "", false
	}
	delete(doc, name)
	s, ok := v.(string)
	if !ok && v != nil {
		j.fault(value.Path{{Name: name}}, ruleType, "string expected, got "+value.Show(v))
	}
	return s, ok
}
