package proof_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A process is killed while it writes: it leaves a sound store.
func TestCheckAfterKill(t *testing.T) {
	t.Parallel()
	rounds := 3
	if *storetest.Long {
		rounds = 100
	}
	t.Logf("%d kills of a process that writes, each with a check", rounds)
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	storetest.IndexItems(t, storetest.Items(t, st))
	for round := range rounds {
		if err := st.Close(); err != nil {
			t.Fatal(err)
		}
		c := startChild(t, "put", path, fmt.Sprint(100*round), "true")
		c.line(t)
		c.kill(t)
		st = storetest.OpenPath(t, path)
		storetest.WantNoProblem(t, st)
	}
	storetest.WantSound(t, path)
}

// child is a process that runs one of the children.
type child struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	stderr bytes.Buffer
}

// startChild starts a child from this test binary.
func startChild(t *testing.T, role string, args ...string) *child {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{cmd: exec.Command(program, args...)}
	c.cmd.Env = append(os.Environ(), roleVariable+"="+role)
	c.cmd.Stderr = &c.stderr
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.stdin, c.stdout = stdin, bufio.NewReader(stdout)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.cmd.Process.Kill(); c.cmd.Wait() })
	return c
}

// line returns the next line the child prints.
func (c *child) line(t *testing.T) string {
	t.Helper()
	line, err := c.stdout.ReadString('\n')
	if err != nil {
		c.wait(t)
		t.Fatalf("child ended too early: %v", err)
	}
	return strings.TrimSuffix(line, "\n")
}

// wait lets the child continue, and fails the test if the child fails.
func (c *child) wait(t *testing.T) {
	t.Helper()
	c.stdin.Close()
	if err := c.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, &c.stderr)
	}
}

// kill ends the child as a crash would.
func (c *child) kill(t *testing.T) {
	t.Helper()
	if err := c.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.cmd.Wait()
}

// rendezvous tells the parent that this child is ready, and returns when the
// parent waits for it.
func rendezvous() {
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}

// childBucket opens the store at path and its bucket "items". Of processes that are
// started one after the other, some use Options.PlainIO and some do not.
func childBucket(path string) (*bucketlite.Store, *bucketlite.Bucket, error) {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, path, &bucketlite.Options{PlainIO: os.Getpid()%2 == 0})
	if err != nil {
		return nil, nil, err
	}
	ns, err := st.Namespace(ctx, "test")
	if err != nil {
		return nil, nil, errors.Join(err, st.Close())
	}
	b, err := ns.Bucket(ctx, "items")
	if err != nil {
		return nil, nil, errors.Join(err, st.Close())
	}
	return st, b, nil
}

// Four processes of 64 goroutines each put the same 500 keys: what is there in
// the end is 500 objects, and nobody has met an error.
func TestUpsertByProcesses(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	b := storetest.IndexItems(t, storetest.Items(t, storetest.OpenPath(t, path)))
	var running []*child
	for p := range 4 {
		c := startChild(t, "upsert", path, fmt.Sprint(p))
		c.line(t)
		running = append(running, c)
	}
	for _, c := range running {
		c.stdin.Close()
	}
	for _, c := range running {
		c.wait(t)
	}
	if got := len(slices.Compact(storetest.ItemKeys(t, b))); got != upsertKeys || storetest.MustStats(t, b).ObjectCount != upsertKeys {
		t.Errorf("got %d keys and %d objects, want %d", got, storetest.MustStats(t, b).ObjectCount, upsertKeys)
	}
	storetest.WantSound(t, path)
}

const upsertKeys = 500

// childUpsert puts every key several times, from 64 goroutines.
func childUpsert(args []string) error {
	st, b, err := childBucket(args[0])
	if err != nil {
		return err
	}
	rendezvous()
	const goroutines, puts = 64, 16
	err = storetest.AtOnce(goroutines, func(g int) error {
		for i := range puts {
			k := (g*upsertKeys/goroutines + i) % upsertKeys
			v := strings.Repeat(args[1], g)
			res, err := b.Put(context.Background(), storetest.Item(fmt.Sprint(k), v), nil)
			if err != nil {
				return err
			}
			if res.Object.Fields["v"] != v {
				return fmt.Errorf("put: got %v, want value %q", res.Object.Fields, v)
			}
		}
		return nil
	})
	return errors.Join(err, st.Close())
}

