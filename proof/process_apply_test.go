package proof_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

func init() { children["apply"] = childApply }

// orderBuckets are the buckets of childApply: the stock of one article, orders and receipts.
var orderBuckets = []string{"stock", "orders", "receipts"}

// openOrders opens the store at path and its buckets.
func openOrders(path string, opts *bucketlite.Options) (*bucketlite.Store, []*bucketlite.Bucket, error) {
	ctx := context.Background()
	st, err := bucketlite.Open(ctx, path, opts)
	if err != nil {
		return nil, nil, err
	}
	var buckets []*bucketlite.Bucket
	for _, name := range orderBuckets {
		_, b, err := st.OpenBucket(ctx, "test", name)
		if err != nil {
			return nil, nil, errors.Join(err, st.Close())
		}
		buckets = append(buckets, b)
	}
	return st, buckets, nil
}

// childApply takes one of the article from the stock for each order, until it is killed. An
// order has a receipt, with content that is partly staged, and the receipt before is
// deleted. It prints the number of each order when it is acknowledged.
func childApply(args []string) error {
	st, buckets, err := openOrders(args[0], nil)
	if err != nil {
		return err
	}
	stock, orders, receipts := buckets[0], buckets[1], buckets[2]
	return storetest.AtOnce(4, func(g int) error {
		ctx := context.Background()
		receipt := "" // of the order before
		for n := 0; ; {
			article, err := stock.Object(ctx, "article")
			if err != nil {
				return err
			}
			sold := article.Int("n") + 1
			id := fmt.Sprintf("%s-%d-%d", args[1], g, n)
			set := []bucketlite.Change{
				stock.PatchChange("article", bucketlite.ObjectInput{Fields: map[string]any{"n": sold}}, &bucketlite.PatchOptions{IfVersion: article.Version}),
				orders.PutChange(bucketlite.ObjectInput{ID: id, Fields: map[string]any{"k": id, "n": sold}}, &bucketlite.PutOptions{IfAbsent: true}),
				receipts.PutChange(bucketlite.ObjectInput{ID: id, Fields: map[string]any{"k": id},
					Blobs: []bucketlite.BlobInput{{Property: "doc", Reader: strings.NewReader(strings.Repeat(id, 1+n%3*20_000))}}}, nil),
			}
			if receipt != "" {
				set = append(set, receipts.DeleteChange(receipt, nil))
			}
			_, err = st.Apply(ctx, set...)
			switch {
			case errors.Is(err, bucketlite.ErrConflict):
				continue
			case err != nil:
				return err
			}
			fmt.Println(sold)
			receipt, n = id, n+1
		}
	})
}

// A process that sells is killed again and again. Each time as many are sold as there are
// orders, at least those that were acknowledged, and each seller's last order has its receipt.
func TestApplySurvivesKill(t *testing.T) {
	t.Parallel()
	rounds := 4
	if *storetest.Long {
		rounds = 40
	}
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	for _, name := range orderBuckets {
		storetest.Bucket(t, st, storetest.ItemsConfig(name))
	}
	stock, err := storetest.Namespace(t, st).Bucket(t.Context(), "stock")
	storetest.Must(t, err)
	storetest.Put(t, stock, bucketlite.ObjectInput{ID: "article", Fields: map[string]any{"k": "article", "n": 0}}, bucketlite.Insert)
	storetest.Must(t, st.Close())
	r := rand.New(rand.NewPCG(3, 4))
	sold := int64(0)
	for round := range rounds {
		c := startChild(t, "apply", path, fmt.Sprint(round))
		acknowledged := int64(0)
		for range 1 + r.IntN(20) {
			n, err := strconv.ParseInt(c.line(t), 10, 64)
			storetest.Must(t, err)
			acknowledged = max(acknowledged, n)
		}
		time.Sleep(time.Duration(r.IntN(4000)) * time.Microsecond)
		c.kill(t)
		st, buckets, err := openOrders(path, nil)
		storetest.Must(t, err)
		sold = wantOrders(t, buckets, 4*(round+1))
		if sold < acknowledged {
			t.Errorf("got %d sold after the kill, want at least %d, which were acknowledged", sold, acknowledged)
		}
		storetest.Must(t, checked(st))
		storetest.Must(t, st.Close())
	}
	t.Logf("%d kills, %d orders", rounds, sold)
	storetest.WantSound(t, path)
}

// wantOrders fails unless the three buckets agree, and returns the number of orders. There
// is at most one receipt for each seller.
func wantOrders(t *testing.T, buckets []*bucketlite.Bucket, sellers int) int64 {
	t.Helper()
	ctx := context.Background()
	article, err := buckets[0].Object(ctx, "article")
	storetest.Must(t, err)
	last := make(map[string]int) // order of each seller
	numbers := make(map[int64]bool)
	for o, err := range buckets[1].Objects(ctx, bucketlite.Query{}) {
		storetest.Must(t, err)
		numbers[o.Int("n")] = true
		cut := strings.LastIndexByte(o.ID, '-')
		n, err := strconv.Atoi(o.ID[cut+1:])
		storetest.Must(t, err)
		last[o.ID[:cut]] = max(last[o.ID[:cut]], n)
	}
	receipts := 0
	for o, err := range buckets[2].Objects(ctx, bucketlite.Query{}) {
		storetest.Must(t, err)
		cut := strings.LastIndexByte(o.ID, '-')
		if want := fmt.Sprint(o.ID[:cut], "-", last[o.ID[:cut]]); o.ID != want {
			t.Errorf("got the receipt of %s, want only that of the last order %s", o.ID, want)
		}
		receipts++
	}
	sold := article.Int("n")
	if orders := storetest.MustStats(t, buckets[1]).ObjectCount; orders != sold || int64(len(numbers)) != sold || receipts != len(last) || receipts > sellers {
		t.Errorf("got %d sold, %d orders with %d numbers, %d receipts for %d sellers", sold, orders, len(numbers), receipts, len(last))
	}
	return sold
}
