package bucketlitetest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/bucketlitetest"
	"github.com/bucketlite/bucketlite/httpapi"
)

// ask sends a request and returns the status and the answer.
func ask(t testing.TB, c *http.Client, method, url, body string, headers ...string) (int, any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		return res.StatusCode, string(text)
	}
	return res.StatusCode, decode(t, string(text))
}

// wantStatus fails unless a request is answered with the status.
func wantStatus(t testing.TB, c *http.Client, want int, method, url, body string, headers ...string) any {
	t.Helper()
	got, answer := ask(t, c, method, url, body, headers...)
	if got != want {
		t.Fatalf("%s %s: got status %d and %v, want %d", method, url, got, answer, want)
	}
	return answer
}

func TestNewServer(t *testing.T) {
	t.Parallel()
	s := bucketlitetest.NewServer(t)
	bucketlitetest.Load(t, s.Store, "testdata/shop.json")

	got := wantStatus(t, s.Client("shop"), http.StatusOK, "GET", s.URL+"/v1/buckets/orders", "")
	info, err := bucketlitetest.Bucket(t, s.Store, "shop", "orders").Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if id := got.(map[string]any)["bucket_id"]; id != info.ID {
		t.Errorf("got the bucket %v, want %v", id, info.ID)
	}
	wantStatus(t, http.DefaultClient, http.StatusOK, "GET", s.URL+"/v1/buckets/orders", "", "Authorization", "Bearer "+s.Key, "X-Namespace", "shop")
	wantStatus(t, http.DefaultClient, http.StatusUnauthorized, "GET", s.URL+"/v1/buckets/orders", "")
	wantStatus(t, s.Client(""), http.StatusBadRequest, "GET", s.URL+"/v1/buckets/orders", "")
	wantStatus(t, s.Client("shop"), http.StatusNotFound, "GET", s.URL+"/v1/buckets/orders", "", "X-Namespace", "archive")
	other := bucketlitetest.NewServer(t)
	wantStatus(t, http.DefaultClient, http.StatusUnauthorized, "GET", other.URL+"/v1/buckets/orders", "", "Authorization", "Bearer "+s.Key)
}

func TestNewServerWithHandlerOptions(t *testing.T) {
	t.Parallel()
	opts := &httpapi.Options{DefaultNamespace: "shop", Keys: []httpapi.Key{{Secret: "reader", ReadOnly: true}}}
	s := bucketlitetest.NewServerWith(t, &bucketlitetest.ServerOptions{Handler: opts})
	bucketlitetest.Load(t, s.Store, "testdata/shop.json")
	wantStatus(t, s.Client(""), http.StatusOK, "GET", s.URL+"/v1/buckets/orders", "")
	wantStatus(t, s.Client(""), http.StatusForbidden, "DELETE", s.URL+"/v1/buckets/orders", "", "Authorization", "Bearer reader")
	if len(opts.Keys) != 1 {
		t.Error("the caller's options were changed")
	}
	got := recorded(func(rec testing.TB) {
		bucketlitetest.NewServerWith(rec, &bucketlitetest.ServerOptions{Handler: &httpapi.Options{PublicURL: "ftp://a"}})
		t.Error("the test continued")
	})
	if !strings.HasPrefix(got, "bucketlitetest: httpapi: ") {
		t.Errorf("got a test that fails with %q, want it to fail with what is wrong", got)
	}
}

// The key goes to the server alone.
func TestServerClientOfOthers(t *testing.T) {
	t.Parallel()
	s := bucketlitetest.NewServer(t)
	headers := make(chan http.Header, 1)
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { headers <- r.Header }))
	defer other.Close()
	wantStatus(t, s.Client("shop"), http.StatusOK, "GET", other.URL, "")
	if got := <-headers; got.Get("Authorization") != "" || got.Get("X-Namespace") != "" {
		t.Errorf("got the headers %v at another server, want neither key nor namespace", got)
	}
}

func TestNewServerProcesses(t *testing.T) {
	t.Parallel()
	refuse := func(context.Context, *bucketlite.Job) error {
		return &bucketlite.JobError{Permanent: true, Message: "no"}
	}
	for name, test := range map[string]struct {
		opts *bucketlitetest.ServerOptions
		want bucketlite.Status
	}{
		"default": {nil, bucketlite.StatusCompleted},
		"own":     {&bucketlitetest.ServerOptions{Processor: refuse}, bucketlite.StatusFailed},
		"none":    {&bucketlitetest.ServerOptions{Unprocessed: true}, bucketlite.StatusPending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bucketlitetest.NewServerWith(t, test.opts)
			task := submit(t, s.Store)
			if test.want != bucketlite.StatusPending {
				task = wait(t, s.Store, task)
			}
			if task.Status != test.want {
				t.Errorf("got the task %s, want %s", task.Status, test.want)
			}
		})
	}
}

// submit submits a batch of one new item.
func submit(t testing.TB, st *bucketlite.Store) *bucketlite.Task {
	t.Helper()
	b := items(t, st)
	mustPut(t, b, "a")
	o, err := b.ObjectByKey(t.Context(), map[string]any{"k": "a"})
	if err != nil {
		t.Fatal(err)
	}
	batch, err := b.CreateBatch(t.Context(), bucketlite.BatchInput{ObjectIDs: []string{o.ID}})
	if err != nil {
		t.Fatal(err)
	}
	task, err := b.SubmitBatch(t.Context(), batch.ID)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// wait returns the task as it has ended.
func wait(t testing.TB, st *bucketlite.Store, task *bucketlite.Task) *bucketlite.Task {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	task, err := st.Wait(ctx, task.ID)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// A disk that failed once does not end processing.
func TestNewServerProcessesOn(t *testing.T) {
	t.Parallel()
	faults := &bucketlitetest.Faults{}
	fail := sync.OnceFunc(func() { faults.FailCommit(1, nil) })
	s := bucketlitetest.NewServerWith(t, &bucketlitetest.ServerOptions{
		Store: &bucketlitetest.Options{Faults: faults},
		Processor: func(context.Context, *bucketlite.Job) error {
			fail()
			return nil
		},
	})
	if task := wait(t, s.Store, submit(t, s.Store)); task.Status != bucketlite.StatusCompleted {
		t.Errorf("got the task %s, want %s", task.Status, bucketlite.StatusCompleted)
	}
}

// A fault has the same effect on a request as on a call.
func TestNewServerWithFaults(t *testing.T) {
	t.Parallel()
	held := make(chan int, 1)
	got := recorded(func(rec testing.TB) {
		faults := &bucketlitetest.Faults{}
		s := bucketlitetest.NewServerWith(rec, &bucketlitetest.ServerOptions{Store: &bucketlitetest.Options{Faults: faults}})
		bucketlitetest.Load(rec, s.Store, "testdata/shop.json")
		faults.FailCommit(1, nil)
		const body = `{"description": "all"}`
		wantStatus(rec, s.Client("shop"), http.StatusInternalServerError, "PATCH", s.URL+"/v1/buckets/orders", body)

		// The test ends while a request is held.
		reached, _ := faults.HoldCommit(1)
		go func() {
			defer close(held)
			status, _ := ask(t, s.Client("shop"), "PATCH", s.URL+"/v1/buckets/orders", body)
			held <- status
		}()
		<-reached
	})
	if got != "" {
		t.Errorf("got a test that fails with %q, want it to pass", got)
	}
	if got := <-held; got != http.StatusOK {
		t.Errorf("got status %d of the request that was held, want %d", got, http.StatusOK)
	}
}
