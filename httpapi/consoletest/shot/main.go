// Shot writes a picture of one page, and prints what is wrong with it.
//
//	go run ./shot -o page.png -key KEY http://127.0.0.1:8080/console/
//	go run ./shot -o page.png -dark -width 390 'console/n/{studio}/b/{studio/products}/?view=grid'
//
// A page without a host is one of a new server with the store of package seed, where
// names in braces stand for ids, and -key is the owner's.
package main

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/bucketlite/bucketlite/httpapi/consoletest"
	"github.com/bucketlite/bucketlite/httpapi/consoletest/chromium"
)

func main() {
	var (
		out  = flag.String("o", "shot.png", "the `file` to write")
		key  = flag.String("key", "", "the API `key` to sign in to the console with")
		view chromium.View
	)
	flag.BoolVar(&view.Dark, "dark", false, "prefer dark colours")
	flag.BoolVar(&view.NoScripts, "no-scripts", false, "run no scripts")
	flag.IntVar(&view.Width, "width", 1280, "the width of the window, in `pixels`")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: shot [flags] PAGE")
		flag.PrintDefaults()
		os.Exit(2)
	}
	if err := shoot(flag.Arg(0), *key, *out, view); err != nil {
		fmt.Fprintln(os.Stderr, "shot:", err)
		os.Exit(1)
	}
}

func shoot(page, key, out string, view chromium.View) error {
	if !strings.Contains(page, "://") {
		dir, err := os.MkdirTemp("", "shot")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		s, err := consoletest.Serve(dir, "")
		if err != nil {
			return err
		}
		defer s.Close()
		page = s.URL + "/" + strings.TrimPrefix(s.Path(page), "/")
		if key == "" {
			key = consoletest.OwnerKey
		}
	}
	at, err := url.Parse(page)
	if err != nil {
		return err
	}
	browser, err := chromium.Start(context.Background())
	if err != nil {
		return err
	}
	defer browser.Close()
	tab, err := browser.Tab(at.Host, view)
	if err != nil {
		return err
	}
	defer tab.Close()
	if before, _, ok := strings.Cut(page, "/console/"); ok && key != "" && key != "none" {
		if err := tab.SignIn(before+"/console/", key); err != nil {
			return err
		}
	}
	if err := tab.Open(page); err != nil {
		return err
	}
	if err := tab.Shot(out); err != nil {
		return err
	}
	faults, err := consoletest.Audit(tab)
	for _, fault := range append(tab.Faults(), faults...) {
		fmt.Println(fault)
	}
	return err
}
