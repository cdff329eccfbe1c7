package proof_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// A process is killed while it streams long contents, over and over:
// acknowledged contents can be read, and nothing else is left in the end.
func TestStreamSurvivesKill(t *testing.T) {
	t.Parallel()
	rounds := 3
	if *storetest.Long {
		rounds = 100
	}
	t.Logf("%d kills of a process that streams contents", rounds)
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	storetest.Films(t, st)
	r := rand.New(rand.NewPCG(11, 11))
	for round := range rounds {
		if round%2 == 0 { // the file is recovered by the next store that opens it
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
		}
		c := startChild(t, "stream", path, fmt.Sprint(round))
		stored := make(map[string]string)
		for n := 1 + r.IntN(40); n > 0; n-- {
			acknowledge(stored, c.line(t)+"\n")
		}
		c.kill(t)
		rest, _ := io.ReadAll(c.stdout)
		acknowledge(stored, string(rest))

		storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE contents SET lease_until = 1 WHERE lease_until > 0") // as if their time had passed
		st = storetest.OpenPath(t, path)
		b, err := storetest.Namespace(t, st).Bucket(context.Background(), "films")
		if err != nil {
			t.Fatal(err)
		}
		left := int64(0)
		for o, err := range b.Objects(context.Background(), bucketlite.Query{}) {
			if err != nil {
				t.Fatal(err)
			}
			k, hash := o.Fields["k"].(string), o.Blobs[0].Details.Hash
			data, err := storetest.ReadBlob(b, o.ID, "film")
			if sum := sha256.Sum256(data); err != nil || hex.EncodeToString(sum[:]) != hash || stored[k] != "" && stored[k] != hash {
				t.Fatalf("round %d: %q: got %d bytes with hash %x, %v, want %s, told %q", round, k, len(data), sum, err, hash, stored[k])
			}
			delete(stored, k)
			if err := b.DeleteObject(context.Background(), o.ID, nil); err != nil {
				t.Fatal(err)
			}
		}
		delete(stored, "read")
		if len(stored) > 0 {
			t.Fatalf("round %d: lost: %v", round, stored)
		}
		storetest.WantStored(t, st, path, left)
		storetest.WantSound(t, path)
	}
	const most = 16 << 20
	if !storetest.Eventually(func() bool {
		stats, err := st.Stats(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return stats.FileBytes < most
	}) {
		t.Errorf("the file has more than %d bytes, with nothing in it", most)
	}
}

// childStream stores films in several goroutines, until it is killed. It prints
// the key and hash of each once it is stored, and a line now and then while it
// reads.
func childStream(args []string) error {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, args[0], nil)
	if err != nil {
		return err
	}
	ns, err := st.Namespace(ctx, "test")
	if err != nil {
		return err
	}
	b, err := ns.Bucket(ctx, "films")
	if err != nil {
		return err
	}
	var mu sync.Mutex // keeps lines whole
	return storetest.AtOnce(2, func(g int) error {
		r := rand.New(rand.NewPCG(uint64(g), 2))
		for i := 0; ; i++ {
			data := storetest.Film(uint64(7*g+i), 100+r.IntN(4*storetest.MiB))
			in := bytes.NewReader(data)
			progress := storetest.ReadFunc(func(p []byte) (int, error) {
				mu.Lock()
				fmt.Println("read", in.Len())
				mu.Unlock()
				return in.Read(p[:min(len(p), storetest.MiB/2)])
			})
			k := fmt.Sprintf("%s-%d-%d", args[1], g, i)
			res, err := b.Put(ctx, storetest.FilmInput(k, progress), nil)
			if err != nil {
				return err
			}
			mu.Lock()
			fmt.Println(k, res.Object.Blobs[0].Details.Hash)
			mu.Unlock()
		}
	})
}
