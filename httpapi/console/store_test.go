package console_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
)

// TestStorePage shows who sees the whole store, and what the page offers.
func TestStorePage(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.browser(t, allKey).get("store").wants(http.StatusOK, "takes writes", "Start a check", "Download a backup", "No check has run", "Tasks that have not ended")
	for _, key := range []string{readsKey, shopKey} {
		b := s.browser(t, key)
		b.get("store").wants(http.StatusForbidden)
		b.post("store/check", url.Values{}).wants(http.StatusForbidden)
		b.post("store/backup", url.Values{}).wants(http.StatusForbidden)
	}
}

func TestCheckFromTheConsole(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	ns, bucket := makeBucket(t, s)
	put(t, ns, bucket, bucketlite.ObjectInput{Fields: map[string]any{"sku": "a"}})
	b := s.browser(t, allKey)
	b.post("store/check", url.Values{}).wants(http.StatusSeeOther, "store")
	select {
	case <-s.api.LastCheck().Done():
	case <-time.After(time.Minute):
		t.Fatal("the check does not end")
	}
	b.get("store").wants(http.StatusOK, "No problems in 1 bucket, 1 object")
	b.do("GET", "store/check", nil, http.Header{"Hx-Request": {"true"}}).wants(http.StatusNoContent)
	b.get("store/check").wants(http.StatusSeeOther, "store")
	b.post("store/check/cancel", url.Values{}).wants(http.StatusSeeOther, "store")
}

// TestBackupFromTheConsole shows that the download is a store.
func TestBackupFromTheConsole(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	_, bucket := makeBucket(t, s)
	got := s.browser(t, allKey).post("store/backup", url.Values{}).wants(http.StatusOK)
	if have := got.header.Get("Content-Disposition"); !strings.HasPrefix(have, "attachment; filename=bucketlite-") {
		t.Errorf("got Content-Disposition %q", have)
	}
	path := t.TempDir() + "/copy.db"
	if err := os.WriteFile(path, []byte(got.text), 0o600); err != nil {
		t.Fatal(err)
	}
	st, err := bucketlite.Open(context.Background(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	if _, _, err := st.OpenBucket(context.Background(), "shop", bucket.ID()); err != nil {
		t.Error(err)
	}
}
