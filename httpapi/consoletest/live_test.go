package consoletest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/httpapi/consoletest/seed"
)

// liveTabs is more than the connections that a browser opens to one host.
const liveTabs = 8

// Several tabs follow a bucket. Pages still open, a change appears in the tab that is
// shown, and in another one once that is shown.
func TestLiveTabs(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	s := ownServer(t)
	_, b, err := s.Store.OpenBucket(ctx, seed.Main, "products")
	if err != nil {
		t.Fatal(err)
	}
	put := func(sku string) {
		t.Helper()
		if _, err := b.Put(ctx, bucketlite.ObjectInput{ID: "of-" + sku, Fields: map[string]any{"sku": sku, "title": "New " + sku}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	tabs := []*page{open(t, s, "console/n/{studio}/b/{studio/products}/live", options{})}
	for len(tabs) < liveTabs {
		p := tabs[0].sibling()
		p.visit("console/n/{studio}/b/{studio/products}/live")
		tabs = append(tabs, p)
	}
	last := tabs[liveTabs-1]
	put("seen")
	last.wants("of-seen")

	other := last.sibling()
	other.visit("console/n/{studio}/")
	other.wants("products")
	put("unseen")
	for n, p := range tabs {
		p.must(p.tab.Front())
		p.wants("of-seen")
		p.wants("of-unseen")
		put(fmt.Sprint("tab-", n))
		p.wants(fmt.Sprint("of-tab-", n))
		p.quiet()
	}
	other.must(other.tab.Front())
	other.visit("console/n/{studio}/b/{studio/products}/")
	other.wants("New tab-7")
	other.quiet()
}

// The feed is followed in whatever order the scripts of the page arrive.
func TestLiveScripts(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, late := range []string{"htmx.min", "hx-sse.min", "console", "live"} {
		t.Run(late, func(t *testing.T) {
			t.Parallel()
			s := behindProxy(t, "/a", func(_ http.ResponseWriter, r *http.Request) bool {
				if strings.Contains(r.URL.Path, "/"+late+".") && strings.HasSuffix(r.URL.Path, ".js") {
					time.Sleep(time.Second)
				}
				return false
			})
			p := open(t, s, "console/n/{studio}/b/{studio/products}/live", options{})
			_, b, err := s.Store.OpenBucket(ctx, seed.Main, "products")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Put(ctx, bucketlite.ObjectInput{ID: "of-late", Fields: map[string]any{"sku": "late", "title": "Late"}}, nil); err != nil {
				t.Fatal(err)
			}
			p.wants("of-late", "1 change since")
			p.quiet()
		})
	}
}
