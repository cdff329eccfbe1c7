package bucketlitetest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// Load creates the namespaces, buckets and objects that the JSON file at path
// describes, in order. The path is relative to the directory of the package under
// test, as in "testdata/shop.json":
//
//	{"namespaces": [{
//	    "namespace_name": "shop",
//	    "buckets": [{
//	        "bucket_name": "products",
//	        "bucket_schema": {"properties": {"sku": {"type": "string"}}},
//	        "unique_key": {"fields": ["sku"]},
//	        "objects": [{"sku": "A-1"}, {"sku": "A-2"}]
//	    }]
//	}]}
//
// Namespaces and buckets have the JSON form of [bucketlite.NamespaceConfig] and
// [bucketlite.BucketConfig], and objects that of [bucketlite.ObjectInput], with bytes as
// base64 or data URIs. None of them may exist yet, and an unknown member is an error.
//
// An error ends the test at once, with its file, line and path. Everything created
// until then stays.
func Load(t testing.TB, st *bucketlite.Store, path string) {
	t.Helper()
	if err := load(t.Context(), st, path); err != nil {
		t.Fatalf("bucketlitetest: load a fixture:%v", err)
	}
}

// LoadObjects puts the objects of the file at path in a bucket, in order, and
// returns them. A file whose name ends in .jsonl or .ndjson has one in each line,
// empty lines aside; any other is a JSON array of them, or {"objects": […]}. They
// have the JSON form of [bucketlite.ObjectInput]. If the bucket has a unique key, a
// key that is taken is an error.
//
// If objects are refused, the test ends at once with the file, line and path of each.
// The others have been put.
func LoadObjects(t testing.TB, b *bucketlite.Bucket, path string) []*bucketlite.Object {
	t.Helper()
	nodes, err := readObjects(path)
	if err != nil {
		t.Fatalf("bucketlitetest: load objects:%v", err)
	}
	objects, err := put(t.Context(), b, nodes)
	if err != nil {
		t.Fatalf("bucketlitetest: load objects:%v", err)
	}
	return objects
}

// Bucket returns a bucket by the names, or ids, of its namespace and itself. If
// there is none, the test ends at once.
func Bucket(t testing.TB, st *bucketlite.Store, namespace, bucket string) *bucketlite.Bucket {
	t.Helper()
	ns, err := st.Namespace(t.Context(), namespace)
	if err != nil {
		t.Fatalf("bucketlitetest: %v", err)
	}
	b, err := ns.Bucket(t.Context(), bucket)
	if err != nil {
		t.Fatalf("bucketlitetest: %v", err)
	}
	return b
}

// load creates the items that a file describes.
func load(ctx context.Context, st *bucketlite.Store, path string) error {
	root, err := readNode(path)
	if err != nil {
		return err
	}
	return root.members(func(name string, n node) error {
		if name != "namespaces" {
			return n.fault("no such member")
		}
		return n.items(func(n node) error { return loadNamespace(ctx, st, n) })
	})
}

func loadNamespace(ctx context.Context, st *bucketlite.Store, n node) error {
	var config bucketlite.NamespaceConfig
	buckets, err := n.configure(&config, "buckets")
	if err != nil {
		return err
	}
	ns, err := st.CreateNamespace(ctx, config)
	if err != nil {
		return n.refused(err)
	}
	for _, n := range buckets {
		if err := loadBucket(ctx, ns, n); err != nil {
			return err
		}
	}
	return nil
}

func loadBucket(ctx context.Context, ns *bucketlite.Namespace, n node) error {
	var config bucketlite.BucketConfig
	objects, err := n.configure(&config, "objects")
	if err != nil {
		return err
	}
	b, err := ns.CreateBucket(ctx, config)
	if err != nil {
		return n.refused(err)
	}
	_, err = put(ctx, b, objects)
	return err
}

// configure decodes n into config, a pointer to a struct, and returns the items of
// its member children.
func (n node) configure(config any, children string) (items []node, err error) {
	err = n.members(func(name string, n node) error {
		if name == children {
			return n.items(func(n node) error {
				items = append(items, n)
				return nil
			})
		}
		// One by one, so that an error is about this one.
		text, err := json.Marshal(map[string]json.RawMessage{name: n.raw})
		if err != nil {
			return n.fault(err.Error())
		}
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		d.DisallowUnknownFields()
		err = d.Decode(config)
		var wrongType *json.UnmarshalTypeError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &wrongType):
			return n.fault(wrongType.Type.String() + " expected, got " + wrongType.Value)
		case errors.As(err, new(*bucketlite.ValidationError)):
			return n.refused(err)
		}
		return n.fault(strings.TrimPrefix(err.Error(), "json: "))
	})
	return items, err
}

// readObjects returns the objects in a file.
func readObjects(path string) (objects []node, err error) {
	if strings.HasSuffix(path, ".jsonl") || strings.HasSuffix(path, ".ndjson") {
		text, err := readText(path)
		if err != nil {
			return nil, err
		}
		line := 0
		for raw := range bytes.Lines(text) {
			line++
			raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\ufeff"))) // of another file in this one
			if len(raw) > 0 {
				objects = append(objects, node{file: path, line: line, raw: raw})
			}
		}
		return objects, nil
	}
	root, err := readNode(path)
	if err != nil {
		return nil, err
	}
	add := func(n node) error {
		objects = append(objects, n)
		return nil
	}
	if root.raw[0] == '[' {
		return objects, root.items(add)
	}
	err = root.members(func(name string, n node) error {
		if name != "objects" {
			return n.fault("no such member")
		}
		return n.items(add)
	})
	return objects, err
}

// maxFaults is how many refused objects are reported.
const maxFaults = 20

// put stores objects, and returns them or the faults of the refused ones.
func put(ctx context.Context, b *bucketlite.Bucket, nodes []node) (objects []*bucketlite.Object, err error) {
	refused := make([]error, len(nodes))
	var inputs []bucketlite.ObjectInput
	var places []int // in nodes, of the inputs
	for i, n := range nodes {
		var in bucketlite.ObjectInput
		if err := in.UnmarshalJSON(n.raw); err != nil {
			refused[i] = n.refused(err)
			continue
		}
		inputs, places = append(inputs, in), append(places, i)
	}
	for len(inputs) > 0 {
		size := min(len(inputs), bucketlite.MaxPutMany)
		res, err := b.PutMany(ctx, inputs[:size], &bucketlite.PutManyOptions{Policy: bucketlite.Insert})
		if err != nil {
			return nil, fmt.Errorf(" %w", err)
		}
		for _, f := range res.Failed {
			refused[places[f.Index]] = nodes[places[f.Index]].refused(f.Err)
		}
		for _, s := range res.Succeeded {
			objects = append(objects, s.Object)
		}
		inputs, places = inputs[size:], places[size:]
	}
	refused = slices.DeleteFunc(refused, func(err error) bool { return err == nil })
	if len(refused) == 0 {
		return objects, nil
	}
	var text strings.Builder
	for _, err := range refused[:min(len(refused), maxFaults)] {
		text.WriteString(err.Error())
	}
	if more := len(refused) - maxFaults; more > 0 {
		fmt.Fprintf(&text, "\n\tand %d more", more)
	}
	return nil, errors.New(text.String())
}
