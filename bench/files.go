package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// files keeps each blob in a file of its own, as one would by hand: it writes a new file
// and renames it. When durable, it syncs the file before and the directory after that.
type files struct {
	dir     string
	durable bool
}

func openFiles(ctx context.Context, dir string, s settings) (blobStore, error) {
	return &files{dir, s.durable}, nil
}

func (f *files) WriteBlob(ctx context.Context, name string, r io.Reader) (err error) {
	file, err := os.CreateTemp(f.dir, "new-")
	if err != nil {
		return err
	}
	_, err = io.Copy(file, r)
	if err == nil && f.durable {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	if err := os.Rename(file.Name(), filepath.Join(f.dir, name)); err != nil || !f.durable {
		return err
	}
	return syncDir(f.dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f *files) ReadBlob(ctx context.Context, name string, w io.Writer) error {
	file, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		return err
	}
	_, err = io.Copy(struct{ io.Writer }{w}, file)
	return errors.Join(err, file.Close())
}

func (f *files) Close() error { return nil }
