package engine

import (
	"context"
	"slices"
	"testing"
	"time"
)

// brief is a time that a test waits out.
const brief = 20 * time.Millisecond

// giveUp runs a call that must wait until it gives up, which shows that a call
// that began to wait earlier still does.
func giveUp(t *testing.T, what string, call func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), brief)
	defer cancel()
	checkError(t, what, call(ctx), context.DeadlineExceeded)
}

func TestEndedContext(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		ran := false
		checkError(t, "Write", db.Write(ctx, func(*Tx) error { ran = true; return nil }), context.Canceled)
		checkError(t, "Start", db.Start(ctx, func(*Tx) error { ran = true; return nil }).Wait(), context.Canceled)
		checkError(t, "Read", db.Read(ctx, func(*Conn) error { ran = true; return nil }), context.Canceled)
		mustPut(t, db, "after") // comes after whatever was queued before it
		if ran {
			t.Error("ran under an ended context: got true, want false")
		}
	})
}

// A write that gives up waiting for another's lock never happens.
func TestContextEndsWhileLocked(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	unlock := lockFile(t, db.cfg.Path)
	patient := db.Start(context.Background(), put("patient"))

	giveUp(t, "deadline", func(ctx context.Context) error { return db.Write(ctx, put("deadline")) })
	ctx, cancel := context.WithCancel(context.Background())
	canceled := db.Start(ctx, put("canceled"))
	cancel()
	checkError(t, "canceled", canceled.Wait(), context.Canceled)

	unlock()
	checkError(t, "patient", patient.Wait(), nil)
	mustPut(t, db, "after")
	if got, want := keys(t, db), []string{"after", "patient"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
}

// An operation whose group holds the lock has its verdict, whatever becomes of
// the context.
func TestContextEndsInGroup(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		op   func(*Tx) error
		want error
		keys []string
	}{
		{"success", put("op"), nil, []string{"op"}},
		{"failure", func(*Tx) error { return errTest }, errTest, []string{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, cfg Config) {
				db := openStore(t, cfg)
				ctx, cancel := context.WithCancel(context.Background())
				running, release := make(chan struct{}), make(chan struct{})
				verdict := make(chan error, 1)
				go func() {
					verdict <- db.Write(ctx, func(tx *Tx) error {
						close(running)
						<-release
						return test.op(tx)
					})
				}()
				<-running
				cancel()
				close(release)
				checkError(t, "Write", <-verdict, test.want)
				if got := keys(t, db); !slices.Equal(got, test.keys) {
					t.Errorf("keys: got %q, want %q", got, test.keys)
				}
			})
		})
	}
}

// An operation whose context ends while another group runs is not run.
func TestContextEndsInQueue(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		ctx, cancel := context.WithCancel(context.Background())
		running, release := make(chan struct{}), make(chan struct{})
		first := db.Start(context.Background(), func(tx *Tx) error {
			close(running)
			<-release
			return insert(tx, "first")
		})
		<-running
		queued := db.Start(ctx, put("queued"))
		cancel()
		checkError(t, "queued", queued.Wait(), context.Canceled)
		close(release)
		checkError(t, "first", first.Wait(), nil)
		mustPut(t, db, "after")
		if got, want := keys(t, db), []string{"after", "first"}; !slices.Equal(got, want) {
			t.Errorf("keys: got %q, want %q", got, want)
		}
	})
}

func TestLockOutlastsBusyTimeout(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	cfg.BusyTimeout = brief
	db := openStore(t, cfg)
	unlock := lockFile(t, cfg.Path)
	start := time.Now()
	checkError(t, "Write", db.Write(context.Background(), put("late")), ErrBusy)
	if got := time.Since(start); got < brief {
		t.Errorf("time to ErrBusy: got %v, want at least %v", got, brief)
	}
	unlock()
	mustPut(t, db, "after")
	if got, want := keys(t, db), []string{"after"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
}

func TestLockReleasedInTime(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	unlock := lockFile(t, db.cfg.Path)
	waiting := db.Start(context.Background(), put("waiting"))
	giveUp(t, "behind it", func(ctx context.Context) error { return db.Write(ctx, put("behind")) })
	select {
	case <-waiting.done:
		t.Error("write while locked: got a verdict, want none")
	default:
	}
	unlock()
	checkError(t, "Write", waiting.Wait(), nil)
	if got, want := keys(t, db), []string{"waiting"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
}

// Who leads the group may give up waiting for the lock; another then leads.
func TestLeaderGivesUpWhileLocked(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	unlock := lockFile(t, db.cfg.Path)
	ctx, cancel := context.WithTimeout(context.Background(), brief)
	defer cancel()
	impatient := db.Start(ctx, put("impatient"))
	patient := db.Start(context.Background(), put("patient"))
	checkError(t, "impatient", impatient.Wait(), context.DeadlineExceeded)
	unlock()
	checkError(t, "patient", patient.Wait(), nil)
	if got, want := keys(t, db), []string{"patient"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
}

// In memory there is one connection for all, so a write waits for a read.
func TestContextEndsWhileMemoryIsRead(t *testing.T) {
	t.Parallel()
	db := openStore(t, testConfig(Memory))
	var patient *Pending
	err := db.Read(context.Background(), func(*Conn) error {
		ctx, cancel := context.WithTimeout(context.Background(), brief)
		defer cancel()
		impatient := db.Start(ctx, put("impatient"))
		patient = db.Start(context.Background(), put("patient"))
		return impatient.Wait()
	})
	checkError(t, "impatient", err, context.DeadlineExceeded)
	checkError(t, "patient", patient.Wait(), nil)
	if got, want := keys(t, db), []string{"patient"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
}

// An operation that must run again, alone, may find that another process has
// taken the lock in between. No hook runs there, so the test plays the leader.
func TestLockTakenBeforeRerun(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	mustPut(t, db, "before")
	unlock := lockFile(t, db.cfg.Path)
	again := func(key string) error {
		db.writer.turn <- struct{}{}
		defer func() { <-db.writer.turn }()
		p := &Pending{ctx: context.Background(), run: put(key), deadline: time.Now().Add(brief)}
		return db.writer.alone(db.writer.conn, p)
	}
	checkError(t, "locked", again("locked"), ErrBusy)
	unlock()
	checkError(t, "released", again("released"), nil)
	if got, want := keys(t, db), []string{"before", "released"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
}

// A call that waits once for all of its operations gets ErrBusy from the later ones
// without waiting, also when the lock has come free; other calls do not.
func TestWaitOnce(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	cfg.BusyTimeout = brief
	db := openStore(t, cfg)
	ctx := WaitOnce(context.Background())
	if WaitOnce(ctx) != ctx {
		t.Error("WaitOnce of its own context: got another, want the same")
	}
	checkError(t, "before", db.Write(ctx, put("before")), nil)
	if HasWaited(ctx) {
		t.Error("HasWaited: got true without a lock, want false")
	}
	unlock := lockFile(t, cfg.Path)
	checkError(t, "locked", db.Write(ctx, put("locked")), ErrBusy)
	if !HasWaited(ctx) {
		t.Error("HasWaited: got false after ErrBusy, want true")
	}
	unlock()
	checkError(t, "later", db.Write(ctx, put("later")), ErrBusy)
	mustPut(t, db, "other")
	if got, want := keys(t, db), []string{"before", "other"}; !slices.Equal(got, want) {
		t.Errorf("keys: got %q, want %q", got, want)
	}
}
