package bucketlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"

	"github.com/bucketlite/bucketlite/internal/typed"
)

// TypedBucket is a bucket whose objects are read and written as values of T, a struct; see
// [As]. It is safe for concurrent use, and follows changes of the bucket's schema as
// [Bucket] does.
type TypedBucket[T any] struct {
	bucket *Bucket
	record *typed.Record
}

// TypedObject is a stored object together with its value.
type TypedObject[T any] struct {
	*Object
	Value T
}

// As returns a bucket as one of T. [SchemaOf] says what T may be, but blobs need no type
// here. The error is a [*ValidationError] with everything that keeps T from carrying the
// bucket's objects: a field that the schema or the unique key requires, without a default,
// and that T lacks; a field of a type that T's member cannot hold or would not write; a
// member that the schema refuses as undeclared. It reads nothing.
//
// T may lack optional fields, as an older version of a program does. They are not lost
// unless [TypedBucket.Put] replaces the object.
func As[T any](b *Bucket) (*TypedBucket[T], error) {
	of := reflect.TypeFor[T]()
	r, err := structOf(of)
	if err != nil {
		return nil, err
	}
	def := b.current().def
	var key []string
	if def.unique != nil {
		key = def.unique.Fields
	}
	if faults := r.Fit(def.schema.document(), key); len(faults) > 0 {
		return nil, newValidationError(fmt.Sprintf("Go type %s for %s", typeName(of), b), issuesOf(faults))
	}
	return &TypedBucket[T]{b, r}, nil
}

// EnsureAs opens a bucket of T, and creates it if it does not exist, as [Store.EnsureBucket]
// does. A configuration without fields gets the schema that [SchemaOf] makes of T. Errors:
// those of these two and of [As].
func EnsureAs[T any](ctx context.Context, s *Store, namespace string, config BucketConfig, opts *EnsureOptions) (*TypedBucket[T], error) {
	if config.Schema.Properties == nil {
		made, err := SchemaOf[T]()
		if err != nil {
			return nil, err
		}
		config.Schema.Properties = made.Properties
	}
	b, err := s.EnsureBucket(ctx, namespace, config, opts)
	if err != nil {
		return nil, err
	}
	return As[T](b)
}

// Bucket returns the bucket itself.
func (t *TypedBucket[T]) Bucket() *Bucket { return t.bucket }

// Put stores v as [Bucket.Put] stores the input that [InputOf] makes of it. When it
// replaces an object, the fields that T lacks are gone: use Patch to keep them. Errors:
// those of Bucket.Put, and [ErrInvalid] for a value without a JSON form.
func (t *TypedBucket[T]) Put(ctx context.Context, v T, opts *PutOptions) (*PutResult, error) {
	in, err := t.input(&v)
	if err != nil {
		return nil, err
	}
	return t.bucket.Put(ctx, in, opts)
}

func (t *TypedBucket[T]) input(v *T) (ObjectInput, error) {
	return inputOf(t.record, reflect.ValueOf(v).Elem())
}

// PutMany stores up to [MaxPutMany] values as [Bucket.PutMany] does. A value without a JSON
// form is in the result's Failed, like any that is refused. With Atomic, it fails the call.
func (t *TypedBucket[T]) PutMany(ctx context.Context, values []T, opts *PutManyOptions) (*PutManyResult, error) {
	inputs := make([]ObjectInput, 0, len(values))
	var places []int // of the inputs among the values
	var failed []PutManyFailure
	for i := range values {
		in, err := t.input(&values[i])
		switch {
		case err == nil:
			inputs = append(inputs, in)
			places = append(places, i)
		case opts != nil && opts.Atomic:
			return &PutManyResult{Failed: []PutManyFailure{{i, err}}}, err
		default:
			failed = append(failed, PutManyFailure{i, err})
		}
	}
	res, err := t.bucket.PutMany(ctx, inputs, opts)
	if res == nil || len(failed) == 0 {
		return res, err
	}
	for i := range res.Succeeded {
		res.Succeeded[i].Index = places[res.Succeeded[i].Index]
	}
	for i := range res.Failed {
		res.Failed[i].Index = places[res.Failed[i].Index]
	}
	res.Failed = append(res.Failed, failed...)
	slices.SortFunc(res.Failed, func(a, b PutManyFailure) int { return cmp.Compare(a.Index, b.Index) })
	return res, err
}

// Get returns the object with the id. Errors: those of [Bucket.Object], and those of
// [Object.Decode].
func (t *TypedBucket[T]) Get(ctx context.Context, id string) (*TypedObject[T], error) {
	return t.typed(t.bucket.Object(ctx, id))
}