// A process is killed while it loads objects, over and over: acknowledged objects are
// there.
func TestAcknowledgedSurvivesKill(t *testing.T) {
	t.Parallel()
	rounds := 5
	if *storetest.Long {
		rounds = 20
	}
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	storetest.IndexItems(t, storetest.Items(t, st))
	r := rand.New(rand.NewPCG(7, 7))
	acknowledged := make(map[string]string) // values by key
	for round := range rounds {
		// With another store open the file stays in use; with none the next
		// one to open it must recover it.
		if round%2 == 0 {
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
		}
		c := startChild(t, "load", path, fmt.Sprint(round))
		// The pipe holds lines that were printed before the kill, so that more
		// than these are read. A line may be cut short by it.
		for n := 1 + r.IntN(400); n > 0; n-- {
			acknowledge(acknowledged, c.line(t)+"\n")
		}
		c.kill(t)
		rest, _ := io.ReadAll(c.stdout)
		acknowledge(acknowledged, string(rest))

		st = storetest.OpenPath(t, path)
		b, err := storetest.Namespace(t, st).Bucket(context.Background(), "items")
		if err != nil {
			t.Fatal(err)
		}
		stored := make(map[string]any)
		for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			stored[o.Fields["k"].(string)] = o.Fields["v"]
		}
		for k, v := range acknowledged {
			if stored[k] != v {
				t.Fatalf("round %d: key %q: got value %v, want %q", round, k, stored[k], v)
			}
		}
		storetest.WantSound(t, path)
	}
	t.Logf("%d kills of a process that writes, %d acknowledged objects", rounds, len(acknowledged))
}

// acknowledge notes the whole lines of a loader's output.
func acknowledge(acknowledged map[string]string, out string) {
	for line := range strings.Lines(out) {
		if k, v, ok := strings.Cut(line, " "); ok && strings.HasSuffix(v, "\n") {
			acknowledged[k] = strings.TrimSuffix(v, "\n")
		}
	}
}

// childLoad puts objects in several goroutines, until it is killed, and prints
// the key and value of each once it is stored.
func childLoad(args []string) error {
	_, b, err := childBucket(args[0])
	if err != nil {
		return err
	}
	var mu sync.Mutex // keeps lines whole
	return storetest.AtOnce(8, func(g int) error {
		for i := 0; ; i++ {
			k, v := fmt.Sprintf("%s-%d-%d", args[1], g, i), fmt.Sprint(i)
			in := storetest.Item(k, v)
			if i%3 == 0 {
				in.Blobs = []bucketlite.BlobInput{{Property: "doc", Reader: strings.NewReader(strings.Repeat(k, 100))}}
			}
			inputs := []bucketlite.ObjectInput{in}
			if i%5 == 0 {
				inputs = append(inputs, storetest.Item(k+"-a", v), storetest.Item(k+"-b", v))
			}
			if len(inputs) > 1 {
				err = storetest.PutManyError(b.PutMany(context.Background(), inputs, nil))
			} else {
				_, err = b.Put(context.Background(), in, nil)
			}
			if err != nil {
				return err
			}
			mu.Lock()
			for _, in := range inputs {
				fmt.Println(in.Fields["k"], v)
			}
			mu.Unlock()
		}
	})
}

// The state is checked where the write happens, also if that is in another
// process.
func TestNoWriteAfterStopInProcesses(t *testing.T) {
	t.Parallel()
	for name, stop := range storetest.Stoppers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			b := storetest.Items(t, storetest.OpenPath(t, path))
			storetest.HoldTasks(t, path)
			var running []*child
			for p := range 2 {
				c := startChild(t, "put", path, fmt.Sprint(100*p), fmt.Sprint(stop.Want == storetest.RefusedLocked))
				c.line(t)
				running = append(running, c)
			}
			if err := stop.Do(b, context.Background()); err != nil {
				t.Error(err)
			}
			before := storetest.MustStats(t, b)
			for _, c := range running {
				c.wait(t)
			}
			if after := storetest.MustStats(t, b); !storetest.EqualStats(before, after) {
				t.Errorf("statistics: got %+v, want %+v", after, before)
			}
		})
	}
}

// childPut writes until it is refused, and fails if that is for another reason
// than the one expected.
func childPut(args []string) error {
	_, b, err := childBucket(args[0])
	if err != nil {
		return err
	}
	offset, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	want := bucketlite.ErrNotActive
	if args[2] == "true" {
		want = bucketlite.ErrLocked
	}
	put := make(chan struct{}, 1000)
	go func() {
		for range 50 {
			<-put
		}
		fmt.Println("ready")
	}()
	return storetest.AtOnce(8, func(g int) error {
		if err := storetest.WriteUntilRefused(b, offset+g, put); !errors.Is(err, want) {
			return err
		}
		return nil
	})
}

