package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

var applyRoutes = []route{
	{"POST /v1/apply", scoped, writes, objectBody, (*call).apply},
}

// The operations of a change.
const (
	opPut    = "put"
	opPatch  = "patch"
	opDelete = "delete"
)

// changeForm is a change of a set as the request has it.
type changeForm struct {
	form     *form
	op       string
	bucket   string // name or id
	objectID string // of a patch or a deletion
	object   []byte // JSON, of a put or a patch
	policy   bucketlite.Policy
	absent   bool
	process  bool
	version  int64 // of if_match, 0 for none
}

// applied is the answer to a change set.
type applied struct {
	Results []appliedChange `json:"results"`
}

// appliedChange is the result of one change. Its object is null after a deletion.
type appliedChange struct {
	Object  any    `json:"object"`
	Created bool   `json:"created"`
	ETag    string `json:"etag,omitempty"`
	BatchID string `json:"batch_id,omitempty"`
}

// changePath is the path of a change in the body.
func changePath(i int) value.Path { return slices.Clip(value.Path{{Name: "changes"}}.Item(i)) }

// apply makes all changes of a set, in buckets of the namespace, or none.
func (c *call) apply() (any, error) {
	f, err := c.form("changes")
	if err != nil {
		return nil, err
	}
	texts := f.items("changes")
	switch n := len(texts); {
	case n == 0 && c.check() == nil:
		f.fault("changes", "required", "at least one change expected")
	case n > bucketlite.MaxChanges:
		f.fault("changes", "maxItems", fmt.Sprintf("at most %d changes expected, got %d", bucketlite.MaxChanges, n))
		texts = nil
	}
	forms := make([]changeForm, len(texts))
	for i, text := range texts {
		forms[i].read(c, i, text)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	changes, err := c.changes(forms)
	if err != nil {
		return nil, err
	}
	results, err := c.h.store.Apply(c.ctx(), changes...)
	if err != nil {
		return nil, unmatched(err)
	}
	answer := applied{make([]appliedChange, len(results))}
	for i, r := range results {
		if r.Object != nil {
			answer.Results[i] = appliedChange{hostedObject{r.Object}, r.Created, etag(r.Object.Version), r.BatchID}
			c.warnOfDocuments(r.Object)
		}
	}
	return answer, nil
}

// read reads a change and records its faults.
func (m *changeForm) read(c *call, i int, text []byte) {
	f := &form{call: c, in: "body", at: changePath(i)}
	m.form = f
	doc, raw, err := value.ParseObject(text, c.formLimits(), "object")
	var syntax *value.SyntaxError
	switch {
	case errors.As(err, &syntax):
		c.faults = append(c.faults, fault{f.in, bucketlite.Issue{Path: value.Below(f.at, syntax.Path), Rule: syntax.Rule, Message: syntax.Message}})
		return
	case doc == nil:
		f.faultAt(f.at, "type", "object expected, got null")
		return
	}
	f.doc, f.raw = doc, raw
	f.only("a change has no such member", "op", "bucket", "object_id", "object", "policy", "if_absent", "if_match", "auto_process")
	m.op, m.bucket = f.choice("op", "", opPut, opPatch, opDelete), f.requiredText("bucket")
	m.object = raw["object"]
	m.policy, m.absent, m.process = f.policy(), f.boolean("if_absent", false), f.boolean("auto_process", false)
	m.version = f.ifMatch()
	switch m.op {
	case opPut:
		m.excludes("object_id", "the object's own member expected")
	case opPatch, opDelete:
		m.objectID = f.requiredText("object_id")
		m.excludes("policy", "only a put has a policy")
		m.excludes("if_absent", "only a put can create an object")
		m.excludes("auto_process", "only a put can process an object")
	}
	switch {
	case m.op == opDelete && m.object != nil:
		f.fault("object", "op", "a deletion has no object")
	case (m.op == opPut || m.op == opPatch) && m.object == nil:
		f.fault("object", "required", "required")
	}
}

// excludes refuses a member that the operation does not have: it might be a guard.
func (m *changeForm) excludes(name, reason string) {
	if m.form.has(name) {
		m.form.fault(name, "op", reason)
	}
}

// ifMatch returns the version of the ETag that an object must have, or 0 for none.
func (f *form) ifMatch() int64 {
	given := f.optionalText("if_match")
	if given == nil {
		return 0
	}
	if tags := etagsOf([]string{*given}); tags != nil {
		if version, ok := (condition{match: tags}).ifVersion(); ok && version != 0 {
			return version
		}
	}
	f.fault("if_match", "format", `the ETag of an object expected, as in "v7" with its quotes, got `+value.Show(*given))
	return 0
}

// changes returns the changes of the forms. A bucket that is not in the namespace is not
// found.
func (c *call) changes(forms []changeForm) ([]bucketlite.Change, error) {
	readers := make(map[string]*objectReader) // by the buckets' names
	changes := make([]bucketlite.Change, len(forms))
	for i := range forms {
		m := &forms[i]
		r := readers[m.bucket]
		if r == nil {
			b, err := c.ns.Bucket(c.ctx(), m.bucket)
			if errors.Is(err, bucketlite.ErrNotFound) {
				err = &bucketlite.ChangeError{Index: i, Err: err}
			}
			if err != nil {
				return nil, err
			}
			r = &objectReader{call: c, to: b, ownIDs: true}
			readers[m.bucket] = r
		}
		var err error
		if changes[i], err = m.change(r); err != nil {
			return nil, err
		}
	}
	return changes, c.check()
}

// change returns the change of the form. It records the faults of the object.
func (m *changeForm) change(r *objectReader) (change bucketlite.Change, err error) {
	if m.op == opDelete {
		return r.to.DeleteChange(m.objectID, &bucketlite.DeleteObjectOptions{IfVersion: m.version}), nil
	}
	r.object = m.objectID
	in, err := r.read(m.object)
	if err == nil {
		err = r.once(&in)
	}
	var invalid *bucketlite.ValidationError
	switch {
	case errors.As(err, &invalid):
		m.form.take("object", err)
		return change, nil
	case err != nil:
		return change, err
	}
	if m.op == opPatch {
		return r.to.PatchChange(m.objectID, in, &bucketlite.PatchOptions{IfVersion: m.version}), nil
	}
	return r.to.PutChange(in, &bucketlite.PutOptions{Policy: m.policy, IfAbsent: m.absent, IfVersion: m.version, Process: m.process}), nil
}

// unmatched returns err, or if it says that an object has another version than if_match
// asked for, the failure that HTTP has for that.
func unmatched(err error) error {
	var at *bucketlite.ChangeError
	var conflict *bucketlite.ConflictError
	if !errors.As(err, &at) || !errors.As(err, &conflict) || !conflict.Version {
		return err
	}
	return &failure{http.StatusPreconditionFailed, "PreconditionFailedError", message(err, http.StatusPreconditionFailed),
		map[string]any{"kind": kindVersion, "change_index": at.Index}}
}
