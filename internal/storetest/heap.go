package storetest

import (
	"runtime"
	"time"
)

// Heap returns how many bytes the heap holds, including garbage.
func Heap() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// HeapPeak returns by how many bytes the heap grew at most while f ran. Nothing else may
// run at the same time.
func HeapPeak(f func()) int64 {
	runtime.GC()
	before := Heap()
	done, peaks := make(chan struct{}), make(chan int64)
	go func() {
		peak := int64(0)
		for {
			peak = max(peak, Heap()-before)
			select {
			case <-done:
				peaks <- peak
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	f()
	last := Heap() - before // f may have been too quick for the other goroutine
	close(done)
	return max(last, <-peaks)
}
