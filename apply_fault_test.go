package bucketlite_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// sell is the set of an order: it takes from the stock and records the sale.
func (s *shop) sell(sku, order string) []bucketlite.Change {
	return []bucketlite.Change{
		s.items.PatchChange(sku, setV(order), nil),
		s.notes.PutChange(item(order, ""), nil),
		s.logs.PutChange(storetest.ItemWithDoc(order, "order "+order), nil),
	}
}

// A set whose commit fails has no effect. If nobody knows, it is whole or not there.
func TestApplyFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		strike func(f *bucketlitetest.Faults)
		want   error
		sold   bool // the set took effect
		lost   bool // the store refuses writes from then on
	}{
		"the commit fails":                 {strike: func(f *bucketlitetest.Faults) { f.FailCommit(1, nil) }, want: bucketlite.ErrFull},
		"the disk is full":                 {strike: (*bucketlitetest.Faults).FillDisk, want: bucketlite.ErrFull},
		"the commit is lost":               {strike: func(f *bucketlitetest.Faults) { f.LoseCommit(1, false) }, want: bucketlite.ErrOutcomeUnknown, lost: true},
		"the commit is lost, with effects": {strike: func(f *bucketlitetest.Faults) { f.LoseCommit(1, true) }, want: bucketlite.ErrOutcomeUnknown, sold: true, lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			faults := &bucketlitetest.Faults{}
			path := filepath.Join(t.TempDir(), "test.db")
			s := openShop(t, bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Path: path, Faults: faults}))
			put(t, s.items, "a")
			before := s.seen(t)
			test.strike(faults)
			_, err := s.Apply(t.Context(), s.sell("a", "o1")...)
			storetest.WantError(t, err, test.want)
			if at := (*bucketlite.ChangeError)(nil); errors.As(err, &at) {
				t.Errorf("got error %v, want one that blames no change", err)
			}
			if !test.sold {
				s.wantSeen(t, before)
			}
			faults.Clear()
			if _, err = s.Apply(t.Context(), s.sell("a", "o2")...); !test.lost {
				storetest.Must(t, err)
				return
			}
			storetest.WantError(t, err, bucketlite.ErrReadOnly)
			storetest.Must(t, s.Close())
			storetest.WantSound(t, path)
			want := "items: a=old | notes: | logs:"
			if test.sold {
				want = "items: a=o1 | notes: o1= | logs: "
			}
			again := bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Path: path})
			s = &shop{again, bucketlitetest.Bucket(t, again, "test", "items"), bucketlitetest.Bucket(t, again, "test", "notes"), bucketlitetest.Bucket(t, again, "test", "logs")}
			if got := s.objects(t); len(got) < len(want) || got[:len(want)] != want {
				t.Errorf("after reopening: got %s, want %s", got, want)
			}
		})
	}
}

// SQLite rolls the whole transaction back at an I/O error or a full disk in
// the middle. A trigger does so here. The set fails as a whole, in a group with others as
// well as alone, and the others succeed.
func TestApplyInterrupted(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"ROLLBACK", "ABORT", "FAIL"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
			s := openShop(t, st)
			storetest.IndexItems(t, s.items)
			raw := storetest.OpenRaw(t, path)
			if _, err := raw.Exec("CREATE TRIGGER broken BEFORE INSERT ON object WHEN new.id = 'broken' BEGIN SELECT RAISE(" + action + ", 'disk I/O error'); END"); err != nil {
				t.Fatal(err)
			}
			put(t, s.items, "a")
			before := s.seen(t)
			set := append(s.sell("a", "o1"), s.notes.PutChange(item("broken", ""), nil), s.notes.PutChange(item("after", ""), nil))
			if _, err := s.Apply(t.Context(), set...); err == nil {
				t.Error("got no error from a set whose transaction breaks off")
			}
			s.wantSeen(t, before)
			storetest.Must(t, storetest.AtOnce(16, func(i int) error {
				for n := range 5 {
					id := fmt.Sprintf("%d-%d", i, n)
					if _, err := s.Apply(context.Background(), s.notes.PutChange(item(id, ""), nil), s.logs.PutChange(item(id, ""), nil)); err != nil {
						return err
					}
					if _, err := s.Apply(context.Background(), set...); err == nil {
						return errors.New("got no error from a set whose transaction breaks off")
					}
				}
				return nil
			}))
			for _, b := range s.buckets() {
				storetest.WantExact(t, b)
			}
			if stats := storetest.MustStats(t, s.notes); stats.ObjectCount != 80 {
				t.Errorf("got %d notes, want 80", stats.ObjectCount)
			}
			if _, err := raw.Exec("DROP TRIGGER broken"); err != nil {
				t.Fatal(err)
			}
			storetest.Must(t, st.Close())
			storetest.WantSound(t, path)
		})
	}
}

