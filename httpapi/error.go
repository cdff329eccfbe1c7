package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/thumb"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A failure is an answer of its own kind: an error that no call of the store returns.
type failure struct {
	status  int
	kind    string // the wire's error type
	message string
	details map[string]any
}

func (e *failure) Error() string { return "httpapi: " + e.message }

func badRequest(message string) error {
	return &failure{http.StatusBadRequest, "BadRequestError", message, nil}
}

func unauthorized(message string) error {
	return &failure{http.StatusUnauthorized, "UnauthorizedError", message, nil}
}

func forbidden(message string) error {
	return &failure{http.StatusForbidden, "ForbiddenError", message, nil}
}

// A fault is one reason why a request was refused, and in which part of it.
type fault struct {
	in string // "body", "query" or "path"
	bucketlite.Issue
}

// A formError lists everything that is wrong with the form of a request.
type formError []fault

func (e formError) Error() string {
	var b strings.Builder
	b.WriteString("httpapi: request: ")
	for i, f := range e {
		if i == 10 {
			b.WriteString("; and more")
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(f.Issue.String())
	}
	return b.String()
}

// Is reports whether target is [bucketlite.ErrInvalid].
func (e formError) Is(target error) bool { return target == bucketlite.ErrInvalid }

// kinds are the statuses and types of the store's errors; the first that matches counts.
var kinds = []struct {
	sentinel error
	status   int
	kind     string
}{
	{bucketlite.ErrTooLarge, http.StatusRequestEntityTooLarge, "PayloadTooLargeError"},
	{bucketlite.ErrInvalid, http.StatusUnprocessableEntity, "ValidationError"},
	{bucketlite.ErrBadRequest, http.StatusBadRequest, "BadRequestError"},
	{bucketlite.ErrNotFound, http.StatusNotFound, "NotFoundError"},
	{bucketlite.ErrConflict, http.StatusConflict, "AlreadyExistsError"},
	{bucketlite.ErrLocked, http.StatusForbidden, "ForbiddenError"},
	{bucketlite.ErrNotActive, http.StatusForbidden, "ForbiddenError"},
	{bucketlite.ErrCursorExpired, http.StatusGone, "GoneError"},
	{bucketlite.ErrBusy, http.StatusServiceUnavailable, "ServiceUnavailableError"},
	{bucketlite.ErrClosed, http.StatusServiceUnavailable, "ServiceUnavailableError"},
	{bucketlite.ErrReadOnly, http.StatusServiceUnavailable, "ServiceUnavailableError"},
	{thumb.ErrUnsupported, http.StatusUnsupportedMediaType, "UnsupportedMediaTypeError"},
	{thumb.ErrTooLarge, http.StatusUnsupportedMediaType, "UnsupportedMediaTypeError"},
	{thumb.ErrBusy, http.StatusServiceUnavailable, "ServiceUnavailableError"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "ServiceUnavailableError"},
}

// classify returns the status and the type of an error's answer.
func classify(err error) (status int, kind string) {
	var own *failure
	if errors.As(err, &own) {
		return own.status, own.kind
	}
	for _, k := range kinds {
		if errors.Is(err, k.sentinel) {
			return k.status, k.kind
		}
	}
	return http.StatusInternalServerError, "InternalServerError"
}

// Describe returns what the API says of an error: the status, the type and the message.
// The text of an unexpected error is for the log alone, and is not returned.
func Describe(err error) (status int, kind, text string) {
	status, kind = classify(err)
	return status, kind, message(err, status)
}

// envelope is the form of an error.
type envelope struct {
	Success bool        `json:"success"`
	Status  int         `json:"status"`
	Error   errorDetail `json:"error"`
	Detail  []detail    `json:"detail,omitempty"`
}

type errorDetail struct {
	Type    string         `json:"type"`
	Message string         `json:"message"`
	Details map[string]any `json:"details"`
}

// validationError is one reason of several, in the form of details.validation_errors.
type validationError struct {
	Type     string `json:"type"`
	Location string `json:"location"`
	Message  string `json:"message"`
}

// detail is the same in the form of a client that reads that one.
type detail struct {
	Loc  []any  `json:"loc"`
	Msg  string `json:"msg"`
	Type string `json:"type"`
}

// envelope returns the form of an error. Its parts that depend on the route are there if
// the answer knows the route.
func (a *answer) envelope(err error) envelope {
	status, kind := classify(err)
	e := envelope{Status: status, Error: errorDetail{Type: kind, Message: message(err, status), Details: map[string]any{}}}
	var own *failure
	var conflict *bucketlite.ConflictError
	var state *bucketlite.StateError
	var offset *bucketlite.OffsetError
	var change *bucketlite.SchemaChangeError
	var at *bucketlite.ChangeError
	inSet := errors.As(err, &at)
	switch {
	case errors.As(err, &change):
		e.Error.Details["invalid_objects"] = change.Count
		if change.TaskID != "" {
			e.Error.Details["task_id"] = change.TaskID
		}
	case errors.As(err, &own):
		for name, v := range own.details {
			e.Error.Details[name] = v
		}
	case errors.As(err, &conflict):
		e.Error.Details["kind"] = kindOf(conflict)
		if conflict.ExistingID == "" {
			break
		}
		name := "existing_id"
		if inSet || strings.Contains(a.route, "{bucket}/") {
			name = "existing_object_id"
		}
		e.Error.Details[name] = conflict.ExistingID
	case errors.As(err, &offset):
		e.Error.Details["next_cursor"], e.Error.Details["max_bytes"], e.Error.Details["option"] = offset.Cursor, offset.MaxBytes, "MaxPageBytes"
	case errors.As(err, &state):
		e.Error.Details["kind"], e.Error.Details["status"], e.Error.Details["is_locked"] = kindState, state.Status, state.Locked
	}
	if inSet {
		e.Error.Details["change_index"] = at.Index
	}
	if faults := faultsOf(err); len(faults) > 0 {
		e.Error.Details["validation_errors"] = validationErrors(faults)
		if status == http.StatusUnprocessableEntity {
			e.Detail = details(faults)
		}
	}
	if status == http.StatusInternalServerError {
		e.Error.Details["request_id"] = a.id
	}
	return e
}

// The kinds of conflicts, which have one error type.
const (
	kindState   = "state"   // the state of the item forbids the call
	kindExists  = "exists"  // a name, id or key is taken
	kindVersion = "version" // the object has another version than the request expects
)

func kindOf(conflict *bucketlite.ConflictError) string {
	switch {
	case conflict.Exists:
		return kindExists
	case conflict.Version:
		return kindVersion
	}
	return kindState
}

// fail answers with an error, unless the answer has begun: then it is cut off.
func (a *answer) fail(ctx context.Context, h *Handler, err error) {
	a.err = err
	if a.status != 0 {
		panic(http.ErrAbortHandler)
	}
	e := a.envelope(err)
	switch e.Status {
	case http.StatusUnauthorized:
		a.Header().Set("WWW-Authenticate", `Bearer realm="bucketlite"`)
	case http.StatusServiceUnavailable:
		a.Header().Set("Retry-After", "1")
	case http.StatusTooManyRequests:
		a.Header().Set("Retry-After", "5") // the client has many that may end
	}
	if a.write(e.Status, e) != nil {
		h.opts.Logger.LogAttrs(ctx, slog.LevelError, "cannot write an error", slog.String("request_id", a.id))
	}
}

// message returns the message of an error. An unexpected one may contain paths and the
// like, and is for the log alone.
func message(err error, status int) string {
	if status == http.StatusInternalServerError {
		switch {
		case errors.Is(err, bucketlite.ErrFull):
			return "the disk is full; nothing was changed"
		case errors.Is(err, bucketlite.ErrCorrupt):
			return "the store is damaged"
		case errors.Is(err, bucketlite.ErrOutcomeUnknown):
			return "the disk failed; whether the change was made shows when the store has been opened again"
		}
		return "internal error"
	}
	text := err.Error()
	for _, prefix := range []string{"bucketlite: ", "httpapi: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}

// faultsOf returns the reasons that an error lists.
func faultsOf(err error) (faults []fault) {
	var form formError
	var invalid *bucketlite.ValidationError
	var query *bucketlite.QueryError
	var change *bucketlite.SchemaChangeError
	var at *bucketlite.ChangeError
	switch {
	case errors.As(err, &form):
		return form
	case errors.As(err, &at):
		faults = faultsOf(at.Err)
		for i := range faults {
			faults[i].Path = below(changePath(at.Index).Member("object").String(), faults[i].Path)
		}
		return faults
	case errors.As(err, &change):
		return inObjects(change.Objects)
	case errors.As(err, &invalid):
		return inBody(invalid.Issues)
	case errors.As(err, &query):
		return inBody(query.Issues)
	}
	return nil
}

// inObjects returns the reasons why stored objects do not conform to a schema. The path of
// each begins with the object's id.
func inObjects(objects []bucketlite.InvalidObject) (faults []fault) {
	for _, o := range objects {
		for _, issue := range o.Issues {
			at := value.Path{{Name: o.ID}}
			faults = append(faults, fault{"object", bucketlite.Issue{Path: value.Below(at, issue.Path), Rule: issue.Rule, Message: issue.Message}})
		}
	}
	return faults
}

func inBody(issues []bucketlite.Issue) []fault {
	faults := make([]fault, len(issues))
	for i, issue := range issues {
		faults[i] = fault{"body", issue}
	}
	return faults
}

func validationErrors(faults []fault) []validationError {
	list := make([]validationError, len(faults))
	for i, f := range faults {
		location := f.in
		switch {
		case f.Path == "":
		case strings.HasPrefix(f.Path, "["):
			location += f.Path
		default:
			location += "." + f.Path
		}
		list[i] = validationError{f.Rule, location, f.Message}
	}
	return list
}

func details(faults []fault) []detail {
	list := make([]detail, len(faults))
	for i, f := range faults {
		list[i] = detail{append([]any{f.in}, segments(f.Path)...), f.Message, f.Rule}
	}
	return list
}

// segments takes a path such as meta.tags[3]["a.b"] apart.
func segments(path string) (list []any) {
	for path != "" {
		if path[0] == '.' {
			path = path[1:]
		}
		if rest, ok := strings.CutPrefix(path, "["); ok {
			var quoted string
			if text, err := strconv.QuotedPrefix(rest); err == nil && json.Unmarshal([]byte(text), &quoted) == nil {
				list, path = append(list, quoted), strings.TrimPrefix(rest[len(text):], "]")
				continue
			}
			index, after, _ := strings.Cut(rest, "]")
			if n, err := strconv.Atoi(index); err == nil {
				list = append(list, n)
			} else {
				list = append(list, index)
			}
			path = after
			continue
		}
		end := strings.IndexAny(path, ".[")
		if end <= 0 {
			end = len(path)
		}
		list, path = append(list, path[:end]), path[end:]
	}
	return list
}
