package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// maxObjects is how many objects one request may bring.
const maxObjects = 100

// objectLimits bound an object within a request; inline data of its blobs may nest as
// deep as fields, and stands further down.
var objectLimits = value.Limits{MaxDepth: value.DefaultMaxDepth + formDepth, MaxBytes: 1 << 30}

// objectsStored is the result of the objects of a request. Each is in one of the
// lists.
type objectsStored struct {
	Succeeded      hostedObjects   `json:"succeeded"`
	Failed         []objectFailure `json:"failed"`
	TotalRequested int             `json:"total_requested"`
	SucceededCount int             `json:"succeeded_count"`
	FailedCount    int             `json:"failed_count"`
}

// objectFailure says why an object was not stored.
type objectFailure struct {
	Index int    `json:"object_index"`
	Error string `json:"error"`
	Type  string `json:"error_type"`

	err error
}

// createObjects puts objects one by one: a refused object does not affect the others.
// If all are refused, that is an error. The objects are decoded one by one, since a decoded
// tree of all of them would double the memory.
func (c *call) createObjects() (any, error) {
	params := c.params()
	policy, process := params.policy(), params.boolean("auto_process", false)
	f, err := c.form("objects")
	if err != nil {
		return nil, err
	}
	objects := f.items("objects")
	switch n := len(objects); {
	case n == 0 && c.check() == nil:
		f.fault("objects", "required", "at least one object expected")
	case n > maxObjects:
		f.fault("objects", "maxItems", fmt.Sprintf("at most %d objects expected, got %d", maxObjects, n))
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	b := c.bucket

	var inputs []bucketlite.ObjectInput
	var places []int // of the inputs among the objects
	var stored objectsStored
	reader := c.objectReader()
	for i, text := range objects {
		in, err := reader.read(text)
		if err == nil {
			err = reader.once(&in)
		}
		if err != nil {
			stored.fail(i, err)
			continue
		}
		inputs, places = append(inputs, in), append(places, i)
	}
	result, err := b.PutMany(c.ctx(), inputs, &bucketlite.PutManyOptions{Policy: policy, Process: process})
	if err != nil && (result == nil || len(result.Succeeded) == 0) {
		return nil, err
	}
	for _, success := range result.Succeeded {
		stored.Succeeded = append(stored.Succeeded, success.Object)
		c.warnOfDocuments(success.Object)
	}
	for _, failure := range result.Failed {
		stored.fail(places[failure.Index], failure.Err)
	}
	slices.SortFunc(stored.Failed, func(a, b objectFailure) int { return a.Index - b.Index })
	if len(stored.Succeeded) == 0 {
		return nil, noneStored(stored.Failed)
	}
	if stored.Failed == nil {
		stored.Failed = []objectFailure{}
	}
	stored.TotalRequested = len(objects)
	stored.SucceededCount, stored.FailedCount = len(stored.Succeeded), len(stored.Failed)
	return stored, nil
}

func (s *objectsStored) fail(i int, err error) {
	status, kind := classify(err)
	s.Failed = append(s.Failed, objectFailure{i, message(err, status), kind, err})
}

// A noneStoredError says that none of several objects has been stored, and why.
type noneStoredError struct {
	*failure
	faults formError
}

func (e *noneStoredError) Unwrap() []error { return []error{e.failure, e.faults} }

// noneStored returns the error of a request that stored nothing. If the objects are not the
// cause, as when the bucket is locked, it is the store's error.
func noneStored(failed []objectFailure) error {
	e := &noneStoredError{failure: &failure{
		http.StatusUnprocessableEntity, "ValidationError", "none of the objects was stored", map[string]any{"failed": failed},
	}}
	for _, f := range failed {
		if errors.Is(f.err, bucketlite.ErrOutcomeUnknown) {
			return f.err // it may be stored, whatever is known of the others
		}
	}
	for _, f := range failed {
		if status, _ := classify(f.err); status == http.StatusForbidden || status >= http.StatusInternalServerError {
			return f.err
		}
		at := value.Path{{Name: "objects"}}.Item(f.Index).String()
		reasons := faultsOf(f.err)
		if len(reasons) == 0 {
			reasons = []fault{{"body", bucketlite.Issue{Rule: f.Type, Message: f.Error}}}
		}
		for _, reason := range reasons {
			reason.Path = below(at, reason.Path)
			e.faults = append(e.faults, reason)
		}
	}
	return e
}

// below returns the path of the value at path inside the value at another path.
func below(at, path string) string {
	if path == "" || strings.HasPrefix(path, "[") {
		return at + path
	}
	return at + "." + path
}
