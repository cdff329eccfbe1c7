package main

import (
	"encoding/json"
	"testing"
)

func TestRowsAreTheSame(t *testing.T) {
	t.Parallel()
	r := newRow(7)
	if again := newRow(7); string(again.text) != string(r.text) {
		t.Errorf("got %s, want %s as before", again.text, r.text)
	}
	if len(r.fields) != 10 || r.fields["sku"] != r.key {
		t.Errorf("got %v, want ten fields with the key %q", r.fields, r.key)
	}
	total := 0
	for _, r := range newRows(rising, 0, 1000) {
		total += len(r.text)
	}
	if mean := total / 1000; mean < 390 || mean > 400 {
		t.Errorf("got %d bytes a row, want about 396", mean)
	}
}

func TestScatteredRepeatsNothing(t *testing.T) {
	t.Parallel()
	const n = 1_000_000
	seen := make(map[int]bool, n)
	risen := 0
	for i := range n {
		at := scattered(i)
		if at < 0 || at >= 1<<scatterBits || seen[at] {
			t.Fatalf("number %d: got %d, which is out of range or not new", i, at)
		}
		seen[at] = true
		if i > 0 && at > scattered(i-1) {
			risen++
		}
	}
	if risen < n*4/10 || risen > n*6/10 {
		t.Errorf("got %d of %d numbers larger than the one before, want about half", risen, n)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	r := newRow(1)
	var asNumbers map[string]any
	if err := json.Unmarshal(r.text, &asNumbers); err != nil {
		t.Fatal(err)
	}
	if err := r.verify(asNumbers); err != nil {
		t.Error(err)
	}
	if err := r.verify(r.changed(1).fields); err == nil {
		t.Error("got no error for other fields")
	}
}
