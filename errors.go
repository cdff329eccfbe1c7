package bucketlite

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/query"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// The sentinel errors. Match them with [errors.Is]. Each has one meaning; the number
// in parentheses is the HTTP status that the hosted service answers with.
var (
	// ErrInvalid (422): the input violates the schema, or is malformed. The error is
	// a [*ValidationError].
	ErrInvalid = errors.New("invalid")
	// ErrBadRequest (400): the arguments are unusable: a missing policy, a malformed
	// cursor, a limit out of range. Faults of a query are reported as a
	// [*QueryError].
	ErrBadRequest = errors.New("bad request")
	// ErrNotFound (404): the named namespace, bucket, object or other item does not
	// exist.
	ErrNotFound = errors.New("not found")
	// ErrExists (409): the name, id or unique key is taken. The error is a
	// [*ConflictError], and matches ErrConflict too.
	ErrExists = errors.New("already exists")
	// ErrConflict (409): the call conflicts with the stored state. The error is a
	// [*ConflictError].
	ErrConflict = errors.New("conflict")
	// ErrLocked (403): the bucket is locked. The error is a [*StateError].
	ErrLocked = errors.New("locked")
	// ErrNotActive (403): the bucket's status forbids the call. The error is a [*StateError].
	ErrNotActive = errors.New("not active")
	// ErrCursorExpired (410): the events after a watch's cursor have been deleted, or
	// the watch fell too far behind. Read the current objects, then start a new
	// watch.
	ErrCursorExpired = errors.New("cursor expired")
	// ErrTooLarge (413): an input exceeds a limit, or the call would need too much
	// memory.
	ErrTooLarge = engine.ErrTooLarge
	// ErrBusy (503): another process held the file for longer than
	// [Options].BusyTimeout. Nothing was written.
	ErrBusy = engine.ErrBusy
	// ErrClosed (503): the store was closed before or during the call. Nothing was
	// written.
	ErrClosed = engine.ErrClosed
	// ErrReadOnly: the call writes, but the store was opened read-only, or refuses
	// writes since its disk failed or its file disappeared. [Store.Err] returns the
	// reason. Nothing was written.
	ErrReadOnly = engine.ErrReadOnly
	// ErrCorrupt (500): the file is damaged, or its write-ahead log is missing.
	ErrCorrupt = engine.ErrCorrupt
	// ErrFull (500): the disk is full. Nothing was written.
	ErrFull = engine.ErrFull
	// ErrOutcomeUnknown (500): the disk failed during a commit, or the file was no
	// longer found at its path after the commit. After reopening, the write is there
	// whole or not at all. Until then the store refuses writes with ErrReadOnly.
	ErrOutcomeUnknown = engine.ErrOutcomeUnknown
	// ErrNotAStore: [Open] found a file of another application, and did not change
	// it.
	ErrNotAStore = engine.ErrNotAStore
	// ErrNewFormat: [Open] found a file written by a newer version of this library,
	// and did not change it.
	ErrNewFormat = engine.ErrNewFormat
	// ErrOldFormat: [Open] with ReadOnly found a file written by an older version of
	// this library. Opening it once for writing upgrades it.
	ErrOldFormat = engine.ErrOldFormat
)

// Issue is one fault of an input.
type Issue struct {
	// Path locates the fault, as in "meta.tags[3].name"; empty for the input as a
	// whole.
	Path string `json:"path"`
	// Rule is the stable name of the violated rule: "required", "type", "enum",
	// "minLength", …
	Rule string `json:"rule"`
	// Message says what was expected and what was given.
	Message string `json:"message"`
}

func (i Issue) String() string {
	if i.Path == "" {
		return i.Message
	}
	return i.Path + ": " + i.Message
}

// maxIssues bounds the issues of an error, and so its memory.
const maxIssues = value.MaxFaults

