package seed

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/bucketlite/bucketlite"
	_ "modernc.org/sqlite" // as the driver of damage
)

// note is the schema of the buckets that are about something else.
var note = bucketlite.Schema{Properties: map[string]bucketlite.Field{"text": {Type: bucketlite.String}}}

// states makes a bucket in each state, an empty one, and one of many fields.
func (s *Seed) states(ctx context.Context, ns *bucketlite.Namespace) error {
	for _, state := range []struct {
		name  string
		enter func(*bucketlite.Bucket, context.Context) error
	}{
		{"locked", (*bucketlite.Bucket).Lock},
		{"archived", (*bucketlite.Bucket).Archive},
		{"suspended", (*bucketlite.Bucket).Suspend},
	} {
		b, err := s.bucket(ctx, ns, bucketlite.BucketConfig{Name: state.name, Schema: note})
		if err != nil {
			return err
		}
		for n := range 3 {
			if err := s.put(ctx, b, bucketlite.ObjectInput{ID: fmt.Sprintf("note-%d", n+1), Fields: map[string]any{"text": fmt.Sprintf("note %d", n+1)}}); err != nil {
				return err
			}
		}
		if err := state.enter(b, ctx); err != nil {
			return err
		}
	}
	if _, err := s.bucket(ctx, ns, bucketlite.BucketConfig{Name: "empty", Schema: note, Retention: bucketlite.Retention{MaxObjects: 100}}); err != nil {
		return err
	}
	wide := bucketlite.Schema{Properties: map[string]bucketlite.Field{}}
	fields := map[string]any{}
	for n := range 80 {
		name := fmt.Sprintf("measurement_with_a_long_name_%02d", n)
		wide.Properties[name] = bucketlite.Field{Type: bucketlite.Number}
		fields[name] = float64(n) * 1.25
	}
	b, err := s.bucket(ctx, ns, bucketlite.BucketConfig{Name: "wide", Description: "Eighty fields.", Schema: wide})
	if err != nil {
		return err
	}
	return s.put(ctx, b, bucketlite.ObjectInput{ID: "row", Fields: fields})
}

// damaged makes a bucket with an object that damage makes unreadable, and one with an
// index that is never ready.
func (s *Seed) damaged(ctx context.Context, ns *bucketlite.Namespace) error {
	for _, config := range []bucketlite.BucketConfig{{Name: "damaged", Schema: note}, {Name: "indexing", Schema: note, Indexes: []string{"text"}}} {
		b, err := s.bucket(ctx, ns, config)
		if err != nil {
			return err
		}
		for _, id := range []string{"first", "second", "third"} {
			if err := s.put(ctx, b, bucketlite.ObjectInput{ID: config.Name + "-" + id, Fields: map[string]any{"text": id}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// damage does to the closed file what no call does.
func damage(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `
		UPDATE object SET fields = x'ff' WHERE id = 'damaged-second';
		UPDATE indexes SET status = 'BUILDING', built = (1 << 62) WHERE path = 'text';
		CREATE TRIGGER unready BEFORE UPDATE OF status ON indexes WHEN new.status = 'READY' AND old.path = 'text'
			BEGIN SELECT RAISE(ABORT, 'the seed keeps this index from being ready'); END`)
	return errors.Join(err, db.Close())
}

// batches makes a batch in each state, the tasks with them, uploads, and a bucket that is
// deleted.
func (s *Seed) batches(ctx context.Context, st *bucketlite.Store, ns *bucketlite.Namespace) error {
	b, err := ns.Bucket(ctx, "products")
	if err != nil {
		return err
	}
	batch := func(name string, kinds string, numbers ...int) (string, error) {
		var ids []string
		for _, n := range numbers {
			ids = append(ids, fmt.Sprintf("%s-%02d", kinds, n))
		}
		made, err := b.CreateBatch(ctx, bucketlite.BatchInput{ObjectIDs: ids, Metadata: map[string]any{"name": name}})
		if err != nil {
			return "", fmt.Errorf("batch %s: %w", name, err)
		}
		s.IDs[Main+"/products/"+name] = made.ID
		return made.ID, nil
	}
	for _, made := range []struct {
		name, kinds string
		numbers     []int
	}{{"completed", "lamp", []int{1, 2, 3, 4, 5, 6}}, {"some failed", "chair", []int{1, 2, 3, 4, 5, 6, 7, 8}}, {"all failed", "rug", []int{1, 2}}} {
		id, err := batch(made.name, made.kinds, made.numbers...)
		if err != nil {
			return err
		}
		if _, err := b.SubmitBatch(ctx, id); err != nil {
			return err
		}
	}
	err = st.Process(ctx, func(_ context.Context, j *bucketlite.Job) error {
		if strings.HasPrefix(j.Object.ID, "rug") || j.Object.ID == "chair-03" || j.Object.ID == "chair-05" {
			return &bucketlite.JobError{Category: bucketlite.CategoryValidation, Message: "the photo has 12 pixels, want 64 or more <script>alert('job')</script>", Component: "thumbnailer", Recovery: "Upload a larger photo."}
		}
		return nil
	}, &bucketlite.ProcessOptions{UntilIdle: true})
	if err != nil {
		return err
	}
	if _, err := batch("draft", "table", 1, 2, 3); err != nil {
		return err
	}
	for _, name := range []string{"waiting", "canceled"} {
		id, err := batch(name, "shelf", map[string][]int{"waiting": {1, 2, 3, 4}, "canceled": {5, 6}}[name]...)
		if err != nil {
			return err
		}
		if _, err := b.SubmitBatch(ctx, id); err != nil {
			return err
		}
		if name == "canceled" {
			if _, err := b.CancelBatch(ctx, id); err != nil {
				return err
			}
		}
	}
	return errors.Join(s.uploads(ctx, b), s.gone(ctx, st, ns))
}

// uploads announces two uploads, and writes one of them.
func (s *Seed) uploads(ctx context.Context, b *bucketlite.Bucket) error {
	for _, name := range []string{"announced", "written"} {
		u, err := b.CreateUpload(ctx, bucketlite.UploadInput{Filename: name + ".jpg", ContentType: "image/jpeg", Property: "photo",
			ObjectMetadata: map[string]any{"sku": "UP-" + name, "title": "An upload that is " + name}})
		if err != nil {
			return err
		}
		s.IDs[Main+"/products/"+name] = u.ID
		if name == "written" {
			if _, err := b.WriteUpload(ctx, u.ID, picture(99, 320, 240)); err != nil {
				return err
			}
		}
	}
	return nil
}

// gone makes and deletes a bucket, which leaves a task.
func (s *Seed) gone(ctx context.Context, st *bucketlite.Store, ns *bucketlite.Namespace) error {
	b, err := s.bucket(ctx, ns, bucketlite.BucketConfig{Name: "gone", Schema: note})
	if err != nil {
		return err
	}
	task, err := b.Delete(ctx)
	if err != nil {
		return err
	}
	s.IDs["task"] = task.ID
	_, err = st.Wait(ctx, task.ID)
	return err
}
