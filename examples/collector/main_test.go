package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// The test's program is the collector, too, so that the test can kill it.
func TestMain(m *testing.M) {
	if os.Getenv("COLLECTOR") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// lines returns the complete lines of a log.
func lines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Split(string(data[:bytes.LastIndexByte(data, '\n')+1]), "\n")
}

// A collector that was killed loses no reading that it has acknowledged, processes all,
// and sees each in the feed.
func TestCollectorKilled(t *testing.T) {
	clip, err := filepath.Abs("../../testdata/media/clip.mp4")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for round := range 3 {
		before := len(lines(t, "acked.log"))
		var out bytes.Buffer
		cmd := exec.CommandContext(t.Context(), os.Args[0], clip)
		cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), "COLLECTOR=yes"), &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(time.Minute); len(lines(t, "acked.log")) < before+60 || len(lines(t, "processed.log")) < before/2; {
			if time.Now().After(deadline) {
				t.Errorf("round %d: too few readings", round)
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); cmd.ProcessState.Exited() {
			t.Fatalf("round %d: the collector ended by itself: %v\n%s", round, err, &out)
		}
	}
	verify(t)
}

// verify processes and follows what is left, and compares the store with the logs.
func verify(t *testing.T) {
	store, err := bucketlite.Open(t.Context(), "edge.db", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	readings, err := bucketlite.EnsureAs[Reading](t.Context(), store, "edge", config, nil)
	if err != nil {
		t.Fatal(err)
	}
	process(t.Context(), store, true)
	acked := lines(t, "acked.log")
	seen := make(map[string]bool)
	last := int64(0)
	for _, line := range lines(t, "seen.log") {
		var seq int64
		var kind, id string
		if _, err := fmt.Sscan(line, &seq, &kind, &id); err != nil {
			continue // the empty last line
		}
		if seq < last {
			t.Errorf("event %d after %d", seq, last)
		}
		seen[id], last = true, seq
	}
	cursor, err := os.ReadFile("cursor")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	for e, err := range readings.Bucket().Watch(ctx, &bucketlite.WatchOptions{After: string(cursor), Idle: cancel}) {
		if err == nil {
			seen[e.ObjectID] = true
		} else if ctx.Err() == nil {
			t.Fatal(err)
		}
	}
	have := make(map[string]bool)
	for o, err := range readings.Objects(t.Context(), bucketlite.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		have[fmt.Sprint(o.Value.Sensor, " ", o.Value.N)] = true
		if clips := len(o.Blobs); clips != map[bool]int{true: 1}[o.Value.N%5 == 0] {
			t.Errorf("reading %d: got %d clips", o.Value.N, clips)
		}
		if !seen[o.ID] || o.Status != bucketlite.StatusCompleted {
			t.Errorf("reading %s %d: got in the feed %t, and status %s", o.Value.Sensor, o.Value.N, seen[o.ID], o.Status)
		}
	}
	for _, line := range acked[:len(acked)-1] {
		if !have[line] {
			t.Errorf("reading %s was acknowledged, and is lost", line)
		}
	}
	if report, err := store.Check(t.Context(), nil); err != nil || report.Err() != nil {
		t.Errorf("check: got %+v, %v", report, err)
	}
	if len(have) > len(acked)+3*4 {
		t.Errorf("got %d readings, want %d and at most one more of each sensor and round", len(have), len(acked)-1)
	}
}