// The rules that this package defines. The others are named after JSON Schema
// keywords.
const (
	ruleRequired = "required" // a member or field is missing
	ruleType     = "type"     // a value has another type
	ruleName     = "name"     // a name is not allowed
	ruleReserved = "reserved" // a member is reserved for the system
	ruleKey      = "key"      // a unique key, or one of its values, is not allowed
	ruleFixed    = "fixed"    // something cannot be changed after creation
	ruleProperty = "property" // a blob names no property, or a property that is taken
	ruleData     = "data"     // a blob's data is in no known form
	ruleMIME     = "mime"     // a blob's bytes do not fit the property's type
	ruleMatch    = "match"    // bytes differ from the announced ones
	ruleSize     = "size"     // an input exceeds a size
	ruleFetch    = "fetch"    // a URL cannot be fetched
	ruleExists   = "exists"   // a referenced object, upload or the like does not exist
	rulePath     = "path"     // a path is not allowed
)

// ValidationError lists the faults of an input, in a fixed order. It matches
// [ErrInvalid], or [ErrTooLarge] if the input exceeds a size limit.
type ValidationError struct {
	// Subject names the input: `bucket "videos"`, "schema", "namespace".
	Subject string
	// Issues are the first 100 faults.
	Issues []Issue
	// Omitted counts the faults after the first 100.
	Omitted int

	cause error
}

func (e *ValidationError) Error() string {
	return describe(e.Subject, "fields", e.Issues, e.Omitted)
}

