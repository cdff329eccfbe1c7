package proof_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/storetest"
)

var soak = flag.Duration("soak", 10*time.Minute, "how long the long form of the soak takes")

// A store under a mixed load for ten minutes takes no more of anything in the end than
// in the middle, and holds the written data. The short form does each kind of work once,
// and checks no slope.
func TestSoak(t *testing.T) {
	from := *storetest.Seed
	if from == 0 {
		from = rand.Uint64()
	}
	t.Logf("random numbers of -seed %d", from)
	keys, every := 100, 50*time.Millisecond
	if *storetest.Long {
		keys, every = 1000, time.Second
	}
	l := newLoad(t, t.TempDir(), keys)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	failed := make(chan error, 1)
	go func() { failed <- l.run(ctx, from) }()
	samples, err := take(l, every, failed)
	cancel()
	if err == nil {
		err = <-failed
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Log(table(samples, 20))
	t.Log(counts(l))
	if *storetest.Long {
		judgeSlopes(t, samples[len(samples)/2:])
	}
	for _, s := range l.slots {
		if err := l.verify(context.Background(), s); err != nil {
			t.Error(err)
		}
	}
	if err := errors.Join(checked(l.st), l.st.Close()); err != nil {
		t.Error(err)
	}
	if left := l.leftovers(); len(left) > 0 {
		t.Errorf("got files %q after closing, want none", left)
	}
}

// take samples the load, in the long form for its time, else until each kind of work
// has been done. It fails if the load does.
func take(l *load, every time.Duration, failed <-chan error) (samples []sample, err error) {
	start := time.Now()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case err := <-failed:
			return nil, errors.Join(err, errors.New("the load has ended early"))
		case <-tick.C:
		}
		s, err := measure(l)
		if err != nil {
			return nil, err
		}
		s.at = time.Since(start)
		samples = append(samples, s)
		if *storetest.Long && s.at >= *soak || !*storetest.Long && l.each() {
			return samples, nil
		}
	}
}

// each reports whether each kind of work has been done.
func (l *load) each() bool {
	for i := range l.done {
		if l.done[i].Load() == 0 {
			return false
		}
	}
	return true
}

// measure takes a sample.
func measure(l *load) (s sample, err error) {
	runtime.GC()
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	descriptors, resident, err := system()
	if err != nil {
		return s, err
	}
	file, err := os.Stat(storeIn(l.dir))
	if err != nil {
		return s, err
	}
	log := 0.0
	if info, err := os.Stat(storeIn(l.dir) + "-wal"); err == nil {
		log = float64(info.Size())
	} else if !errors.Is(err, fs.ErrNotExist) {
		return s, err
	}
	s.values = map[string]float64{
		"file MiB": float64(file.Size()), "log MiB": log, "heap MiB": float64(mem.HeapInuse), "resident MiB": resident,
		"descriptors": descriptors, "goroutines": float64(runtime.NumGoroutine()),
	}
	return s, nil
}

// table shows some of the samples, each the mean of those since the one before.
func table(samples []sample, lines int) string {
	var b strings.Builder
	b.WriteString("the curve:\n    time")
	for _, m := range measures {
		fmt.Fprintf(&b, " %12s", m.name)
	}
	step := max(1, len(samples)/lines)
	for end := step; end <= len(samples); end += step {
		part := samples[end-step : end]
		fmt.Fprintf(&b, "\n%7.1fs", part[len(part)-1].at.Seconds())
		for _, m := range measures {
			sum := 0.0
			for _, s := range part {
				sum += s.values[m.name]
			}
			fmt.Fprintf(&b, " %12.2f", sum/float64(len(part))/m.unit)
		}
	}
	return b.String()
}

// counts tells how often each kind of work was done.
func counts(l *load) string {
	var words []string
	for i, w := range works {
		words = append(words, fmt.Sprintf("%s %d", w.name, l.done[i].Load()))
	}
	return "done: " + strings.Join(words, ", ")
}

// judgeSlopes fails for what grows.
func judgeSlopes(t *testing.T, samples []sample) {
	t.Helper()
	for _, m := range measures {
		perMinute, mean := slope(samples, m.name)
		t.Logf("%s: mean %.2f, slope %+.3f a minute (%+.2f %%)", m.name, mean/m.unit, perMinute/m.unit, 100*perMinute/max(mean, 1))
		if grows(perMinute, mean, m.floor) {
			t.Errorf("%s: grows by %.3f a minute at a mean of %.2f, want at most %.0f %%", m.name, perMinute/m.unit, mean/m.unit, 100*growth)
		}
	}
}
