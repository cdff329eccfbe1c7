package consoletest

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/bucketlite/bucketlite/httpapi/consoletest/chromium"
)

var (
	long  = flag.Bool("long", false, "show all screens, light and dark, wide and narrow")
	shots = flag.String("shots", "", "write pictures of the screens into a `directory`")
)

// browser is the one browser of all tests. Each test has tabs and cookies of its own.
var browser *chromium.Browser

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	flag.Parse()
	var err error
	if *shots != "" {
		err = os.MkdirAll(*shots, 0o777)
	}
	if err == nil {
		browser, err = chromium.Start(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer browser.Close()
	defer closeShared()
	return m.Run()
}