// A set that was refused in the transaction may run again, because a call in the same group
// breaks off. It is refused again: nothing that was merged ahead is stored.
func TestApplyRefusedAgain(t *testing.T) {
	t.Parallel()
	faults := &bucketlitetest.Faults{}
	path := filepath.Join(t.TempDir(), "test.db")
	s := openShop(t, bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Path: path, Faults: faults}))
	raw := storetest.OpenRaw(t, path)
	if _, err := raw.Exec("CREATE TRIGGER broken BEFORE INSERT ON object WHEN new.id = 'broken' BEGIN SELECT RAISE(ROLLBACK, 'disk I/O error'); END"); err != nil {
		t.Fatal(err)
	}
	old := storetest.Put(t, s.items, item("a", "old"), bucketlite.Insert)
	stale := setV("stale")
	stale.Fields["updated_at"] = old.UpdatedAt // true ahead, but not after the first change
	reached, release := faults.HoldCommit(1)
	errs := make([]error, 20)
	var calls sync.WaitGroup
	call := func(i int, f func(context.Context) error) {
		calls.Go(func() { errs[i] = f(context.Background()) })
	}
	call(0, func(ctx context.Context) error { _, err := s.notes.Put(ctx, item("first", ""), nil); return err })
	<-reached
	prepared := make(chan bool)
	call(1, func(ctx context.Context) error {
		last := readerFunc(func([]byte) (int, error) { close(prepared); return 0, io.EOF })
		_, err := s.Apply(ctx, s.items.PatchChange("a", bucketlite.ObjectInput{Fields: map[string]any{"n": 5}}, nil), s.items.PatchChange("a", stale, nil),
			s.notes.PutChange(bucketlite.ObjectInput{Fields: map[string]any{"k": "n"}, Blobs: []bucketlite.BlobInput{{Property: "doc", Reader: last}}}, nil))
		return err
	})
	<-prepared
	for i := range errs[2:] { // some are likely to come after the set in its group
		call(2+i, func(ctx context.Context) error { _, err := s.logs.Put(ctx, item("broken", ""), nil); return err })
	}
	release()
	calls.Wait()
	storetest.Must(t, errs[0])
	storetest.WantError(t, errs[1], bucketlite.ErrInvalid)
	for _, err := range errs[2:] {
		if err == nil {
			t.Error("got no error from a call that breaks off")
		}
	}
	if got := s.objects(t); got != "items: a=old | notes: first= | logs:" {
		t.Errorf("got %s", got)
	}
	if _, err := raw.Exec("DROP TRIGGER broken"); err != nil {
		t.Fatal(err)
	}
}

