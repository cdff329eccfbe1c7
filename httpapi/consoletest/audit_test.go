package consoletest

import (
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi/consoletest/chromium"
)

// The files of axe-core 4.14.1 are as its authors have published them, with the licence.
func TestAxeChecksums(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"axe.min.js":            "c6dd52160e3d41a0f0b32b745dfb365c0c81b583c29579775f6ab938e2de180526abd8d94d820c773b6917df56761887",
		"LICENSE":               "86e226cfdf0b14ce0fee390c2117022f3890171023dabce8efcc7955e20ff1b1cc1687da93e7ee6b8782432b38b22ba6",
		"LICENSE-3RD-PARTY.txt": "911ba989d249c3c11a9c377e747673716abae78e7da644073530363bf49c62ad99ac924dfb16cc146de46f99f8285d0f",
	} {
		data, err := os.ReadFile(filepath.Join("testdata/axe-core-4.14.1", name))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha512.Sum384(data)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s: got SHA-384 %s, want %s", name, got, want)
		}
	}
}

// The audit finds each kind of fault on a page that has all of them.
func TestAuditFindsFaults(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			w.Header().Set("Content-Security-Policy", "default-src 'self'; img-src *")
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<!doctype html><html lang="en"><title>Faults</title><body><main><h1 id="a">Faults</h1><p id="a" style="color: red">twice</p>
				<input id="b"><img src="http://elsewhere.example.com/a.png" alt="foreign"><img src="missing.png" alt="missing">
				<svg width="2000" height="9" aria-hidden="true"></svg><script>unreached()</script><script src="faults.js"></script></main>`)
		case "/faults.js":
			w.Header().Set("Content-Type", "text/javascript")
			fmt.Fprint(w, `console.warn("a warning"); alert("a dialog"); throw new Error("an exception")`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(web.Close)
	tests := map[string]struct {
		view      chromium.View
		want, not []string
	}{
		"with scripts": {chromium.View{Width: 390}, []string{"console: warning: a warning", "exception: Uncaught Error: an exception", "policy: ", "foreign: http://elsewhere.example.com/a.png",
			"status: 404 ", `dialog: alert "a dialog"`, `id: "a" is there twice`, "width: 2008 px", "axe: critical label:"}, nil},
		"without scripts": {chromium.View{NoScripts: true, Dark: true}, []string{"status: 404 ", `id: "a" is there twice`, "axe: critical label:"}, []string{"exception", "dialog"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tab, err := browser.Tab(strings.TrimPrefix(web.URL, "http://"), test.view)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(tab.Close)
			if err := tab.Open(web.URL); err != nil {
				t.Fatal(err)
			}
			faults, err := Audit(tab)
			if err != nil {
				t.Fatal(err)
			}
			faults = append(faults, tab.Faults()...)
			has := func(beginning string) bool {
				return slices.ContainsFunc(faults, func(fault string) bool { return strings.HasPrefix(fault, beginning) })
			}
			for _, beginning := range test.want {
				if !has(beginning) {
					t.Errorf("got no fault %q in:\n%s", beginning, strings.Join(faults, "\n"))
				}
			}
			for _, beginning := range test.not {
				if has(beginning) {
					t.Errorf("got a fault %q in:\n%s", beginning, strings.Join(faults, "\n"))
				}
			}
		})
	}
}
