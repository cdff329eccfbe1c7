package main

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/tempfile"
)

// resume is a file with the mark of an import that can continue where it stopped.
type resume struct {
	path string
	mark *bucketlite.ImportMark // nil if there is none yet
}

// openResume reads the mark, if there is one.
func openResume(path string, b *bucketlite.Bucket) (*resume, error) {
	r := &resume{path: path}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	r.mark = &bucketlite.ImportMark{}
	if json.Unmarshal(text, r.mark) != nil {
		return nil, usagef("%s: not a state file of --resume", path)
	}
	if r.mark.BucketID != b.ID() {
		return nil, usagef("%s: it belongs to another bucket, %s", path, r.mark.BucketID)
	}
	return r, nil
}

// save writes the mark. It takes the place of the old one as a whole.
func (r *resume) save(m bucketlite.ImportMark) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return tempfile.WriteFile(r.path, func(f io.Writer) error {
		_, err := f.Write(append(text, '\n'))
		return err
	})
}
