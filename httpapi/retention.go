package httpapi

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/bucketlite/bucketlite"
)

// retention returns the limits of a bucket, nil if they are absent. A member that is not
// known is refused: a limit with a misspelled name would let the disk fill.
func (f *form) retention() *bucketlite.Retention {
	doc := f.object("retention")
	if doc == nil {
		return nil
	}
	limits := &form{call: f.call, in: f.in, at: f.at.Member("retention"), doc: doc}
	for _, name := range slices.Sorted(maps.Keys(doc)) {
		switch name {
		case "max_age_seconds", "max_objects", "max_bytes":
		default:
			limits.fault(name, "additionalProperties", "max_age_seconds, max_objects or max_bytes expected")
		}
	}
	return &bucketlite.Retention{
		MaxAge:     time.Duration(limits.integer("max_age_seconds", 0, int(math.MaxInt64/time.Second), 0)) * time.Second,
		MaxObjects: int64(limits.integer("max_objects", 0, math.MaxInt, 0)),
		MaxBytes:   int64(limits.integer("max_bytes", 0, math.MaxInt, 0)),
	}
}
