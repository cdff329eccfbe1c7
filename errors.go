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

// The errors callers tell apart with [errors.Is]. Each has one meaning; the
// number is the HTTP status the hosted service answers with.
var (
	// ErrInvalid (422): the input breaks the schema or a rule of the input's form.
	// The error is a [*ValidationError].
	ErrInvalid = errors.New("invalid")
	// ErrBadRequest (400): the call makes no sense: no policy, a bad cursor, a bad
	// limit. What is wrong with a filter comes as a [*QueryError].
	ErrBadRequest = errors.New("bad request")
	// ErrNotFound (404): what the call names does not exist.
	ErrNotFound = errors.New("not found")
	// ErrExists (409): the name, id or unique key is taken. The error is a
	// [*ConflictError] and matches ErrConflict too.
	ErrExists = errors.New("already exists")
	// ErrConflict (409): the call is at odds with what is stored. The error is a [*ConflictError].
	ErrConflict = errors.New("conflict")
	// ErrLocked (403): the bucket is locked. The error is a [*StateError].
	ErrLocked = errors.New("locked")
	// ErrNotActive (403): the bucket's status forbids the call. The error is a [*StateError].
	ErrNotActive = errors.New("not active")
	// ErrCursorExpired (410): a watch is to go on from a point older than the events that
	// are kept, or has fallen behind them. Read what there is, and watch from now on.
	ErrCursorExpired = errors.New("too old")
	// ErrTooLarge (413): an input exceeds a limit, or the call would need too much
	// memory.
	ErrTooLarge = engine.ErrTooLarge
	// ErrBusy (503): another process held the file for longer than
	// [Options].BusyTimeout. Nothing happened.
	ErrBusy = engine.ErrBusy
	// ErrClosed (503): the store was closed before or during the call. Nothing happened.
	ErrClosed = engine.ErrClosed
	// ErrReadOnly: a write on a store that was opened read-only, or that refuses
	// writes after a failed disk or because its file has vanished; [Store.Err] says
	// why. Nothing happened.
	ErrReadOnly = engine.ErrReadOnly
	// ErrCorrupt (500): the file is damaged, or its write-ahead log is not beside it.
	ErrCorrupt = engine.ErrCorrupt
	// ErrFull (500): the disk is full. Nothing happened.
	ErrFull = engine.ErrFull
	// ErrOutcomeUnknown (500): the disk failed while a commit was under way, or after
	// the commit the file was not found under its name any more. After reopening, the
	// write is there whole or not at all; until then the store refuses writes with
	// ErrReadOnly.
	ErrOutcomeUnknown = engine.ErrOutcomeUnknown
	// ErrNotAStore: [Open] found a file of another application, and left it as it was.
	ErrNotAStore = engine.ErrNotAStore
	// ErrNewFormat: [Open] found a file written by a newer version of this library,
	// and left it as it was.
	ErrNewFormat = engine.ErrNewFormat
	// ErrOldFormat: [Open] found a file written by an older version of this library,
	// and was to open it read-only. Opened for writing once, it is brought up to date.
	ErrOldFormat = engine.ErrOldFormat
)

// Issue is one reason why an input was refused.
type Issue struct {
	// Path says where, as in "meta.tags[3].name"; empty for the input as a whole.
	Path string `json:"path"`
	// Rule is the broken rule's stable name: "required", "type", "enum", "minLength", …
	Rule string `json:"rule"`
	// Message says what was expected and what was found.
	Message string `json:"message"`
}

func (i Issue) String() string {
	if i.Path == "" {
		return i.Message
	}
	return i.Path + ": " + i.Message
}

// maxIssues bounds the issues an error carries, and with them its memory.
const maxIssues = value.MaxFaults

// The names of rules that are this package's own. The others are named after JSON Schema
// keywords.
const (
	ruleRequired = "required" // a member or field is missing
	ruleType     = "type"     // a value has another type
	ruleName     = "name"     // a name cannot be used
	ruleReserved = "reserved" // a member is the system's own
	ruleKey      = "key"      // a unique key, or a value of one, cannot be used
	ruleFixed    = "fixed"    // something cannot be changed after creation
	ruleProperty = "property" // a blob names no property, or one that is taken
	ruleData     = "data"     // a blob's data has none of the known forms
	ruleMIME     = "mime"     // a blob's bytes do not fit the property's type
	ruleMatch    = "match"    // bytes differ from those announced
	ruleSize     = "size"     // an input exceeds a size
	ruleFetch    = "fetch"    // a URL cannot be fetched
	ruleExists   = "exists"   // a named object, or the like, does not exist
	rulePath     = "path"     // a path cannot be used
)

