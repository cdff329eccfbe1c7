package proof_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A process is killed while it creates, writes and confirms uploads, over and over: the
// file is sound, and confirmed uploads are there, with every byte.
func TestUploadsSurviveKill(t *testing.T) {
	t.Parallel()
	rounds := 3
	if *storetest.Long {
		rounds = 100
	}
	t.Logf("%d kills of a process that uploads", rounds)
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	storetest.IndexItems(t, storetest.Items(t, st))
	r := rand.New(rand.NewPCG(11, 11))
	confirmed := make(map[string]string) // sizes by the upload's id
	tasks, looked := make(map[string]bool), make(map[string]bool)
	closeStore := func() {
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for round := range rounds {
		// With another store open, that carries the tasks on meanwhile.
		if round%2 == 0 {
			closeStore()
		}
		c := startChild(t, "uploads", path, fmt.Sprint(round))
		for n := 1 + r.IntN(20); n > 0; n-- {
			note(confirmed, tasks, c.line(t)+"\n")
		}
		c.kill(t)
		rest, _ := io.ReadAll(c.stdout)
		note(confirmed, tasks, string(rest))

		if round%2 == 0 {
			storetest.WantSound(t, path) // before anybody carries on
		} else {
			closeStore()
		}
		storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE tasks SET lease_until = 0") // that of the dead
		st = storetest.OpenPath(t, path)
		b, err := storetest.Namespace(t, st).Bucket(context.Background(), "items")
		if err != nil {
			t.Fatal(err)
		}
		for id, size := range confirmed {
			wantConfirmed(t, b, id, size)
		}
		clear(confirmed) // once checked, they stay
		// Tasks whose ids were not told may be there as well.
		for task, err := range st.Tasks(context.Background(), bucketlite.TaskQuery{Type: bucketlite.ConfirmUploadsTask}) {
			if err != nil {
				t.Fatal(err)
			}
			delete(tasks, task.ID)
			if task.Status == bucketlite.StatusCompleted && looked[task.ID] {
				continue
			}
			task, _ := storetest.WaitOutput(t, st, task)
			if task.Status != bucketlite.StatusCompleted {
				t.Errorf("round %d: task %+v", round, task)
			}
			for _, id := range task.Inputs {
				wantConfirmed(t, b, id, "")
			}
			looked[task.ID] = true
		}
		if len(tasks) > 0 {
			t.Errorf("round %d: tasks %v are lost", round, tasks)
		}
		clear(tasks)
	}
	storetest.WantSound(t, path)
}

// note notes the whole lines of the child's output.
func note(confirmed map[string]string, tasks map[string]bool, out string) {
	for line := range strings.Lines(out) {
		kind, rest, _ := strings.Cut(line, " ")
		id, size, _ := strings.Cut(rest, " ")
		switch {
		case !strings.HasSuffix(line, "\n"):
		case kind == "confirmed":
			confirmed[id] = strings.TrimSuffix(size, "\n")
		case kind == "task":
			tasks[strings.TrimSuffix(rest, "\n")] = true
		}
	}
}

// wantConfirmed fails unless the upload is confirmed and its object has its bytes.
func wantConfirmed(t *testing.T, b *bucketlite.Bucket, id, size string) {
	t.Helper()
	u := storetest.MustUpload(t, b, id)
	if u.Status != bucketlite.StatusCompleted || u.ObjectID == "" || size != "" && size != fmt.Sprint(u.Size) {
		t.Fatalf("got %+v, want it confirmed with %s bytes", u, size)
	}
	r, err := b.OpenBlob(context.Background(), u.ObjectID, "doc")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil || `"`+storetest.HashOf(string(data))+`"` != u.ETag {
		t.Errorf("upload %s: got %d bytes, %v, with the wrong hash", id, len(data), err)
	}
}

// childUploads takes uploads all the way, by itself and by tasks, in several
// goroutines until it is killed, and prints the results.
func childUploads(args []string) error {
	_, b, err := childBucket(args[0])
	if err != nil {
		return err
	}
	ctx := context.Background()
	var mu sync.Mutex // keeps lines whole
	say := func(words ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(words...)
	}
	return storetest.AtOnce(4, func(g int) error {
		for i := 0; ; i++ {
			key := fmt.Sprintf("%s-%d-%d", args[1], g, i)
			ids := make([]string, 1+i%3)
			for n := range ids {
				u, err := b.CreateUpload(ctx, storetest.DocUpload(fmt.Sprint(key, n)))
				if err != nil {
					return err
				}
				size := 100
				if (i+n)%4 == 0 {
					size = 300 << 10 // staged
				}
				data := bytes.Repeat([]byte(key), size/len(key))
				if _, err := b.WriteUpload(ctx, u.ID, bytes.NewReader(data)); err != nil {
					return err
				}
				if i%5 == 0 { // again
					if _, err := b.WriteUpload(ctx, u.ID, bytes.NewReader(data[1:])); err != nil {
						return err
					}
				}
				ids[n] = u.ID
			}
			if len(ids) > 1 {
				task, err := b.ConfirmUploads(ctx, storetest.Confirmations(ids...))
				if err != nil {
					return err
				}
				say("task", task.ID)
				continue
			}
			u, err := b.ConfirmUpload(ctx, ids[0], nil)
			if err != nil {
				return err
			}
			say("confirmed", u.ID, u.Size)
		}
	})
}
