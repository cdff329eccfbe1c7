package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

// A condition is what the headers If-Match and If-None-Match expect of an object's ETag.
type condition struct {
	match, noneMatch *etags // nil for none
}

// etags are the ETags of a header, as versions of objects. Tags of another form, and text
// that is no tag, match no object, and are left out.
type etags struct {
	any          bool // "*"
	strong, weak []int64
}

// etag returns the ETag of an object's version: "v7", in quotes.
func etag(version int64) string { return `"v` + strconv.FormatInt(version, 10) + `"` }

func conditionOf(h http.Header) condition {
	return condition{etagsOf(h.Values("If-Match")), etagsOf(h.Values("If-None-Match"))}
}

// etagsOf reads the lines of a header, RFC 9110, section 8.8.3. It returns nil if they are
// all empty.
func etagsOf(lines []string) *etags {
	list := strings.TrimSpace(strings.Join(lines, ","))
	if strings.Trim(list, ", \t") == "" {
		return nil
	}
	tags := &etags{any: list == "*"}
	for list != "" {
		rest, weak := strings.CutPrefix(strings.TrimLeft(list, ", \t"), "W/")
		opaque, ok := strings.CutPrefix(rest, `"`)
		if !ok { // it is no tag: continue after it
			_, list, _ = strings.Cut(rest, ",")
			continue
		}
		opaque, list, ok = strings.Cut(opaque, `"`)
		version, isVersion := versionOf(opaque)
		switch {
		case !ok || !isVersion:
		case weak:
			tags.weak = append(tags.weak, version)
		default:
			tags.strong = append(tags.strong, version)
		}
	}
	return tags
}

// versionOf returns the version of an ETag without its quotes.
func versionOf(tag string) (version int64, ok bool) {
	digits, ok := strings.CutPrefix(tag, "v")
	version, err := strconv.ParseInt(digits, 10, 64)
	return version, ok && err == nil && version > 0 && strconv.FormatInt(version, 10) == digits
}

// holds reports whether an object with the version is as expected. Of If-Match a weak tag
// matches nothing.
func (c condition) holds(version int64) bool {
	if m := c.match; m != nil && !m.any && !slices.Contains(m.strong, version) {
		return false
	}
	n := c.noneMatch
	return n == nil || !n.any && !slices.Contains(n.strong, version) && !slices.Contains(n.weak, version)
}

// ifVersion returns the one version that the object must have, or 0 if any will do. It
// reports false if the condition has no such form.
func (c condition) ifVersion() (version int64, ok bool) {
	switch m := c.match; {
	case c.noneMatch != nil:
		return 0, false
	case m == nil || m.any:
		return 0, true
	case len(m.strong) == 1 && len(m.weak) == 0:
		return m.strong[0], true
	}
	return 0, false
}

// guarded changes the object of the path under the request's condition: change gets the
// version that the object must have, or 0. If the object is not as expected, the error is a
// failure of status 412.
func (c *call) guarded(change func(ifVersion int64) error) error {
	expected := conditionOf(c.r.Header)
	if version, ok := expected.ifVersion(); ok {
		return precondition(change(version), version)
	}
	for {
		// The object may change between this read and the change. Then the change fails with
		// a conflict of versions, and the condition is checked again.
		o, err := c.bucket.Object(c.ctx(), c.r.PathValue("object"))
		if err == nil {
			err = c.expects(expected, o)
		}
		if err != nil {
			return err
		}
		err = change(o.Version)
		var conflict *bucketlite.ConflictError
		if !errors.As(err, &conflict) || !conflict.Version {
			return err
		}
	}
}

// expects returns a failure of status 412 unless the object is as expected.
func (c *call) expects(expected condition, o *bucketlite.Object) error {
	if expected.holds(o.Version) {
		return nil
	}
	return changed("object " + value.Show(o.ID) + " has the ETag " + etag(o.Version) + ", which the request does not expect")
}

// precondition returns err, or if it says that the object has another version than
// If-Match asked for, the failure that HTTP has for that.
func precondition(err error, version int64) error {
	var conflict *bucketlite.ConflictError
	if version == 0 || !errors.As(err, &conflict) || !conflict.Version {
		return err
	}
	return changed(message(err, http.StatusPreconditionFailed))
}

func changed(message string) error {
	return &failure{http.StatusPreconditionFailed, "PreconditionFailedError", message, map[string]any{"kind": kindVersion}}
}
