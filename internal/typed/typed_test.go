package typed_test

import (
	"reflect"
	"testing"

	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"github.com/bucketlite/bucketlite/internal/typed"
	"github.com/bucketlite/bucketlite/internal/value"
)

type (
	stored struct{ ID string }
	given  struct{ ID string }
	status string
)

// A value of any Go type conforms to the schema of the type, and comes back from the form
// in which an object is stored. A change writes what differs between two values.
func FuzzRoundTrip(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed)
	}
	types := typed.NewTypes(typed.Special{Stored: reflect.TypeFor[stored](), Given: reflect.TypeFor[given](), Status: reflect.TypeFor[status]()})
	f.Fuzz(func(t *testing.T, seed uint64) {
		g := storetest.NewGoTypes(seed)
		of := g.Struct(3)
		r, faults := types.Struct(of)
		if len(faults) > 0 {
			t.Fatalf("%s: %v", of, faults)
		}
		doc, faults := r.Schema()
		if len(faults) > 0 {
			t.Fatalf("the schema of %s: %v", of, faults)
		}
		root, err := value.Parse(value.Append(nil, doc.Root), schema.Limits)
		if err != nil {
			t.Fatal(err)
		}
		plan, faults := schema.Compile(root)
		if len(faults) > 0 {
			t.Fatalf("the schema of %s: %v", of, faults)
		}
		if faults := r.Fit(doc.Root, nil); len(faults) > 0 {
			t.Fatalf("%s does not fit its own schema: %v", of, faults)
		}
		one, other := reflect.New(of).Elem(), reflect.New(of).Elem()
		g.Fill(one)
		g.Fill(other)
		before, after := store(t, r, plan, one), store(t, r, plan, other)
		check(t, r, one, before)
		check(t, r, other, after)

		var bad value.Faults
		merged := before
		for name, v := range r.Change(&bad, before, encode(t, r, one), encode(t, r, other)) {
			if v == nil {
				delete(merged, name)
			} else {
				merged[name] = v
			}
		}
		if bad.Any() {
			t.Fatalf("the change of %s: %v", of, bad.List)
		}
		check(t, r, other, merged)
	})
}

// encode returns the fields of v as plain values.
func encode(t *testing.T, r *typed.Record, v reflect.Value) map[string]any {
	t.Helper()
	var faults value.Faults
	plain, ok := value.Plain(r.Encode(&faults, v), nil, value.Limits{}, faults.Add)
	if !ok || faults.Any() {
		t.Fatalf("encode %#v: %v", v, faults.List)
	}
	return plain.(map[string]any)
}

// store returns the fields of v as they come back from their stored form.
func store(t *testing.T, r *typed.Record, plan *schema.Plan, v reflect.Value) map[string]any {
	t.Helper()
	var judge schema.Validation
	fields, _ := plan.Validate(&judge, nil, encode(t, r, v), nil)
	if judge.Any() {
		t.Fatalf("%#v does not conform: %v", v, judge.List)
	}
	stored, err := jsonb.Parse(plan.Encode(fields, nil).JSONB)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

// check checks that fields are those of v.
func check(t *testing.T, r *typed.Record, v reflect.Value, fields map[string]any) {
	t.Helper()
	var faults value.Faults
	got := reflect.New(v.Type()).Elem()
	if r.Decode(&faults, got, fields); faults.Any() {
		t.Fatalf("decode %v into %s: %v", fields, v.Type(), faults.List)
	}
	if at := storetest.Difference(v, got); at != "" {
		t.Fatalf("%s: %s", v.Type(), at)
	}
}
