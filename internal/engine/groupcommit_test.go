package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
)

// testGroup is the shared state of a group: the keys its operations announced,
// written to the log before the commit.
type testGroup struct {
	announced []string
	fail      func(announced []string) error // nil: never
	committed func(announced []string)
}

func (g *testGroup) BeforeCommit(tx *Tx) error {
	for _, key := range g.announced {
		if _, err := tx.Exec("INSERT INTO log (k) VALUES (?)", key); err != nil {
			return err
		}
	}
	if g.fail != nil {
		return g.fail(g.announced)
	}
	return nil
}

func (g *testGroup) AfterCommit() {
	if g.committed != nil {
		g.committed(g.announced)
	}
}

// announce returns an operation that inserts an item and tells its group.
func announce(key string) func(*Tx) error {
	return func(tx *Tx) error {
		g := tx.Group().(*testGroup)
		g.announced = append(g.announced, key)
		return insert(tx, key)
	}
}

// The hooks of a group before and after its commit run once, however often its
// operations run.
func TestGroup(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		fail func(announced []string) error
		ops  []func(*Tx) error
		want []error
		keys []string // of the items, and in the log
	}{
		{
			name: "success",
			ops:  []func(*Tx) error{announce("a"), announce("b"), announce("c")},
			want: []error{nil, nil, nil},
			keys: []string{"a", "b", "c"},
		},
		{
			name: "beside a failure before a write",
			ops:  []func(*Tx) error{announce("a"), func(*Tx) error { return errTest }, announce("c")},
			want: []error{nil, errTest, nil},
			keys: []string{"a", "c"},
		},
		{
			name: "beside a failure after a write",
			ops: []func(*Tx) error{announce("a"), func(tx *Tx) error {
				return errors.Join(announce("b")(tx), errTest)
			}, announce("c")},
			want: []error{nil, errTest, nil},
			keys: []string{"a", "c"},
		},
		{
			name: "beside a panic",
			ops: []func(*Tx) error{announce("a"), func(tx *Tx) error {
				tx.Group().(*testGroup).announced = []string{"b"}
				panic("test panic")
			}, announce("c")},
			want: []error{nil, errAny, nil},
			keys: []string{"a", "c"},
		},
		{
			name: "fails because of one",
			fail: func(announced []string) error {
				if slices.Contains(announced, "b") {
					return errTest
				}
				return nil
			},
			ops:  []func(*Tx) error{announce("a"), announce("b"), announce("c")},
			want: []error{nil, errTest, nil},
			keys: []string{"a", "c"},
		},
		{
			name: "fails always",
			fail: func([]string) error { return errTest },
			ops:  []func(*Tx) error{announce("a"), announce("b"), announce("c")},
			want: []error{errTest, errTest, errTest},
			keys: []string{},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, cfg Config) {
				committed := []string{}
				cfg.NewGroup = func(bool) Group {
					return &testGroup{
						fail:      test.fail,
						committed: func(announced []string) { committed = append(committed, announced...) },
					}
				}
				db := openStore(t, cfg)
				for i, err := range together(db, test.ops...) {
					checkError(t, fmt.Sprintf("operation %d", i), err, test.want[i])
				}
				if !slices.Equal(committed, test.keys) {
					t.Errorf("announced after commits: got %q, want %q", committed, test.keys)
				}
				if got := keys(t, db); !slices.Equal(got, test.keys) {
					t.Errorf("items: got %q, want %q", got, test.keys)
				}
				if got := column(t, db, "SELECT k FROM log ORDER BY k"); !slices.Equal(got, test.keys) {
					t.Errorf("log: got %q, want %q", got, test.keys)
				}
			})
		})
	}
}

// sizes counts the operations of each group.
type sizes struct {
	mu sync.Mutex
	of []int
}

type sizeGroup struct {
	sizes *sizes
	n     int
}

func (s *sizes) newGroup(bool) Group { return &sizeGroup{sizes: s} }

func (g *sizeGroup) BeforeCommit(*Tx) error { return nil }

func (g *sizeGroup) AfterCommit() {
	g.sizes.mu.Lock()
	defer g.sizes.mu.Unlock()
	g.sizes.of = append(g.sizes.of, g.n)
}

