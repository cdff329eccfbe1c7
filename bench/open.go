package main

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// wholeFiles are the works about whole files: opening one, and its size.
func wholeFiles() []*work {
	opening := line{name: "open and read one, 100 k objects", unit: seconds}
	size := line{name: "bytes of file an object, 100 k objects", unit: bytesEach}
	return []*work{{section: filing, name: "files", lines: []line{opening, size},
		begin: func(ctx context.Context, b *bench, p *peer, dir string) (cell, error) {
			w, err := filled(ctx, p, dir, settings{}, readRows/b.scale)
			if err != nil {
				return nil, err
			}
			if err := w.Close(ctx); err != nil { // which verifies
				return nil, err
			}
			return &opener{writer: w, dir: dir}, nil
		}}}
}

// opener is a cell that opens a file again and again.
type opener struct {
	*writer
	dir string
}

func (o *opener) Round(ctx context.Context, budget time.Duration) ([]float64, error) {
	size, err := sizeOf(o.dir)
	if err != nil {
		return nil, err
	}
	var took time.Duration
	n := 0
	for begun := time.Now(); n == 0 || time.Since(begun) < budget; n++ {
		key := keyOf(scattered(n % o.stored))
		start := time.Now()
		st, err := o.peer.open(ctx, o.dir, settings{durable: o.peer.relaxed == ""})
		if err != nil {
			return nil, err
		}
		err = readKey(ctx, st.(getter), key)
		took += time.Since(start)
		if closed := st.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return nil, err
		}
	}
	return []float64{took.Seconds() / float64(n), float64(size) / float64(o.stored)}, nil
}

// Close does nothing: the file is verified and closed already.
func (o *opener) Close(ctx context.Context) error { return nil }

// sizeOf returns the number of bytes that the files of a directory take on disk. The
// reserve of bucketlite, a file of 8 MiB beside a store of any size, is left out.
func sizeOf(dir string) (size int64, err error) {
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasSuffix(name, "-reserve") {
			return err
		}
		info, err := os.Stat(name)
		if err == nil {
			size += diskSize(info)
		}
		return err
	})
	return size, err
}
