package proof_test

import (
	"bufio"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A workload ends at any moment, since its process is killed or, in the long form, the
// power is cut. Every second store is opened with Options.PlainIO. Acknowledged calls are there when the file is opened again, unless
// the power was cut with [bucketlite.DurabilityNormal], and no rule is broken.
func TestCrash(t *testing.T) {
	t.Run("the process is killed", func(t *testing.T) {
		rounds := 4
		if *storetest.Long {
			rounds = 1000
		}
		r, start := storetest.NewRand(t), time.Now()
		var wg sync.WaitGroup
		turns := make(chan struct{}, 2*runtime.NumCPU())
		acknowledged := make([]int, rounds)
		for i := range acknowledged {
			lines, delay := r.IntN(60), time.Duration(r.IntN(5000))*time.Microsecond
			turns <- struct{}{}
			wg.Go(func() {
				defer func() { <-turns }()
				var err error
				how := []manner{full, full.plainly()}[i%2]
				if acknowledged[i], err = kill(t.TempDir(), how, lines, delay); err != nil {
					t.Errorf("%v, killed %v after %d lines: %v", how, delay, lines, err)
				}
			})
		}
		wg.Wait()
		sum := 0
		for _, n := range acknowledged {
			sum += n
		}
		t.Logf("%d kills, %d calls acknowledged before, in %.0f s", rounds, sum, time.Since(start).Seconds())
	})
	if *storetest.Long {
		for _, how := range manners {
			t.Run("the power is cut, "+how.String(), func(t *testing.T) { cutPower(t, how) })
		}
	}
}

// kill kills a workload some time after it has printed some lines, and checks the file. It
// returns how many calls were acknowledged.
func kill(dir string, how manner, lines int, delay time.Duration) (acknowledged int, err error) {
	cmd, err := workloadIn(dir, how)
	if err != nil {
		return 0, err
	}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	l, out := newLedger(), bufio.NewScanner(pipe)
	read := func() bool {
		if !out.Scan() {
			return false
		}
		if strings.HasPrefix(out.Text(), wordDone) {
			acknowledged++
		}
		err = errors.Join(err, l.note(out.Text()))
		return true
	}
	for range lines {
		read()
	}
	// The delay decides where in its next call the workload is killed.
	time.AfterFunc(delay, func() { cmd.Process.Kill() })
	for read() { // what it has printed by then
	}
	cmd.Wait()
	return acknowledged, errors.Join(err, judgeStore(storeIn(dir), l), judgeBackup(backupIn(dir)))
}
