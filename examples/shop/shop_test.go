package shop

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
)

// newShop opens a shop with the products of testdata.
func newShop(t *testing.T, st *bucketlite.Store) *Shop {
	t.Helper()
	s, err := Open(t.Context(), st)
	if err != nil {
		t.Fatal(err)
	}
	bucketlitetest.LoadObjects(t, s.Products.Bucket(), "testdata/products.jsonl")
	return s
}

// failing opens a shop on a disk that can fail.
func failing(t *testing.T, f *bucketlitetest.Faults) *Shop {
	t.Helper()
	return newShop(t, bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Faults: f}))
}

// want checks the stock of A-1 and the number of orders.
func (s *Shop) want(t *testing.T, stock, orders int64) {
	t.Helper()
	p, err := s.Products.ByKey(t.Context(), "A-1")
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.Orders.Bucket().Count(t.Context(), bucketlite.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if p.Value.Stock != stock || n != orders {
		t.Errorf("got %d in stock and %d orders, want %d and %d", p.Value.Stock, n, stock, orders)
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	s := newShop(t, bucketlitetest.NewStore(t))
	if err := s.Order(t.Context(), "o1", "A-1"); err != nil {
		t.Fatal(err)
	}
	s.want(t, 2, 1)
	got, err := s.Products.ByKey(t.Context(), "A-1")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Product{"A-1", "Red sneaker", 2, 59.9}); got.Value != want {
		t.Errorf("got %+v, want %+v", got.Value, want)
	}
	for _, test := range []struct {
		id, sku string
		want    error
	}{{"o1", "A-1", bucketlite.ErrExists}, {"o2", "A-2", ErrSoldOut}, {"o2", "nope", bucketlite.ErrNotFound}} {
		if err := s.Order(t.Context(), test.id, test.sku); !errors.Is(err, test.want) {
			t.Errorf("order %s of %s: got error %v, want %v", test.id, test.sku, err, test.want)
		}
	}
	s.want(t, 2, 1)
}

// Nothing is sold twice, and each sale is recorded.
func TestNoOverselling(t *testing.T) {
	t.Parallel()
	s := newShop(t, bucketlitetest.NewStore(t))
	var wg sync.WaitGroup
	var sold, refused atomic.Int64
	for i := range 32 {
		wg.Go(func() {
			switch err := s.Order(t.Context(), fmt.Sprint("o", i), "A-1"); {
			case err == nil:
				sold.Add(1)
			case errors.Is(err, ErrSoldOut):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if sold.Load() != 3 || refused.Load() != 29 {
		t.Errorf("got %d sold and %d refused, want 3 and 29", sold.Load(), refused.Load())
	}
	s.want(t, 0, 3)
}

// A disk that fails leaves nothing half done.
func TestFailingDisk(t *testing.T) {
	t.Parallel()
	var f bucketlitetest.Faults
	s := failing(t, &f)
	f.FillDisk()
	if err := s.Order(t.Context(), "o1", "A-1"); !errors.Is(err, ErrTryLater) {
		t.Errorf("a full disk: got error %v", err)
	}
	s.want(t, 3, 0)
	f.FreeDisk()
	f.FailCommit(1, nil)
	if err := s.Order(t.Context(), "o1", "A-1"); err == nil {
		t.Error("a failed commit: got no error")
	}
	s.want(t, 3, 0)
	if err := s.Order(t.Context(), "o1", "A-1"); err != nil {
		t.Errorf("a disk that works again: got error %v", err)
	}
	s.want(t, 2, 1)
}

// If nobody knows whether the commit took effect, it did so for both or for neither.
func TestOutcomeUnknown(t *testing.T) {
	t.Parallel()
	for name, tookEffect := range map[string]bool{"kept": true, "lost": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var f bucketlitetest.Faults
			path := t.TempDir() + "/shop.db"
			st := bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Faults: &f, Path: path})
			s := newShop(t, st)
			f.LoseCommit(1, tookEffect)
			if err := s.Order(t.Context(), "o1", "A-1"); !errors.Is(err, bucketlite.ErrOutcomeUnknown) {
				t.Fatal(err)
			}
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			s, err := Open(t.Context(), bucketlitetest.NewStoreWith(t, &bucketlitetest.Options{Path: path}))
			if err != nil {
				t.Fatal(err)
			}
			if tookEffect {
				s.want(t, 2, 1)
			} else {
				s.want(t, 3, 0)
			}
		})
	}
}

// The shop speaks HTTP, too.
func TestHTTP(t *testing.T) {
	t.Parallel()
	srv := bucketlitetest.NewServer(t)
	newShop(t, srv.Store)
	resp, err := srv.Client("shop").Post(srv.URL+"/v1/buckets/products/objects/list", "application/json",
		strings.NewReader(`{"filters":{"field":"price","operator":"gt","value":20}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(string(body), err)
	}
	var list struct {
		Results []Product `json:"results"`
	}
	if err := json.Unmarshal(body, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Results) != 1 || list.Results[0].SKU != "A-1" {
		t.Error(string(body))
	}
}
