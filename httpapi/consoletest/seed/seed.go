// Package seed fills a store with everything that a console must show: media, states,
// batches, damage, and hostile names and contents.
package seed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/bucketlite/bucketlite"
)

// Seed names what a store was filled with.
type Seed struct {
	// IDs are the ids by name: namespaces as "studio", buckets as "studio/products",
	// objects, batches and uploads as "studio/products/lamp-01".
	IDs map[string]string

	clock *clock
	media string
}

// Main is the name of the namespace with almost all buckets.
const Main = "studio"

// Fill fills a new file at path, and closes it. The contents are always the same. Their
// times end now and begin four weeks earlier, and ids differ with them.
func Fill(ctx context.Context, path string) (*Seed, error) {
	s := &Seed{IDs: make(map[string]string), clock: newClock(), media: mediaDir()}
	st, err := bucketlite.Open(ctx, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal, Now: s.clock.now, Reserve: -1})
	if err != nil {
		return nil, err
	}
	err = s.fill(ctx, st)
	if err = errors.Join(err, st.Close()); err != nil {
		return nil, fmt.Errorf("seed: %w", err)
	}
	if err := damage(ctx, path); err != nil {
		return nil, fmt.Errorf("seed: damage: %w", err)
	}
	return s, nil
}

// ID returns the id of a name in IDs, and panics if there is none.
func (s *Seed) ID(name string) string {
	id, ok := s.IDs[name]
	if !ok {
		panic("seed: nothing has the name " + name)
	}
	return id
}

// Path replaces names in braces by their ids, as in "console/n/{studio}/".
func (s *Seed) Path(path string) string {
	for strings.Contains(path, "{") {
		before, rest, _ := strings.Cut(path, "{")
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			panic("seed: no } in " + path)
		}
		path = before + s.ID(name) + after
	}
	return path
}

func (s *Seed) fill(ctx context.Context, st *bucketlite.Store) error {
	for _, config := range []bucketlite.NamespaceConfig{
		{Name: Main, Description: "Everything for the shop and its films."},
		{Name: "scratch", Description: "Nothing yet."},
		{Name: Hostile, Description: Hostile},
	} {
		ns, err := st.CreateNamespace(ctx, config)
		if err != nil {
			return err
		}
		s.IDs[config.Name] = ns.ID()
	}
	ns, err := st.Namespace(ctx, Main)
	if err != nil {
		return err
	}
	for _, part := range []func(context.Context, *bucketlite.Namespace) error{
		s.products, s.films, s.documents, s.hostile, s.states, s.damaged,
	} {
		if err := part(ctx, ns); err != nil {
			return err
		}
	}
	s.clock.catchUp() // tasks of weeks ago would be forgotten
	return s.batches(ctx, st, ns)
}

// bucket creates a bucket.
func (s *Seed) bucket(ctx context.Context, ns *bucketlite.Namespace, config bucketlite.BucketConfig) (*bucketlite.Bucket, error) {
	b, err := ns.CreateBucket(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("bucket %q: %w", config.Name, err)
	}
	s.IDs[ns.Name()+"/"+b.Name()] = b.ID()
	return b, nil
}

// put puts an object some time after the one before.
func (s *Seed) put(ctx context.Context, b *bucketlite.Bucket, in bucketlite.ObjectInput) error {
	s.clock.step()
	if _, err := b.Put(ctx, in, nil); err != nil {
		return fmt.Errorf("bucket %q, object %q: %w", b.Name(), in.ID, err)
	}
	s.IDs[Main+"/"+b.Name()+"/"+in.ID] = in.ID
	return nil
}

// file is a blob with the bytes of a file of the repository's media.
func (s *Seed) file(property, name string) bucketlite.BlobInput {
	r, err := os.Open(filepath.Join(s.media, name))
	if err != nil {
		return bucketlite.BlobInput{Property: property, Reader: failing{err}}
	}
	return bucketlite.BlobInput{Property: property, Reader: &closing{r}, Filename: name}
}

// mediaDir is the directory of the media that the tests of the root package use.
func mediaDir() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "testdata", "media")
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// closing closes a file once it is read.
type closing struct{ *os.File }

func (c *closing) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	if err != nil {
		c.Close()
	}
	return n, err
}

// clock is the clock of a store that is filled: it moves with each object.
type clock struct{ at atomic.Int64 } // in nanoseconds, or 0 for the present

// The time between two objects spreads them over four weeks.
const (
	span     = 28 * 24 * time.Hour
	interval = span / 260
)

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Now().Add(-span).UnixNano())
	return c
}

func (c *clock) now() time.Time {
	if at := c.at.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Now()
}

func (c *clock) step() {
	if c.at.Add(int64(interval)) > time.Now().UnixNano() {
		c.at.Store(time.Now().UnixNano())
	}
}

func (c *clock) catchUp() { c.at.Store(0) }
