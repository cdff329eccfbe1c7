package value_test

import (
	"testing"

	"github.com/bucketlite/bucketlite/internal/value"
)

func TestFaultsKeepsTheFirst(t *testing.T) {
	t.Parallel()
	var f value.Faults
	if f.Any() {
		t.Error("the zero Faults has a fault")
	}
	for i := range value.MaxFaults + 2 {
		f.Addf(value.Path{}.Item(i), "rule", "fault %d", i)
	}
	if got := len(f.List); got != value.MaxFaults {
		t.Errorf("kept: got %d, want %d", got, value.MaxFaults)
	}
	if f.Omitted != 2 {
		t.Errorf("omitted: got %d, want 2", f.Omitted)
	}
	last := f.List[len(f.List)-1]
	if want := (value.Fault{Path: "[99]", Rule: "rule", Message: "fault 99"}); last != want {
		t.Errorf("last: got %v, want %v", last, want)
	}
}

func TestFaultsAddBelow(t *testing.T) {
	t.Parallel()
	var part value.Faults
	part.Add(value.Path{{Name: "name"}}, "a", "")
	part.Add(value.Path{}.Item(1), "b", "")
	part.Add(nil, "c", "")
	part.Omitted = 1
	whole := value.Faults{Omitted: 1}
	whole.AddBelow(value.Path{{Name: "at"}}, part)
	for i, want := range []string{"at.name", "at[1]", "at"} {
		if got := whole.List[i].Path; got != want {
			t.Errorf("path %d: got %q, want %q", i, got, want)
		}
	}
	if whole.Omitted != 2 {
		t.Errorf("omitted: got %d, want 2", whole.Omitted)
	}
}

func TestFaultsClone(t *testing.T) {
	t.Parallel()
	var f value.Faults
	f.Add(nil, "first", "")
	copied := f.Clone()
	f.Add(nil, "second", "")
	copied.Add(nil, "third", "")
	if got := f.List[1].Rule; got != "second" {
		t.Errorf("original: got %q, want %q", got, "second")
	}
	if got := copied.List[1].Rule; got != "third" {
		t.Errorf("copy: got %q, want %q", got, "third")
	}
}