// A reader may apply a set of its own. If that is refused, the error is about the change of
// the reader, whatever the refusal.
func TestApplyInReaderFails(t *testing.T) {
	t.Parallel()
	s := openShop(t, bucketlitetest.NewStore(t))
	for _, refusal := range []error{bucketlite.ErrConflict, bucketlite.ErrBusy, bucketlite.ErrFull, bucketlite.ErrReadOnly, bucketlite.ErrClosed, context.Canceled} {
		broken := readerFunc(func([]byte) (int, error) { return 0, &bucketlite.ChangeError{Index: 99, Err: refusal} })
		in := bucketlite.ObjectInput{Fields: map[string]any{"k": "b"}, Blobs: []bucketlite.BlobInput{{Property: "doc", Reader: broken}}}
		_, err := s.Apply(t.Context(), s.items.PutChange(item("a", ""), nil), s.notes.PutChange(in, nil))
		if at := (*bucketlite.ChangeError)(nil); !errors.As(err, &at) || at.Index != 1 || !errors.Is(err, refusal) {
			t.Errorf("got error %v, want %v of change 1", err, refusal)
		}
	}
	if got := s.objects(t); got != "items: | notes: | logs:" {
		t.Errorf("got %s, want nothing", got)
	}
}

// A set that only deletes may use the space that is kept for deletions.
func TestApplyDeletesOnFullDisk(t *testing.T) {
	t.Parallel()
	faults := &bucketlitetest.Faults{}
	s := openShop(t, bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Faults: faults}))
	for _, b := range s.buckets() {
		put(t, b, "a")
	}
	var deletions []bucketlite.Change
	for _, b := range s.buckets() {
		deletions = append(deletions, b.DeleteChange("a", nil))
	}
	faults.FailCommit(1, nil)
	_, err := s.Apply(t.Context(), append(deletions, s.items.PutChange(item("b", ""), nil))...)
	storetest.WantError(t, err, bucketlite.ErrFull)
	faults.FailCommit(1, nil)
	if _, err := s.Apply(t.Context(), deletions...); err != nil {
		t.Errorf("got error %v, want the deletions to try again with more space", err)
	}
	if got := s.objects(t); got != "items: | notes: | logs:" {
		t.Errorf("got %s, want nothing", got)
	}
}

// 32 sellers take from a stock, with the version they have read as the guard, while some
// commits fail. Nothing is sold twice.
func TestApplySellsOnce(t *testing.T) {
	t.Parallel()
	const stock, sellers = 60, 32
	faults := &bucketlitetest.Faults{}
	s := openShop(t, bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Faults: faults}))
	left := func(n int64) bucketlite.ObjectInput { return bucketlite.ObjectInput{Fields: map[string]any{"n": n}} }
	in := left(stock)
	in.ID, in.Fields["k"] = "shoe", "shoe"
	storetest.Put(t, s.items, in, bucketlite.Insert)
	for n := range 20 {
		faults.FailCommit(2+3*n, nil)
	}
	sell := func(ctx context.Context, seller, n int) (sold bool, err error) {
		for {
			shoe, err := s.items.Object(ctx, "shoe")
			if err != nil {
				return false, err
			}
			var have int64
			if _, err := fmt.Sscan(fmt.Sprint(shoe.Fields["n"]), &have); err != nil || have == 0 {
				return false, err
			}
			_, err = s.Apply(ctx,
				s.items.PatchChange("shoe", left(have-1), &bucketlite.PatchOptions{IfVersion: shoe.Version}),
				s.notes.PutChange(storetest.Item(fmt.Sprintf("%d-%d", seller, n), ""), &bucketlite.PutOptions{IfAbsent: true}))
			if err == nil || !errors.Is(err, bucketlite.ErrConflict) && !errors.Is(err, bucketlite.ErrFull) {
				return err == nil, err
			}
		}
	}
	sales := make([]int, sellers)
	storetest.Must(t, storetest.AtOnce(sellers, func(i int) error {
		for {
			sold, err := sell(context.Background(), i, sales[i])
			if err != nil || !sold {
				return err
			}
			sales[i]++
		}
	}))
	sum := 0
	for _, n := range sales {
		sum += n
	}
	orders := storetest.MustStats(t, s.notes).ObjectCount
	shoe, err := s.items.Object(t.Context(), "shoe")
	if err != nil {
		t.Fatal(err)
	}
	if sum != stock || orders != stock || fmt.Sprint(shoe.Fields["n"]) != "0" {
		t.Errorf("got %d sales, %d orders and %v shoes left, want %d, %d and 0", sum, orders, shoe.Fields["n"], stock, stock)
	}
}
