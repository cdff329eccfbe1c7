package bucketlite

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/bucketlite/bucketlite/internal/record"
	"github.com/oklog/ulid/v2"
)

// ImportMark is how far an import has come: a position in its source, with a hash of
// what is before it. It has a JSON form, which the caller of [Bucket.Import] keeps.
//
// An import that was killed may have stored more records than its mark says. Where no
// unique key would reveal that, their objects' ids are made from the mark and the record,
// so the second attempt finds its own id taken.
type ImportMark struct {
	// BucketID is the bucket that the mark belongs to.
	BucketID string
	// Counts are those of the records before the mark.
	Counts ImportCounts

	position record.Position // in the source
	run      []byte          // random
	started  time.Time       // of the first attempt
}

// markFormat is the format of a mark's JSON form.
const markFormat = "bucketlite-put-1"

// markForm is the JSON form of a mark.
type markForm struct {
	Format   string          `json:"format"`
	Bucket   string          `json:"bucket_id"`
	Run      []byte          `json:"run"`
	Started  time.Time       `json:"started_at"`
	Position record.Position `json:"position"`
	Counts   ImportCounts    `json:"counts"`
}

// MarshalJSON returns the mark's JSON form.
func (m ImportMark) MarshalJSON() ([]byte, error) {
	return json.Marshal(markForm{markFormat, m.BucketID, m.run, m.started, m.position, m.Counts})
}

// UnmarshalJSON decodes the JSON form. It refuses that of something else.
func (m *ImportMark) UnmarshalJSON(data []byte) error {
	var form markForm
	if err := json.Unmarshal(data, &form); err != nil {
		return badRequest("mark: %w", err)
	}
	if form.Format != markFormat || form.Bucket == "" || len(form.Run) == 0 {
		return badRequest("mark: got format %q, want %q", form.Format, markFormat)
	}
	*m = ImportMark{form.Bucket, form.Counts, form.Position, form.Run, form.Started}
	return nil
}

// openMark returns a copy of the given mark, a new one if the import saves marks, or nil.
func (im *importer) openMark() (*ImportMark, error) {
	given := im.opts.Mark
	switch {
	case given == nil && im.opts.Save == nil:
		return nil, nil
	case given == nil:
		m := &ImportMark{BucketID: im.bucket.ID(), run: make([]byte, 16), started: time.Now().UTC()}
		rand.Read(m.run)
		return m, nil
	case given.BucketID != im.bucket.ID():
		return nil, badRequest("mark: it belongs to another bucket, %q", given.BucketID)
	}
	m := *given
	return &m, nil
}

// begun reports whether the mark comes from an earlier attempt.
func (m *ImportMark) begun() bool { return m.position.Sum != "" }

// save gives the mark to the caller.
func (im *importer) save() error {
	if im.opts.Save == nil {
		return nil
	}
	if err := im.opts.Save(*im.mark); err != nil {
		return errorf("%s: import: save the mark: %w", im.bucket, err)
	}
	return nil
}

// id returns the id of the object of a record.
func (m *ImportMark) id(number int64) string {
	h := sha256.Sum256(binary.BigEndian.AppendUint64(m.run[:len(m.run):len(m.run)], uint64(number)))
	var id ulid.ULID
	copy(id[6:], h[:])
	if err := id.SetTime(ulid.Timestamp(m.started)); err != nil {
		panic(fmt.Sprintf("import: %v", err)) // a time beyond the year 10889
	}
	return "obj_" + id.String()
}
