package bucketlite

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// What a cancelled task gives back can only be asked for in a transaction.
func TestGiveBackUploads(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	st, err := Open(ctx, ":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ns, err := st.CreateNamespace(ctx, NamespaceConfig{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	b, err := ns.CreateBucket(ctx, BucketConfig{Name: "test", Schema: Schema{Properties: map[string]Field{"doc": {Type: Text}}}})
	if err != nil {
		t.Fatal(err)
	}
	inputs := []UploadInput{{Filename: "doc.txt", ContentType: "text/plain"}, {Filename: "doc.txt", ContentType: "text/plain"}}
	uploads, err := b.CreateUploads(ctx, inputs, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range uploads {
		if _, err := b.WriteUpload(ctx, u.ID, strings.NewReader("text")); err != nil {
			t.Fatal(err)
		}
	}
	// The task and what it gives back are one transaction, so it cannot begin.
	task := &Task{ID: "task_1", Type: ConfirmUploadsTask, Inputs: []string{uploads[0].ID, uploads[1].ID}, AdditionalData: map[string]any{}, Total: 2}
	err = st.write(ctx, func(tx *engine.Tx, g *group) error {
		if _, err := b.startConfirming(tx, g, task); err != nil {
			return err
		}
		u, err := b.selectUpload(tx.Conn, readObjects, uploads[0].ID)
		if err != nil || u.status != Processing {
			t.Errorf("got %+v, %v, want it to be processed", u, err)
		}
		if _, err := tx.Exec("UPDATE tasks SET status = 'CANCELED', ended_at = ? WHERE id = ?", time.Now().UnixMicro(), task.ID); err != nil {
			return err
		}
		return giveBackUploads(tx, task.ID)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range uploads {
		if got, err := b.Upload(ctx, u.ID); err != nil || got.Status != Pending {
			t.Errorf("got %+v, %v, want it pending", got, err)
		}
		if _, err := b.ConfirmUpload(ctx, u.ID, nil); err != nil {
			t.Error(err)
		}
	}
}
