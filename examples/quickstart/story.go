package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/bucketlite/bucketlite"
)

func (q *quickstart) create(ctx context.Context) error {
	q.chapter("A namespace, and in it a bucket with a schema")
	if err := q.open(ctx); err != nil {
		return err
	}
	// An interrupted run on the same file may have left the bucket read-only.
	if err := errors.Join(q.media.Unlock(ctx), q.media.Activate(ctx)); err != nil {
		return err
	}
	info, err := q.media.Info(ctx)
	if err != nil {
		return err
	}
	required := 0
	for _, f := range info.Schema.Properties {
		if f.Required {
			required++
		}
	}
	q.table(
		[]string{"namespace", q.namespace.Name(), q.namespace.ID()},
		[]string{"bucket", info.Name, info.ID},
	)
	q.say("The schema declares %d fields, %d of them required. The unique key is mediaid;\n"+
		"the default policy is %s: an object whose key is taken replaces the stored one.",
		len(info.Schema.Properties), required, info.UniqueKey.DefaultPolicy)
	return nil
}

func (q *quickstart) loadTwice(ctx context.Context) error {
	q.chapter("The items go in, twice")
	var rows [][]string
	for _, name := range []string{"first", "second"} {
		l := &loader{bucket: q.media, progress: q.progress, refuse: func(line int, err error) {
			q.say("line %d: %s", line, reasons(err))
		}}
		sum, err := l.load(ctx, items())
		if err != nil {
			return err
		}
		stats, err := q.media.Stats(ctx)
		if err != nil {
			return err
		}
		table := sum.rows(name, stats)
		if rows == nil {
			rows = table[:1]
		}
		rows = append(rows, table[1])
	}
	q.table(rows...)
	q.say("The second load found every key taken: it replaced all and added none.")
	return nil
}

// rows is what a load did, as a table.
func (sum loaded) rows(name string, stats *bucketlite.Stats) [][]string {
	return [][]string{
		{"load", "lines", "created", "replaced", "refused", "objects now"},
		{name, count(sum.lines), count(sum.created), count(sum.replaced), count(sum.refused), count(stats.ObjectCount)},
	}
}