// ValidationError lists everything that is wrong with an input, in a fixed
// order. It matches [ErrInvalid], or [ErrTooLarge] if the input exceeds a size.
type ValidationError struct {
	// Subject is what was judged: `bucket "videos"`, "schema", "namespace".
	Subject string
	// Issues are the first 100 reasons.
	Issues []Issue
	// Omitted counts the reasons beyond those.
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

// Is reports whether target is the sentinel this error stands for.
func (e *ValidationError) Is(target error) bool {
	for _, issue := range e.Issues {
		if issue.Rule == ruleSize {
			return target == ErrTooLarge
		}
	}
	return target == ErrInvalid
}

// Unwrap returns the error of the [Fetcher], or of what it gave, if that is the
// reason; else nil. Its text may say more than ours does.
func (e *ValidationError) Unwrap() error { return e.cause }

// newValidationError returns an error with as many issues as one may carry.
func newValidationError(subject string, issues []Issue) *ValidationError {
	n := min(len(issues), maxIssues)
	return &ValidationError{Subject: subject, Issues: issues[:n], Omitted: len(issues) - n}
}

// judge collects the faults of one input: those of its values, which the schema finds,
// and all others.
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

// appendTo returns a report that appends to issues.
func appendTo(issues *[]Issue) value.Report {
	return func(path value.Path, rule, message string) {
		*issues = append(*issues, Issue{path.String(), rule, message})
	}
}

// syntaxIssues turns a parser's error into issues below path.
func syntaxIssues(path value.Path, err error) []Issue {
	var syntax *value.SyntaxError
	if !errors.As(err, &syntax) {
		return []Issue{{path.String(), "json", err.Error()}}
	}
	return []Issue{{value.Below(path, syntax.Path), syntax.Rule, syntax.Message}}
}

// QueryError lists everything that is wrong with what a list was asked for, in a
// fixed order. It matches [ErrBadRequest].
type QueryError struct {
	// Subject is what was judged: "filter", "query" for all that a list was asked
	// for, or "aggregation".
	Subject string
	// Issues are the first 100 faults. Their paths lead into the JSON form of the
	// request, as in "filters.AND[2].value".
	Issues []Issue
	// Omitted counts the faults beyond those.
	Omitted int
}

func (e *QueryError) Error() string {
	return describe(e.Subject, "faults", e.Issues, e.Omitted)
}

// Is reports whether target is the sentinel this error stands for.
func (e *QueryError) Is(target error) bool { return target == ErrBadRequest }

// add adds the faults of an error of the query package, which begin at path.
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

// ConflictError says that a write is at odds with what is stored. It matches
// [ErrConflict], and [ErrExists] if something was there already.
type ConflictError struct {
	// Subject is what the write was about: `bucket "videos"`.
	Subject string
	// Reason says what is at odds.
	Reason string
	// ExistingID is the id of what is in the way, if anything is.
	ExistingID string
	// Exists tells a taken name, id or key from a version that has moved on.
	Exists bool
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("bucketlite: %s: %s", e.Subject, e.Reason)
}

// Is reports whether target is a sentinel this error stands for.
func (e *ConflictError) Is(target error) bool {
	return target == ErrConflict || e.Exists && target == ErrExists
}

// StateError says that the bucket's lifecycle forbids a call. It matches
// [ErrLocked] if the lock does, else [ErrNotActive].
type StateError struct {
	// Bucket is the bucket's name.
	Bucket string
	// Action is what was refused: "write objects", "archive", …
	Action string
	// Status is the bucket's status.
	Status Status
	// Locked tells whether the bucket is locked and the lock forbids the call.
	Locked bool
}

func (e *StateError) Error() string {
	state := string(e.Status)
	if e.Locked {
		state = "locked"
	}
	return fmt.Sprintf("bucketlite: bucket %q is %s: cannot %s", e.Bucket, state, e.Action)
}

// Is reports whether target is the sentinel this error stands for.
func (e *StateError) Is(target error) bool {
	if e.Locked {
		return target == ErrLocked
	}
	return target == ErrNotActive
}

// prefixed is an error whose text begins with the package's name, once.
type prefixed struct{ err error }

func (e *prefixed) Error() string { return "bucketlite: " + e.err.Error() }
func (e *prefixed) Unwrap() error { return e.err }

func errorf(format string, args ...any) error {
	return &prefixed{fmt.Errorf(format, args...)}
}

// notFound says that something does not exist.
func notFound(format string, args ...any) error {
	return &prefixed{fmt.Errorf(format+": %w", append(args, ErrNotFound)...)}
}

func badRequest(format string, args ...any) error {
	return &prefixed{fmt.Errorf("%w: "+format, append([]any{ErrBadRequest}, args...)...)}
}

// ours reports whether err was made by this package, as a judgement on the
// call; anything else comes from the engine below or from the context.
func ours(err error) bool {
	switch err.(type) {
	case *prefixed, *ValidationError, *QueryError, *ConflictError, *StateError, *OffsetError:
		return true
	}
	return false
}

// public gives an error from below the package's prefix. A context's own error
// stays as it is.
func public(err error) error {
	if err == nil || ours(err) || err == context.Canceled || err == context.DeadlineExceeded {
		return err
	}
	return &prefixed{err}
}
