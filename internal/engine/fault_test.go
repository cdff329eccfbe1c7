package engine

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// A hook decides the outcome of a commit, and the writer acts on it.
func TestCommitHook(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		hook  CommitHook // for the second write
		want  error
		later error
		keys  []string
	}{
		{"commits", func(commit func() error) error { return commit() }, nil, nil, []string{"first", "second", "third"}},
		{"fails", func(func() error) error { return ErrFull }, ErrFull, nil, []string{"first", "third"}},
		{"loses", func(func() error) error { return ErrDisk }, ErrOutcomeUnknown, ErrReadOnly, []string{"first"}},
		{"commits and loses", func(commit func() error) error { return errors.Join(commit(), ErrDisk) },
			ErrOutcomeUnknown, ErrReadOnly, []string{"first", "second"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, cfg Config) {
				ctx := context.Background()
				calls := 0
				db, err := Open(WithCommitHook(ctx, func(commit func() error) error {
					if calls++; calls == 2 {
						return test.hook(commit)
					}
					return commit()
				}), cfg)
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				mustPut(t, db, "first")
				checkError(t, "second write", db.Write(ctx, put("second")), test.want)
				checkError(t, "third write", db.Write(ctx, put("third")), test.later)
				if got := keys(t, db); !slices.Equal(got, test.keys) {
					t.Errorf("keys: got %q, want %q", got, test.keys)
				}
				if cfg.Path == Memory {
					return
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
				again := openStore(t, cfg)
				mustPut(t, again, "third and last")
				if got, want := keys(t, again), append(slices.Clip(test.keys), "third and last"); !slices.Equal(got, want) {
					t.Errorf("keys after reopening: got %q, want %q", got, want)
				}
			})
		})
	}
}

// A call that changes nothing does not reach the disk, and thus not the hook.
func TestCommitHookWithoutChange(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	calls := 0
	db, err := Open(WithCommitHook(ctx, func(commit func() error) error {
		calls++
		return commit()
	}), testConfig(newFile(t)))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	refusal := errors.New("refused")
	for i, op := range []func(*Tx) error{
		func(*Tx) error { return nil },
		func(*Tx) error { return refusal },
		func(tx *Tx) error { _, err := tx.Exec("DELETE FROM item WHERE k = 'nobody'"); return err },
		func(tx *Tx) error { return errors.Join(insert(tx, "gone"), refusal) },
	} {
		if err := db.Write(ctx, op); err != nil && !errors.Is(err, refusal) {
			t.Errorf("operation %d: %v", i, err)
		}
	}
	if calls != 0 {
		t.Errorf("got %d calls of the hook, want none", calls)
	}
	mustPut(t, db, "kept")
	if calls != 1 {
		t.Errorf("got %d calls of the hook, want 1", calls)
	}
}