func (q *quickstart) attach(ctx context.Context) error {
	q.chapter("Files are attached as blobs")
	rows := [][]string{{"item", "field", "file", "recognised as", "bytes"}}
	attached := 0
	for _, a := range []struct{ item, property, file string }{
		{"146929312", "photo", "photo.jpg"},
		{"146929312", "sound", "tone.mp3"},
		{"5823428726001", "photo", "photo.jpg"},
		{"5823428726001", "clip", "clip.mp4"},
		{"5823428726001", "sheet", "sheet.csv"},
		{"5147566594001", "photo", "photo.jpg"},
	} {
		object, err := q.media.ObjectByKey(ctx, map[string]any{"mediaid": a.item})
		if err != nil {
			return err
		}
		// Patch changes the given fields and keeps the others.
		object, err = q.media.Patch(ctx, object.ID, bucketlite.ObjectInput{Blobs: []bucketlite.BlobInput{
			{Property: a.property, Reader: bytes.NewReader(file(a.file)), Filename: a.file},
		}}, nil)
		if err != nil {
			return err
		}
		for _, b := range object.Blobs {
			if b.Property == a.property {
				rows = append(rows, []string{a.item, a.property, b.Details.Filename, b.Details.MIMEType, count(b.Details.Size)})
				attached += int(b.Details.Size)
			}
		}
		q.photo = object
	}
	q.table(rows...)
	stats, err := q.store.Stats(ctx)
	if err != nil {
		return err
	}
	q.say("That is %s bytes, kept as %s: equal bytes are stored once, however many\nobjects share them.",
		count(attached), count(stats.ContentBytes))

	r, err := q.media.OpenBlob(ctx, q.photo.ID, "photo")
	if err != nil {
		return err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if !bytes.Equal(content, file("photo.jpg")) {
		return errors.New("the photo read back is not the photo stored")
	}
	q.say("Read back, the photo is the same %s bytes.", count(len(content)))
	return nil
}

func (q *quickstart) refuse(ctx context.Context) error {
	q.chapter("Input that breaks the schema is refused, with every reason at once")
	_, err := q.media.Put(ctx, bucketlite.ObjectInput{
		Fields: map[string]any{
			"mediaid":     "demo-1",
			"mediatype":   "film",
			"title":       "",
			"language":    "English",
			"duration":    "12 min",
			"tags":        []string{"demo", ""},
			"keywords":    []any{"demo", 7},
			"releasedate": "yesterday",
			"playurl":     "https://example.com/demo-1",
			"photo":       "photo.jpg",
		},
		Blobs: []bucketlite.BlobInput{{Property: "clip", Reader: bytes.NewReader(file("tone.mp3")), Filename: "clip.mp4"}},
	}, nil)
	if err := expect(err, bucketlite.ErrInvalid); err != nil {
		return err
	}
	q.refusal(`put item "demo-1"`, err)
	_, err = q.media.ObjectByKey(ctx, map[string]any{"mediaid": "demo-1"})
	if err := expect(err, bucketlite.ErrNotFound); err != nil {
		return err
	}
	q.say("Nothing of it was stored.")
	return nil
}

// galleryTime is the layout of the gallery's dates.
const galleryTime = "2006-01-02 15:04:05-07"

func (q *quickstart) dates(ctx context.Context) (err error) {
	q.chapter("The gallery's dates are not RFC 3339")
	q.say("So media keeps them as strings. Bucket releases declares its date a datetime.")
	if q.releases, err = q.bucket(ctx, releasesBucket()); err != nil {
		return err
	}
	var as, converted []bucketlite.ObjectInput
	for lines := bufio.NewScanner(items()); lines.Scan(); {
		var item struct{ MediaID, ReleaseDate string }
		if err := json.Unmarshal(lines.Bytes(), &item); err != nil {
			return err
		}
		t, err := time.Parse(galleryTime, item.ReleaseDate)
		if err != nil {
			return err
		}
		as = append(as, release(item.MediaID, item.ReleaseDate))
		converted = append(converted, release(item.MediaID, t)) // a time.Time becomes RFC 3339
	}

	_, err = q.releases.Put(ctx, as[0], nil)
	if err := expect(err, bucketlite.ErrInvalid); err != nil {
		return err
	}
	q.refusal("put the first item with its date as it is", err)

	// Atomic: all in one commit, or none.
	result, err := q.releases.PutMany(ctx, converted, &bucketlite.PutManyOptions{Atomic: true})
	if err != nil {
		return err
	}
	q.say("put all items, their dates converted\n  stored: %s", count(len(result.Succeeded)))
	return nil
}

func release(id string, date any) bucketlite.ObjectInput {
	return bucketlite.ObjectInput{Fields: map[string]any{"mediaid": id, "releasedate": date}}
}

func (q *quickstart) conflict(ctx context.Context) error {
	q.chapter("A taken key is a conflict, if the caller says insert")
	again := bucketlite.ObjectInput{Fields: q.photo.Fields}
	_, err := q.media.Put(ctx, again, &bucketlite.PutOptions{Policy: bucketlite.Insert})
	if err := expect(err, bucketlite.ErrExists); err != nil {
		return err
	}
	q.refusal(fmt.Sprintf("put item %q again, policy insert", q.photo.Fields["mediaid"]), err)
	var conflict *bucketlite.ConflictError
	if !errors.As(err, &conflict) || conflict.ExistingID != q.photo.ID {
		return fmt.Errorf("the conflict does not name object %s: %w", q.photo.ID, err)
	}
	q.say("existing id: %s", conflict.ExistingID)
	return nil
}

func (q *quickstart) lifecycle(ctx context.Context) error {
	q.chapter("A bucket can be made read-only")
	put := func() error {
		_, err := q.media.Put(ctx, bucketlite.ObjectInput{Fields: q.photo.Fields}, nil)
		return err
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
		want error // of a write after it
	}{
		{"lock", q.media.Lock, bucketlite.ErrLocked},
		{"unlock", q.media.Unlock, nil},
		{"archive", q.media.Archive, bucketlite.ErrNotActive},
		{"activate", q.media.Activate, nil},
	} {
		if err := step.do(ctx); err != nil {
			return err
		}
		err := put()
		if err := expect(err, step.want); err != nil {
			return err
		}
		if _, err := q.media.Object(ctx, q.photo.ID); err != nil {
			return err
		}
		outcome := "stored"
		if err != nil {
			outcome = fmt.Sprintf("refused: %v", err)
		}
		q.say("%-8s  put %s", step.name, outcome)
	}
	q.say("Reading was possible all the while.")
	return nil
}

func (q *quickstart) statistics(ctx context.Context) error {
	q.chapter("Statistics, exact for what has been committed")
	bucket, err := q.media.Stats(ctx)
	if err != nil {
		return err
	}
	store, err := q.store.Stats(ctx)
	if err != nil {
		return err
	}
	objects, fileSum := int64(0), int64(0)
	for o, err := range q.media.Objects(ctx, bucketlite.Query{}) {
		if err != nil {
			return err
		}
		objects, fileSum = objects+1, fileSum+o.Size
	}
	if objects != bucket.ObjectCount || fileSum != bucket.TotalSize {
		return fmt.Errorf("counted %d objects of %d bytes, the statistics say %d of %d", objects, fileSum, bucket.ObjectCount, bucket.TotalSize)
	}
	q.table(
		[]string{"objects in media", count(bucket.ObjectCount)},
		[]string{"their bytes, fields and blobs", count(bucket.TotalSize)},
		[]string{"largest object", count(bucket.Storage.Max)},
		[]string{"average object", count(bucket.Storage.Avg)},
		[]string{"smallest object", count(bucket.Storage.Min)},
		[]string{"bytes of blobs in the store", count(store.ContentBytes)},
		[]string{"bytes of the file", count(store.FileBytes)},
	)
	q.say("Counting by reading every object gives the same.")
	return nil
}

func (q *quickstart) readBack(ctx context.Context) error {
	q.chapter("One object, by its key, as JSON")
	object, err := q.media.ObjectByKey(ctx, map[string]any{"mediaid": q.photo.Fields["mediaid"]})
	if err != nil {
		return err
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(object); err != nil {
		return err
	}
	q.say("%s", bytes.TrimSpace(text.Bytes()))
	return nil
}

func (q *quickstart) delete(ctx context.Context) error {
	q.chapter("A bucket is deleted, in the background")
	task, err := q.releases.Delete(ctx)
	if err != nil {
		return err
	}
	q.say("delete %s: accepted as %s, %s", q.releases, task.ID, task.Status)
	if _, err := q.namespace.Bucket(ctx, q.releases.Name()); !errors.Is(err, bucketlite.ErrNotFound) {
		return fmt.Errorf("the name of a deleted bucket is still found: %w", err)
	}
	task, err = q.store.Wait(ctx, task.ID)
	if err != nil {
		return err
	}
	if task.Status != bucketlite.StatusCompleted {
		return fmt.Errorf("delete: %s: %s", task.Status, task.Error)
	}
	q.say("wait: %s, %s of %s objects deleted", task.Status, count(task.Processed), count(task.Total))
	q.say("Its name was free at once. The task would have survived a crash.")
	return nil
}

// expect returns an error unless err is the one the story foresees; nil is none.
func expect(err, want error) error {
	switch {
	case errors.Is(err, want): // also if both are nil
		return nil
	case err == nil:
		return fmt.Errorf("not refused, %w expected", want)
	}
	return err
}

// reasons shows an error in one line.
func reasons(err error) string {
	var invalid *bucketlite.ValidationError
	if !errors.As(err, &invalid) {
		return err.Error()
	}
	text := ""
	for i, issue := range invalid.Issues {
		if i > 0 {
			text += "; "
		}
		text += issue.String()
	}
	return text
}
