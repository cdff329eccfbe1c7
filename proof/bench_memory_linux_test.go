package proof_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// BenchmarkGiB stores a blob of 1 GiB and reads it again. It reports by how much
// the process's resident memory grew at its peak, in MiB, and fails beyond 32.
func BenchmarkGiB(b *testing.B) {
	const size = 1 << 30
	ctx := context.Background()
	for range b.N {
		bucket := blobBucket(b, bucketlite.DurabilityFull)
		putNoise(b, bucket, 1<<20) // what is set up once, is set up
		debug.FreeOSMemory()
		before := residentPeak(b)
		id := putNoise(b, bucket, size)
		in := residentPeak(b)
		r, err := bucket.OpenBlob(ctx, id, "file")
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); err != nil || n != size {
			b.Fatal(n, err)
		}
		r.Close()
		out := residentPeak(b)
		grown := float64(max(in, out)-before) / 1024
		b.ReportMetric(grown, "grown-MiB")
		if grown > 32 {
			b.Errorf("resident memory grew by %.1f MiB, want at most 32", grown)
		}
	}
}

// residentPeak returns the most memory that was resident since the last call, in
// KiB, and starts anew.
func residentPeak(b *testing.B) (peak int64) {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			fmt.Sscan(rest, &peak)
		}
	}
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil || peak == 0 {
		b.Fatalf("cannot measure: peak %d, %v", peak, err)
	}
	return peak
}