// describe returns the text of an error with several issues about subject.
func describe(subject, many string, issues []Issue, omitted int) string {
	const shown = 10
	var b strings.Builder
	fmt.Fprintf(&b, "bucketlite: %s: ", subject)
	total := len(issues) + omitted
	if total > 1 {
		fmt.Fprintf(&b, "%d %s: ", total, many)
	}
	for i, issue := range issues {
		if i == shown {
			fmt.Fprintf(&b, "; and %d more", total-shown)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(issue.String())
	}
	return b.String()
}

// Is reports whether target is the sentinel that e matches.
func (e *ValidationError) Is(target error) bool {
	for _, issue := range e.Issues {
		if issue.Rule == ruleSize {
			return target == ErrTooLarge
		}
	}
	return target == ErrInvalid
}

// Unwrap returns the error of the [Fetcher], or of reading its response, if that
// caused the fault; else nil. The text of that error may tell more than e's.
func (e *ValidationError) Unwrap() error { return e.cause }

// newValidationError returns an error with at most maxIssues of the issues.
func newValidationError(subject string, issues []Issue) *ValidationError {
	n := min(len(issues), maxIssues)
	return &ValidationError{Subject: subject, Issues: issues[:n], Omitted: len(issues) - n}
}

// judge collects the faults of one input: those the schema finds in values, and all
// others.
type judge struct{ schema.Validation }

func (j *judge) fault(path value.Path, rule, message string) { j.Add(path, rule, message) }

// take adds the issues of an error, if it has any.
func (j *judge) take(err error) {
	var invalid *ValidationError
	if errors.As(err, &invalid) {
		for _, issue := range invalid.Issues {
			j.List = append(j.List, value.Fault(issue))
		}
	}
}

// nameProperty adds the property of a blob to the messages of the faults from the n-th
// on, unless they name it: the place of a blob in a list says little.
func (j *judge) nameProperty(n int, property string) {
	shown := value.Show(property)
	for i := n; i < len(j.List); i++ {
		if f := &j.List[i]; property != "" && !strings.Contains(f.Message, shown) {
			f.Message += " (blob of " + shown + ")"
		}
	}
}

func (j *judge) issues() []Issue { return issuesOf(j.List) }

// err returns the faults as an error about subject, or nil if there are none.
func (j *judge) err(subject string) error {
	if !j.Any() {
		return nil
	}
	return &ValidationError{Subject: subject, Issues: j.issues(), Omitted: j.Omitted}
}

func issuesOf(faults []value.Fault) []Issue {
	var issues []Issue
	for _, f := range faults {
		issues = append(issues, Issue(f))
	}
	return issues
}

// appendTo returns a report function that appends to issues.
func appendTo(issues *[]Issue) value.Report {
	return func(path value.Path, rule, message string) {
		*issues = append(*issues, Issue{path.String(), rule, message})
	}
}

// syntaxIssues converts a parser's error to issues below path.
func syntaxIssues(path value.Path, err error) []Issue {
	var syntax *value.SyntaxError
	if !errors.As(err, &syntax) {
		return []Issue{{path.String(), "json", err.Error()}}
	}
	return []Issue{{value.Below(path, syntax.Path), syntax.Rule, syntax.Message}}
}

// SchemaChangeError reports that a bucket's schema was not changed, since some of its
// objects do not conform to the new one. It matches [ErrInvalid].
type SchemaChangeError struct {
	// Subject names the bucket: `bucket "videos"`.
	Subject string
	// TaskID names the task that checked the objects, or is empty.
	TaskID string
	// Objects are the first 100 objects that do not conform, with their first 100 issues
	// each.
	Objects []InvalidObject
	// Count is the number of all objects that do not conform.
	Count int64
}

func (e *SchemaChangeError) Error() string {
	const shown = 3
	var b strings.Builder
	conform := "do not conform"
	if e.Count == 1 {
		conform = "does not conform"
	}
	fmt.Fprintf(&b, "bucketlite: %s: the schema is unchanged: %d of its objects %s to the new one: ", e.Subject, e.Count, conform)
	for i, o := range e.Objects[:min(len(e.Objects), shown)] {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "object %q: ", o.ID)
		for n, issue := range o.Issues[:min(len(o.Issues), shown)] {
			if n > 0 {
				b.WriteString(", ")
			}
			b.WriteString(issue.String())
		}
	}
	if more := e.Count - int64(min(len(e.Objects), shown)); more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// Is reports whether target is [ErrInvalid].
func (e *SchemaChangeError) Is(target error) bool { return target == ErrInvalid }

// MismatchError reports that [Namespace.EnsureBucket] found a bucket that differs from its
// configuration, and would have to change it by more than loosening its schema. The bucket
// is unchanged. It matches [ErrConflict].
type MismatchError struct {
	// Subject names the bucket: `bucket "videos"`.
	Subject string
	// UniqueKey says how the unique keys differ, or is empty. A unique key cannot be changed.
	UniqueKey string
	// Fields are the differences of the schemas, as changes from the bucket's to that of
	// the configuration, in order of their paths. A field that the configuration lacks is
	// dropped. A difference that another program version may have is left out, unless
	// there are no others. [Bucket.ChangeSchema] and [EnsureOptions].SchemaChange make such
	// changes.
	Fields []FieldChange
}

func (e *MismatchError) Error() string {
	const shown = 10
	var b strings.Builder
	fmt.Fprintf(&b, "bucketlite: %s does not fit the configuration", e.Subject)
	separator := ": "
	if e.UniqueKey != "" {
		fmt.Fprintf(&b, ": unique key: %s", e.UniqueKey)
		separator = "; "
	}
	for i, f := range e.Fields {
		if i == shown {
			fmt.Fprintf(&b, "; and %d more", len(e.Fields)-shown)
			break
		}
		path := f.Path
		if path == "" {
			path = "schema"
		}
		fmt.Fprintf(&b, "%s%s: %s (%s)", separator, path, f.Message, f.Effect)
		separator = "; "
	}
	return b.String()
}

// Is reports whether target is [ErrConflict].
func (e *MismatchError) Is(target error) bool { return target == ErrConflict }

// QueryError lists the faults of a query or an aggregation, in a fixed order. It
// matches [ErrBadRequest].
type QueryError struct {
	// Subject names the faulty input: "filter" for a filter by itself, "query" for a
	// query with all its parts, "aggregation", or the bucket whose indexes were
	// requested.
	Subject string
	// Issues are the first 100 faults. Their paths refer to the JSON form of the
	// request, as in "filters.AND[2].value".
	Issues []Issue
	// Omitted counts the faults after the first 100.
	Omitted int
	// Unsatisfiable means that the query is valid, but by the bucket's schema no object can
	// match its filter: it compares a value with another type, or a path where there
	// is never a value. The issues say why.
	Unsatisfiable bool
}

func (e *QueryError) Error() string {
	return describe(e.Subject, "faults", e.Issues, e.Omitted)
}

// Is reports whether target is [ErrBadRequest].
func (e *QueryError) Is(target error) bool { return target == ErrBadRequest }

// add appends the faults of an error of package query, with their paths below path.
func (e *QueryError) add(path value.Path, err error) {
	var bad *query.Error
	if !errors.As(err, &bad) {
		e.fault(path, ruleType, err.Error())
		return
	}
	for _, f := range bad.Faults {
		e.issue(Issue{value.Below(path, f.Path), f.Rule, f.Message})
	}
	e.Omitted += bad.Omitted
}

func (e *QueryError) fault(path value.Path, rule, message string) {
	e.issue(Issue{path.String(), rule, message})
}

func (e *QueryError) issue(i Issue) {
	if len(e.Issues) == maxIssues {
		e.Omitted++
		return
	}
	e.Issues = append(e.Issues, i)
}

// ConflictError reports that a write conflicts with the stored state. It matches
// [ErrConflict], and also [ErrExists] if Exists is set.
type ConflictError struct {
	// Subject names the target of the write: `bucket "videos"`.
	Subject string
	// Reason describes the conflict.
	Reason string
	// ExistingID is the id of the conflicting item, or empty if there is none.
	ExistingID string
	// Exists is true if a name, id or key is taken.
	Exists bool
	// Version is true if the object does not have the version that IfVersion gave. If
	// neither Exists nor Version is set, the state of the item forbids the call.
	Version bool

	stored int64 // the version that the object has, if Version is set
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("bucketlite: %s: %s", e.Subject, e.Reason)
}

// Is reports whether target is a sentinel that e matches.
func (e *ConflictError) Is(target error) bool {
	return target == ErrConflict || e.Exists && target == ErrExists
}

// ChangeError reports which change of a set made [Store.Apply] fail. It matches what Err
// matches.
type ChangeError struct {
	// Index is the place of the change among those of the call, from 0.
	Index int
	// Err is the reason, as the call for that change alone would return it.
	Err error
}

func (e *ChangeError) Error() string {
	return fmt.Sprintf("bucketlite: changes[%d]: %s", e.Index, strings.TrimPrefix(e.Err.Error(), "bucketlite: "))
}

// Unwrap returns Err.
func (e *ChangeError) Unwrap() error { return e.Err }

// StateError reports that a bucket's status or lock forbids a call. It matches
// [ErrLocked] if the lock does, else [ErrNotActive].
type StateError struct {
	// Bucket is the bucket's name.
	Bucket string
	// Action is the refused action: "write objects", "archive", …
	Action string
	// Status is the bucket's status.
	Status Status
	// Locked is true if the bucket is locked and the lock forbids the call.
	Locked bool
}

func (e *StateError) Error() string {
	state := string(e.Status)
	if e.Locked {
		state = "locked"
	}
	return fmt.Sprintf("bucketlite: bucket %q is %s: cannot %s", e.Bucket, state, e.Action)
}

// Is reports whether target is the sentinel that e matches.
func (e *StateError) Is(target error) bool {
	if e.Locked {
		return target == ErrLocked
	}
	return target == ErrNotActive
}

// errorPrefix begins the text of errors of this package.
const errorPrefix = "bucketlite: "

// prefixed adds the package's name to the text of an error.
type prefixed struct{ err error }

func (e *prefixed) Error() string { return errorPrefix + e.err.Error() }
func (e *prefixed) Unwrap() error { return e.err }

// bare is an error inside another one's text, where the package's name is not repeated.
type bare struct{ err error }

func (e *bare) Error() string { return strings.TrimPrefix(e.err.Error(), errorPrefix) }
func (e *bare) Unwrap() error { return e.err }

func errorf(format string, args ...any) error {
	return &prefixed{fmt.Errorf(format, args...)}
}

// notFound returns an error that matches ErrNotFound.
func notFound(format string, args ...any) error {
	return &prefixed{fmt.Errorf(format+": %w", append(args, ErrNotFound)...)}
}

func badRequest(format string, args ...any) error {
	return &prefixed{fmt.Errorf("%w: "+format, append([]any{ErrBadRequest}, args...)...)}
}

// ours reports whether this package made err. Other errors come from the engine or
// the context.
func ours(err error) bool {
	switch err.(type) {
	case *prefixed, *ValidationError, *SchemaChangeError, *MismatchError, *QueryError, *ConflictError, *ChangeError, *StateError, *OffsetError:
		return true
	}
	return false
}

// public adds the package's prefix to an error of a lower package. A context's own
// error stays as it is.
func public(err error) error {
	if err == nil || ours(err) || err == context.Canceled || err == context.DeadlineExceeded {
		return err
	}
	return &prefixed{err}
}