// ByKey returns the object whose unique key has these values. The key is a T of which only
// the members of the unique key count, or a map as for [Bucket.ObjectByKey], or, if the
// unique key has one field, the value of that. Errors: those of Bucket.ObjectByKey, and
// those of [Object.Decode].
func (t *TypedBucket[T]) ByKey(ctx context.Context, key any) (*TypedObject[T], error) {
	values, err := t.key(key)
	if err != nil {
		return nil, err
	}
	return t.typed(t.bucket.ObjectByKey(ctx, values))
}

// key returns the values of the unique key that ByKey was given.
func (t *TypedBucket[T]) key(key any) (map[string]any, error) {
	unique := t.bucket.UniqueKey()
	var v T
	switch k := key.(type) {
	case map[string]any:
		return k, nil
	case T:
		v = k
	case *T:
		v = *k
	default:
		if unique != nil && len(unique.Fields) == 1 {
			return map[string]any{unique.Fields[0]: key}, nil
		}
		return nil, badRequest("ByKey: got %T, want a map or %T: the unique key has not one field", key, v)
	}
	in, err := t.input(&v)
	if err != nil || unique == nil {
		return nil, err
	}
	values := make(map[string]any)
	for _, name := range unique.Fields {
		values[name] = in.Fields[name]
	}
	return values, nil
}

// typed returns an object with its value, or the error of reading it.
func (t *TypedBucket[T]) typed(o *Object, err error) (*TypedObject[T], error) {
	if err != nil {
		return nil, err
	}
	to := &TypedObject[T]{Object: o}
	if err := o.decode(t.record, reflect.ValueOf(&to.Value).Elem()); err != nil {
		return nil, err
	}
	return to, nil
}

// List returns one page of the objects that match q, as [Bucket.List] does. If the value of
// one does not fit T, it returns the error of [Object.Decode]. With a [Query].Select, other
// members of the values are zero.
func (t *TypedBucket[T]) List(ctx context.Context, q Query) (*Page[*TypedObject[T]], error) {
	found, err := t.bucket.List(ctx, q)
	if err != nil {
		return nil, err
	}
	page := &Page[*TypedObject[T]]{Results: make([]*TypedObject[T], len(found.Results)), Next: found.Next, Total: found.Total}
	for i, o := range found.Results {
		if page.Results[i], err = t.typed(o, nil); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// Objects iterates over the objects that match q, as [Bucket.Objects] does. A value that
// does not fit T ends the iteration with the error of [Object.Decode].
func (t *TypedBucket[T]) Objects(ctx context.Context, q Query) iter.Seq2[*TypedObject[T], error] {
	return func(yield func(*TypedObject[T], error) bool) {
		for o, err := range t.bucket.Objects(ctx, q) {
			to, err := t.typed(o, err)
			if !yield(to, err) || err != nil {
				return
			}
		}
	}
}

// Patch reads the object with the id, lets change change its value, and writes what has
// changed, as [Bucket.Patch] does: fields, and blobs given in members of type [BlobInput].
// What T does not know stays, within objects and the elements of lists, too. If nothing has
// changed, nothing is written.
//
// If the object is changed meanwhile, Patch starts again, unless opts.IfVersion is set. So
// change may be called several times, each time with a new value; a reader for a blob must
// be made in it. It runs outside any lock. Its error ends the call, and is returned.
//
// An element of a changed list keeps what T does not know by its place if the length of
// the list stays, and elsewhere if it has not changed. If elements have changed and moved,
// and some have such members, the error is [ErrInvalid], as for a changed member of the
// system and for a changed [Blob]. Other errors: those of Bucket.Patch and [Object.Decode].
func (t *TypedBucket[T]) Patch(ctx context.Context, id string, change func(*T) error, opts *PatchOptions) (*TypedObject[T], error) {
	if opts == nil {
		opts = &PatchOptions{}
	}
	for {
		o, err := t.bucket.Object(ctx, id)
		if err == nil {
			err = checkVersion(t.bucket, o, opts.IfVersion)
		}
		before, err := t.typed(o, err)
		if err != nil {
			return nil, err
		}
		after, err := t.typed(o, nil) // shares nothing with before
		if err == nil {
			err = change(&after.Value)
		}
		if err != nil {
			return nil, err
		}
		in, changed, err := t.difference(before, after)
		if err != nil || !changed {
			return after, err
		}
		o, err = t.bucket.Patch(ctx, id, in, &PatchOptions{IfVersion: o.Version})
		var conflict *ConflictError
		if opts.IfVersion == 0 && errors.As(err, &conflict) && conflict.Version {
			continue
		}
		return t.typed(o, err)
	}
}
