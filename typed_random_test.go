package bucketlite_test

import (
	"flag"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

var typedSeed = flag.Uint64("typed-seed", 0, "the seed of one round trip of a random Go type; 0 means many new ones")

// A value of any Go type comes back as it was, through FieldsOf, Put and Decode, in a bucket
// with the schema of the type. Nil and empty slices
// within a list count as equal, and so do an empty number and 0.
func TestTypedRoundTrips(t *testing.T) {
	t.Parallel()
	st := bucketlitetest.NewStore(t)
	ns, err := st.CreateNamespace(t.Context(), bucketlite.NamespaceConfig{Name: "random"})
	if err != nil {
		t.Fatal(err)
	}
	seeds := []uint64{*typedSeed}
	if *typedSeed == 0 {
		seeds = nil
		for range 60 {
			seeds = append(seeds, rand.Uint64())
		}
	}
	for _, seed := range seeds {
		roundTrip(t, ns, seed)
	}
}

// roundTrip makes a type from the seed, and stores values of it.
func roundTrip(t *testing.T, ns *bucketlite.Namespace, seed uint64) {
	t.Helper()
	r := storetest.NewGoTypes(seed)
	of := r.Struct(3)
	s, err := bucketlite.SchemaOfType(of)
	if err != nil {
		t.Fatalf("-typed-seed %d: the schema of %s: %v", seed, of, err)
	}
	b, err := ns.CreateBucket(t.Context(), bucketlite.BucketConfig{Name: "b" + strconv.FormatUint(seed, 10), Schema: s})
	if err != nil {
		t.Fatalf("-typed-seed %d: %v", seed, err)
	}
	for range 5 {
		want := reflect.New(of)
		r.Fill(want.Elem())
		fields, err := bucketlite.FieldsOf(want.Interface())
		if err != nil {
			t.Fatalf("-typed-seed %d: the fields of %#v: %v", seed, want.Elem(), err)
		}
		res, err := b.Put(t.Context(), bucketlite.ObjectInput{Fields: fields}, nil)
		if err != nil {
			t.Fatalf("-typed-seed %d: put %#v: %v", seed, want.Elem(), err)
		}
		got := reflect.New(of)
		if err := res.Object.Decode(got.Interface()); err != nil {
			t.Fatalf("-typed-seed %d: decode into %s: %v", seed, of, err)
		}
		if at := storetest.Difference(want.Elem(), got.Elem()); at != "" {
			t.Fatalf("-typed-seed %d: of %s: %s", seed, of, at)
		}
	}
}
