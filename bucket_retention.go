package bucketlite

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Retention limits what a bucket keeps. The store deletes what is beyond a limit by itself,
// the objects first that have not been put or patched for the longest time. A zero limit is
// none, and the zero Retention keeps everything. Its JSON form has the members
// max_age_seconds, max_objects and max_bytes.
//
// A deletion changes reads, the unique key, statistics and the feed in one commit. Its
// event is an [EventObjectDeleted] with a [Event].Reason. The objects of a batch that was
// submitted and has not ended are left until it has, and so is an object with the unique
// key of an upload that is not confirmed yet. A bucket that is locked or not active keeps
// everything, and is cleaned up afterwards.
//
// Ages and the ExpiresAt of objects are compared with [Options].Now by any store that has
// the file open for writing, within two seconds if it has no more to delete than it can
// in that time. A clock that jumps forward by more than an hour is believed after it has
// been ahead for as long as it has jumped, or if it was ahead when the store was opened,
// after an hour; see decision 038. A clock that is set back is believed at once.
//
// A write that exceeds MaxObjects or MaxBytes deletes the oldest objects in the same
// commit, up to 100. If that is not enough, since the deleted objects are smaller than the
// new one, [Bucket.Put], [Bucket.PutMany] and [Bucket.Patch] delete more before they
// return, and so does the background. So a limit is exceeded only while it waits for
// objects in batches and uploads, by concurrent calls with objects that are larger than 100
// of the oldest, and after it was lowered, until the background has caught up.
type Retention struct {
	// MaxAge is how long an object is kept after its last change, at least a second.
	MaxAge time.Duration
	// MaxObjects is the maximum number of objects.
	MaxObjects int64
	// MaxBytes is the maximum of the total size of the objects, as in [Stats].TotalSize:
	// content that objects share counts for each. A larger object is [ErrTooLarge].
	MaxBytes int64
}

// retentionForm is the JSON form of a Retention.
type retentionForm struct {
	MaxAge     json.Number `json:"max_age_seconds,omitempty"`
	MaxObjects int64       `json:"max_objects,omitempty"`
	MaxBytes   int64       `json:"max_bytes,omitempty"`
}

// MarshalJSON returns the JSON form, without the limits that are zero.
func (r Retention) MarshalJSON() ([]byte, error) {
	form := retentionForm{MaxObjects: r.MaxObjects, MaxBytes: r.MaxBytes}
	if r.MaxAge != 0 {
		form.MaxAge = json.Number(strconv.FormatFloat(r.MaxAge.Seconds(), 'f', -1, 64))
	}
	return json.Marshal(form)
}

// UnmarshalJSON decodes the JSON form. Null and absent members are zero.
func (r *Retention) UnmarshalJSON(data []byte) error {
	var form retentionForm
	if err := json.Unmarshal(data, &form); err != nil {
		return err
	}
	*r = Retention{MaxObjects: form.MaxObjects, MaxBytes: form.MaxBytes}
	if form.MaxAge == "" {
		return nil
	}
	seconds, err := form.MaxAge.Float64()
	if err != nil || math.Abs(seconds) > math.MaxInt64/float64(time.Second) {
		return fmt.Errorf("max_age_seconds: a number of seconds up to 292 years expected, got %s", form.MaxAge)
	}
	r.MaxAge = time.Duration(math.Round(seconds * float64(time.Second)))
	return nil
}

// retentionPath is the path of a Retention in the forms that have one.
var retentionPath = value.Path{{Name: "retention"}}

// judge validates the limits.
func (r *Retention) judge(issues *[]Issue) {
	report := appendTo(issues)
	if r.MaxAge < 0 || r.MaxAge > 0 && r.MaxAge < time.Second {
		report(retentionPath.Member("max_age_seconds"), "minimum", fmt.Sprintf("0 or at least a second expected, got %s", r.MaxAge))
	}
	if r.MaxObjects < 0 {
		report(retentionPath.Member("max_objects"), "minimum", fmt.Sprintf("0 or more expected, got %d", r.MaxObjects))
	}
	if r.MaxBytes < 0 {
		report(retentionPath.Member("max_bytes"), "minimum", fmt.Sprintf("0 or more expected, got %d", r.MaxBytes))
	}
}

// stored returns the limits as the file has them.
func (r *Retention) stored() commit.Retention {
	return commit.Retention{MaxAge: r.MaxAge.Microseconds(), MaxObjects: r.MaxObjects, MaxBytes: r.MaxBytes}
}

// retentionOf is the inverse of stored.
func retentionOf(r commit.Retention) Retention {
	return Retention{MaxAge: time.Duration(r.MaxAge) * time.Microsecond, MaxObjects: r.MaxObjects, MaxBytes: r.MaxBytes}
}

// limit sets the limits of a bucket. The index that finds its oldest objects exists while
// there is a limit.
func limit(tx *commit.Tx, state *commit.Bucket, r commit.Retention) error {
	none := r == commit.Retention{}
	err := saveRetention(tx, state.Num, r)
	state.Retention, state.Passed = r, commit.Passed{}
	tx.Raise(commit.Background)
	if err != nil {
		return err
	}
	has, err := index.HasAges(tx, state)
	switch {
	case err != nil || has == !none:
		return err
	case none:
		return index.Drop(tx, state, index.Age, "")
	}
	return index.Add(tx, state, index.Age, "")
}

// saveRetention writes the bucket's row of the table retention, or deletes it if there is
// no limit.
func saveRetention(tx *commit.Tx, bucket int64, r commit.Retention) error {
	if (r == commit.Retention{}) {
		_, err := tx.Exec("DELETE FROM retention WHERE bucket = ?", bucket)
		return err
	}
	_, err := tx.Exec(`
INSERT INTO retention (bucket, max_age, max_objects, max_bytes) VALUES (?, nullif(?, 0), nullif(?, 0), nullif(?, 0))
ON CONFLICT (bucket) DO UPDATE SET max_age = excluded.max_age, max_objects = excluded.max_objects, max_bytes = excluded.max_bytes`,
		bucket, r.MaxAge, r.MaxObjects, r.MaxBytes)
	return err
}
