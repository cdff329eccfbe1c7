// Package chromium drives Chromium. Its tabs report the faults of the pages they show.
package chromium

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"github.com/chromedp/chromedp"
)

// pathVariable names the browser. Without it, "chromium" in PATH is used.
const pathVariable = "BUCKETLITE_CHROMIUM"

// Browser is a running browser. It is safe for concurrent use.
type Browser struct {
	ctx   context.Context
	close func()

	mu   sync.Mutex
	idle []*Tab // that were closed
}

// Start starts a browser without a window. It resolves no host names, so it reaches
// only addresses such as 127.0.0.1. The browser ends with ctx.
func Start(ctx context.Context) (*Browser, error) {
	name := os.Getenv(pathVariable)
	if name == "" {
		name = "chromium"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("chromium: install it, or name a browser in %s: %w", pathVariable, err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"),
	)
	allocation, closeAllocation := chromedp.NewExecAllocator(ctx, opts...)
	b := &Browser{}
	var closeContext context.CancelFunc
	b.ctx, closeContext = chromedp.NewContext(allocation)
	b.close = func() {
		chromedp.Cancel(b.ctx) // it asks the browser to end, so that no files are left
		closeContext()
		closeAllocation()
	}
	if err := chromedp.Do(b.ctx); err != nil {
		b.close()
		return nil, fmt.Errorf("chromium: %s: %w", path, err)
	}
	return b, nil
}

// Close ends the browser with all tabs, and deletes its profile.
func (b *Browser) Close() { b.close() }