// queueAll runs n operations that are all queued before the first can end, and
// returns how many each group had.
func queueAll(t *testing.T, n int) []int {
	t.Helper()
	var s sizes
	cfg := testConfig(newFile(t))
	cfg.NewGroup = s.newGroup
	db := openStore(t, cfg)
	var ops []func(*Tx) error
	for i := range n {
		ops = append(ops, func(tx *Tx) error {
			tx.Group().(*sizeGroup).n++
			return insert(tx, fmt.Sprintf("%04d", i))
		})
	}
	if err := errors.Join(together(db, ops...)...); err != nil {
		t.Fatal(err)
	}
	if got := len(keys(t, db)); got != n {
		t.Errorf("items: got %d, want %d", got, n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.of
}

// Not parallel, and the best of some attempts: a group also ends after a time,
// which a busy machine can use up.
func TestGroupTakesWhatWaits(t *testing.T) {
	const attempts, most = 10, 2
	var got []int
	for range attempts {
		if got = queueAll(t, 50); len(got) <= most {
			return
		}
	}
	t.Errorf("operations in each group: got %d, want at most %d groups", got, most)
}

func TestGroupIsBounded(t *testing.T) {
	t.Parallel()
	got := queueAll(t, 2*maxGroupOps)
	if biggest := slices.Max(got); biggest > maxGroupOps {
		t.Errorf("operations in a group: got %d, want at most %d", biggest, maxGroupOps)
	}
}

// A group learns that the file is unchanged since the last one only if it is.
func TestGroupUnchanged(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		between func(t *testing.T, db *DB)
		want    bool
	}{
		{"nothing", func(*testing.T, *DB) {}, true},
		{"read", func(t *testing.T, db *DB) { keys(t, db) }, true},
		{"foreign read", func(t *testing.T, db *DB) {
			mustExec(t, foreign(t, db.cfg.Path), "SELECT count(*) FROM item")
		}, true},
		{"foreign write", func(t *testing.T, db *DB) {
			mustExec(t, foreign(t, db.cfg.Path), "INSERT INTO item VALUES ('foreign', NULL)")
		}, false},
		{"write of another store", func(t *testing.T, db *DB) {
			mustPut(t, openStore(t, testConfig(db.cfg.Path)), "other")
		}, false},
		{"foreign write and own failure", func(t *testing.T, db *DB) {
			mustExec(t, foreign(t, db.cfg.Path), "INSERT INTO item VALUES ('foreign', NULL)")
			checkError(t, "failure", db.Write(context.Background(), func(tx *Tx) error {
				return errors.Join(insert(tx, "failed"), errTest)
			}), errTest)
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var told []bool
			cfg := testConfig(newFile(t))
			cfg.NewGroup = func(unchanged bool) Group {
				told = append(told, unchanged)
				return new(testGroup)
			}
			db := openStore(t, cfg)
			for _, key := range []string{"a", "b"} {
				mustPut(t, db, key)
			}
			if want := []bool{false, true}; !slices.Equal(told, want) {
				t.Errorf("the first two: got %t, want %t", told, want)
			}
			test.between(t, db)
			mustPut(t, db, "c")
			if got := told[len(told)-1]; got != test.want {
				t.Errorf("unchanged: got %t, want %t", got, test.want)
			}
		})
	}
}

// The state of a group is made anew for every transaction.
func TestGroupIsOneTransactions(t *testing.T) {
	t.Parallel()
	cfg := testConfig(newFile(t))
	cfg.NewGroup = func(bool) Group { return new(testGroup) }
	db := openStore(t, cfg)
	for _, key := range []string{"a", "b"} {
		if err := db.Write(context.Background(), announce(key)); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := column(t, db, "SELECT k FROM log ORDER BY id"), []string{"a", "b"}; !slices.Equal(got, want) {
		t.Errorf("log: got %q, want %q", got, want)
	}
}

// A panic before the commit is that of the operation that led to it. It keeps
// neither its neighbours from being committed nor later writes from their turn.
func TestPanicBeforeCommit(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		cfg.NewGroup = func(bool) Group { return new(panicGroup) }
		db := openStore(t, cfg)
		errs := together(db, put("a"), func(tx *Tx) error {
			tx.Group().(*panicGroup).panics = true
			return insert(tx, "op")
		}, put("z"))
		for i, failed := range []bool{false, true, false} {
			if got := errs[i] != nil; got != failed {
				t.Errorf("operation %d: got error %v, want one: %t", i, errs[i], failed)
			}
		}
		mustPut(t, db, "later")
		if got, want := keys(t, db), []string{"a", "later", "z"}; !slices.Equal(got, want) {
			t.Errorf("keys: got %q, want %q", got, want)
		}
	})
}

// panicGroup panics before its commit if an operation says so.
type panicGroup struct{ panics bool }

func (g *panicGroup) BeforeCommit(*Tx) error {
	if g.panics {
		panic("test panic")
	}
	return nil
}

func (*panicGroup) AfterCommit() {}

// A panic after the commit changes nothing: callers that share the group get their
// verdict, and the next ones theirs. It comes out where the leader can recover it.
func TestPanicAfterCommit(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		cfg.NewGroup = func(bool) Group { return afterGroup(func() { panic("test panic") }) }
		db := openStore(t, cfg)
		// Queued, but not waited for: the test leads.
		a, b := db.queue(context.Background(), put("a")), db.queue(context.Background(), put("b"))
		checkPanic(t, "leader", func() { a.Wait() })
		for name, p := range map[string]*Pending{"leader": a, "other": b} {
			checkError(t, name, p.Wait(), nil)
		}
		if got, want := keys(t, db), []string{"a", "b"}; !slices.Equal(got, want) {
			t.Errorf("keys: got %q, want %q", got, want)
		}
	})
}

// After a panic in the commit its outcome is unknown to all callers that share the group,
// and further writes are refused. It comes out where the leader can recover it.
func TestPanicInCommit(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, cfg Config) {
		db := openStore(t, cfg)
		a := db.queue(context.Background(), func(tx *Tx) error {
			tx.raw.OnCommit(func() bool { panic("test panic") })
			return insert(tx, "a")
		})
		b := db.queue(context.Background(), put("b"))
		checkPanic(t, "leader", func() { a.Wait() })
		for name, p := range map[string]*Pending{"leader": a, "other": b} {
			checkError(t, name, p.Wait(), ErrOutcomeUnknown)
		}
		checkError(t, "later write", db.Write(context.Background(), put("later")), ErrReadOnly)
	})
}

// afterGroup is called after its commit.
type afterGroup func()

func (afterGroup) BeforeCommit(*Tx) error { return nil }
func (g afterGroup) AfterCommit()         { g() }
