package console

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
)

var indexRoutes = []route{
	{"GET /n/{namespace}/b/{bucket}/indexes", inPlace, reads, (*request).indexes},
	{"POST /n/{namespace}/b/{bucket}/indexes", inPlace, writes, (*request).changeIndexes},
}

// indexList is what the page of a bucket's indexes shows.
type indexList struct {
	Rows      []bucketlite.Index
	Building  bool // at least one of them
	MayChange bool // by the key and the state
	Paths     []string

	Path, Kind string // of the form
	Wrong      string // what is wrong with its path
	Fault      *fault
}

// Kinds are the options of the form's select.
func (l *indexList) Kinds() []choice {
	return choices(l.Kind, string(bucketlite.ValueIndex), "its values: compare, sort, count", string(bucketlite.TextIndex), "its words: contains, search")
}

// Most is how many indexes a bucket may have.
func (l *indexList) Most() int { return bucketlite.MaxIndexes }

// indexes shows the indexes of the bucket. While one is being built, a script asks for the
// list again and again.
func (q *request) indexes() error {
	list, err := q.indexList(q.query("path"), q.query("kind"))
	if err != nil {
		return err
	}
	return q.show("indexes", "Indexes", "list", list)
}

func (q *request) indexList(path, kind string) (*indexList, error) {
	rows, err := q.bucket.Indexes(q.ctx())
	if err != nil {
		return nil, err
	}
	list := &indexList{
		Rows: rows, Path: path, Kind: kind,
		Building:  slices.ContainsFunc(rows, func(i bucketlite.Index) bool { return i.Status != bucketlite.IndexReady }),
		MayChange: !q.access.ReadOnly && !q.info.Locked && q.info.Status != bucketlite.StatusInProgress,
	}
	for _, p := range pathsOf(q.info.Schema) {
		list.Paths = append(list.Paths, p.Path)
	}
	return list, nil
}

// indexWait is how long the answer waits for a new index. One that takes longer is built in
// the background, and the page shows how far it is.
const indexWait = 700 * time.Millisecond

// changeIndexes creates or drops an index, as the button says, and shows the indexes, or
// the page of the console that the form names.
func (q *request) changeIndexes() error {
	form, err := q.form()
	if err != nil {
		return err
	}
	path, kind := strings.TrimSpace(form.Get("path")), form.Get("kind")
	message := "index-dropped"
	switch {
	case form.Get("do") != "drop":
		message, err = q.createIndex(kind, path)
	case kind == string(bucketlite.TextIndex):
		err = q.bucket.DropTextIndex(q.ctx(), path)
	default:
		err = q.bucket.DropIndex(q.ctx(), path)
	}
	if err == nil {
		if next := localPath(form.Get("next")); next != "" {
			return q.done(next, message)
		}
		return q.done(q.bucketPath()+"indexes", message)
	}
	status, text := describe(err)
	if status >= 500 {
		return err
	}
	list, listErr := q.indexList(path, kind)
	if listErr != nil {
		return listErr
	}
	if issues := issuesOf(err); len(issues) > 0 {
		list.Wrong = sentence(issues[0].Message)
	} else {
		list.Fault = &fault{Status: status, Text: text}
	}
	return q.render(status, "indexes", "Indexes", list)
}

// createIndex creates an index, and returns what a message says of it.
func (q *request) createIndex(kind, path string) (message string, err error) {
	ctx, cancel := context.WithTimeout(q.ctx(), indexWait)
	defer cancel()
	if kind == string(bucketlite.TextIndex) {
		err = q.bucket.EnsureTextIndex(ctx, path)
	} else {
		err = q.bucket.EnsureIndex(ctx, path)
	}
	if err == nil || !errors.Is(err, context.DeadlineExceeded) || q.ctx().Err() != nil {
		return "index-created", err
	}
	rows, listErr := q.bucket.Indexes(q.ctx())
	exists := slices.ContainsFunc(rows, func(i bucketlite.Index) bool { return i.Path == path && string(i.Kind) == kind })
	if listErr == nil && exists {
		return "index-building", nil
	}
	return "", err
}
