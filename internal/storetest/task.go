package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// WaitDeleted waits for a deletion and fails unless it has dealt with n objects.
func WaitDeleted(t *testing.T, st *bucketlite.Store, task *bucketlite.Task, n int64) *bucketlite.Task {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	ended, err := st.Wait(ctx, task.ID)
	if err != nil {
		t.Fatal(err)
	}
	if ended.ID != task.ID || ended.Status != bucketlite.StatusCompleted || ended.Processed != n || ended.Total != n || ended.Error != "" {
		t.Errorf("task: got %+v, want it completed with %d objects", ended, n)
	}
	return ended
}

// TaskOutput is an item of a task's outputs.
type TaskOutput struct {
	ID, Status, Object string
	Failed             bool
}

// WaitOutput returns the task when it has ended, and its outputs.
func WaitOutput(t testing.TB, st *bucketlite.Store, task *bucketlite.Task) (*bucketlite.Task, []TaskOutput) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	task, err := st.Wait(ctx, task.ID)
	if err != nil {
		t.Fatal(err)
	}
	var outputs []TaskOutput
	for _, item := range task.Outputs {
		m := item.(map[string]any)
		object, _ := m["object_id"].(string)
		message, _ := m["error"].(string)
		outputs = append(outputs, TaskOutput{m["upload_id"].(string), m["status"].(string), object, message != ""})
	}
	return task, outputs
}