// A deletion begun by a process that crashes is finished by another.
func TestDeleteSurvivesCrash(t *testing.T) {
	t.Parallel()
	const n = 20_000
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	storetest.PutItems(t, b, n-1, 10)
	storetest.PutItem(t, b, storetest.ItemWithDoc("with content", "text"))
	storetest.Ensure(t, b, "v")
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	c := startChild(t, "delete", path)
	id := c.line(t)
	watcher := storetest.OpenPath(t, path, &bucketlite.Options{ReadOnly: true})
	amid := func(task *bucketlite.Task) bool { return 0 < task.Processed && task.Processed < n }
	var task *bucketlite.Task
	if !storetest.Eventually(func() (begun bool) {
		var err error
		if task, err = watcher.Task(context.Background(), id); err != nil {
			t.Fatal(err)
		}
		return task.Processed > 0
	}) {
		t.Fatalf("the deletion does not begin: %+v", task)
	}
	c.kill(t)
	if task, err := watcher.Task(context.Background(), id); err != nil || !amid(task) || task.Status != bucketlite.StatusInProgress {
		t.Fatalf("after the crash: got %+v, %v, want it at work", task, err)
	}
	st = storetest.OpenPath(t, path)
	storetest.WaitDeleted(t, st, task, n)
	storetest.WantSound(t, path)
	storetest.WantContent(t, st, 0)
}

// childDelete begins to delete the bucket, prints the task and works on it.
func childDelete(args []string) error {
	st, b, err := childBucket(args[0])
	if err != nil {
		return err
	}
	task, err := b.Delete(context.Background())
	if err != nil {
		return err
	}
	fmt.Println(task.ID)
	if _, err := st.Wait(context.Background(), task.ID); err != nil {
		return err
	}
	return st.Close()
}

// A process that works on batches is killed, over and over. Another takes over
// what it had, and each job ends once.
func TestProcessSurvivesKill(t *testing.T) {
	t.Parallel()
	rounds := 4
	if *storetest.Long {
		rounds = 100
	}
	t.Logf("%d kills of a process that works on batches", rounds)
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "test.db")
	st := storetest.OpenPath(t, path)
	b := storetest.IndexItems(t, storetest.Items(t, st))
	all := storetest.PutManyIDs(t, b, 300)
	r := rand.New(rand.NewPCG(3, 3))
	var batches []string
	for round := range rounds {
		batches = append(batches, storetest.Submit(t, b, all...))
		if round%2 == 0 {
			storetest.Must(t, st.Close()) // the next to open the file must recover it
		}
		n := 1 + r.IntN(250)
		c := startChild(t, "process", path, fmt.Sprint(n+20)) // less than all, however long the kill takes
		for range n {
			c.line(t)
		}
		c.kill(t)
		storetest.WantSound(t, path)
		st = storetest.OpenPath(t, path)
		b = storetest.ReopenItems(t, path)
	}
	handled := 0
	storetest.Must(t, st.Process(ctx, func(context.Context, *bucketlite.Job) error { handled++; return nil },
		&bucketlite.ProcessOptions{Concurrency: 1, MaxAttempts: 1000, UntilIdle: true}))
	if handled == 0 {
		t.Error("got nothing handled after the last kill, want what was left")
	}
	for _, id := range batches {
		k := storetest.WantBatch(t, st, b, id, bucketlite.StatusCompleted)
		task, err := st.Task(ctx, k.TaskID)
		storetest.Must(t, err)
		storetest.WantEqual(t, "processed, failed and skipped", []int64{task.Processed, k.Failed, k.Skipped}, []int64{int64(len(all)), 0, 0})
	}
	for _, object := range all {
		storetest.WantStatus(t, b, object, bucketlite.StatusCompleted)
	}
	storetest.WantSound(t, path)
}

// childProcess handles some jobs and prints the object of each. It stalls at the next
// until it is killed.
func childProcess(args []string) error {
	st, err := bucketlite.Open(context.Background(), args[0], nil)
	if err != nil {
		return err
	}
	left, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	var mu sync.Mutex // keeps lines whole
	return st.Process(context.Background(), func(_ context.Context, j *bucketlite.Job) error {
		mu.Lock()
		defer mu.Unlock()
		if left--; left < 0 {
			select {}
		}
		fmt.Println(j.Object.ID)
		if j.Attempt == 1 && rand.IntN(4) == 0 {
			return errors.New("not yet")
		}
		return nil
	}, &bucketlite.ProcessOptions{Concurrency: 4, Lease: 200 * time.Millisecond, MaxAttempts: 1000, Backoff: time.Millisecond})
}
