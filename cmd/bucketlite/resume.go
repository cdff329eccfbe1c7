package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/oklog/ulid/v2"
)

// resume is the state of a put that can continue where it stopped. It is written after
// every commit, so a run that died may have stored some more lines than it says. For
// those the objects' ids are made from the run and the line's number, where nothing
// else would tell that they are there: the second attempt finds its own id taken.
type resume struct {
	Format   string    `json:"format"`
	Bucket   string    `json:"bucket_id"`
	Run      []byte    `json:"run"`
	Started  time.Time `json:"started_at"`
	Position position  `json:"position"`
	Counts   counts    `json:"counts"`

	path string
	keep bool // there was a state to continue from
}

const resumeFormat = "bucketlite-put-1"

// openResume reads the state, or begins one.
func openResume(path string, b *bucketlite.Bucket) (*resume, error) {
	r := &resume{path: path}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		r.Format, r.Bucket, r.Run, r.Started = resumeFormat, b.ID(), make([]byte, 16), time.Now().UTC()
		rand.Read(r.Run)
		r.Position = newLineReader(nil).position()
		// Saved at once: the run's ids must not change after the first commit.
		return r, r.save()
	}
	if err != nil {
		return nil, err
	}
	if json.Unmarshal(text, r) != nil || r.Format != resumeFormat {
		return nil, usagef("%s: not a state file of --resume", path)
	}
	if r.Bucket != b.ID() {
		return nil, usagef("%s: it belongs to another bucket, %s", path, r.Bucket)
	}
	r.keep = true
	return r, nil
}

// save writes the state. It takes the place of the old one as a whole.
func (r *resume) save() error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(r.path, func(f io.Writer) error {
		_, err := f.Write(append(text, '\n'))
		return err
	})
}

// id returns the id of the object on a line.
func (r *resume) id(line int) string {
	h := sha256.Sum256(binary.BigEndian.AppendUint64(r.Run[:len(r.Run):len(r.Run)], uint64(line)))
	var id ulid.ULID
	copy(id[6:], h[:])
	if err := id.SetTime(ulid.Timestamp(r.Started)); err != nil {
		panic(fmt.Sprintf("resume: %v", err)) // a time beyond the year 10889
	}
	return "obj_" + id.String()
}
