package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/bucketlite/bucketlite"
)

// tempPrefix begins the names of files that are not yet whole.
const tempPrefix = ".bucketlite-"

// writeFile is writeIn for a file anywhere.
func writeFile(path string, write func(io.Writer) error) error {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer root.Close()
	return writeIn(root, filepath.Base(path), write)
}

// writeIn writes a file below a directory. It has its name only when it is whole and
// on the disk; one that was there before is replaced.
func writeIn(root *os.Root, name string, write func(io.Writer) error) (err error) {
	// Not os.CreateTemp, whose files others cannot read.
	temp := tempPrefix + rand.Text()
	f, err := root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			root.Remove(temp)
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return root.Rename(temp, name)
}

// fileBlob is a blob of a line whose bytes are in a file beside it.
type fileBlob struct {
	// File is the path, with slashes, below the directory the files are read from.
	File     string `json:"file"`
	URL      string `json:"url,omitempty"` // the source of fetched bytes
	Filename string `json:"filename,omitempty"`
	MIMEType string `json:"mime_type,omitempty"`
	Size     int64  `json:"size_bytes,omitempty"`
	Hash     string `json:"hash,omitempty"` // SHA-256 in hexadecimal; checked if it is there
}

// reference returns the data of a blob that is a URL, with the known properties of its bytes.
func (b fileBlob) reference(url string) map[string]any {
	data := map[string]any{"url": url}
	if b.Filename != "" {
		data["filename"] = b.Filename
	}
	if b.MIMEType != "" {
		data["mime_type"] = b.MIMEType
	}
	return data
}

// fileError says that a file of a line cannot be read.
type fileError struct {
	name string
	err  error
}

func (e *fileError) Error() string { return fmt.Sprintf("file %q: %s", e.name, message(e.err)) }
func (e *fileError) Unwrap() error { return e.err }

// blobFile reads a fileBlob. The file is opened when it is first read, since a
// batch may have more of them than a process may have open, and its hash is
// compared at the end.
type blobFile struct {
	root *os.Root
	blob fileBlob
	bar  *progress
	f    *os.File
	sum  hash.Hash
	err  error // of the last read, if it had one
}

func (b *blobFile) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.f == nil {
		if err := b.open(); err != nil {
			b.err = &fileError{b.blob.File, err}
			return 0, b.err
		}
	}
	n, err := b.f.Read(p)
	b.sum.Write(p[:n])
	b.bar.add(n)
	switch {
	case err == io.EOF:
		b.f.Close()
		if sum := fmt.Sprintf("%x", b.sum.Sum(nil)); b.blob.Hash != "" && sum != b.blob.Hash {
			err = &fileError{b.blob.File, fmt.Errorf("damaged: its SHA-256 is %s", sum)}
		}
	case err != nil:
		err = &fileError{b.blob.File, err}
	}
	b.err = err
	return n, err
}

func (b *blobFile) open() (err error) {
	b.sum = sha256.New()
	b.f, err = openRegular(b.root, filepath.FromSlash(b.blob.File))
	return err
}

// openRegular opens a regular file. Anything else, such as a pipe, could keep who
// opens it waiting.
func openRegular(root *os.Root, name string) (*os.File, error) {
	info, err := root.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: errors.New("not a regular file")}
	}
	if err != nil {
		return nil, err
	}
	return root.Open(name)
}

// Close closes the file if it was not read to its end.
func (b *blobFile) Close() error {
	if b.f == nil {
		return nil
	}
	b.f.Close() // closed already if all has been read
	return nil
}

// fileFetcher gives the bytes of blobs that were once fetched from a URL, so that
// they come back with both.
type fileFetcher struct {
	root *os.Root
	bar  *progress

	mu    sync.Mutex
	blobs map[string]fileBlob // by URL
}

// Fetch implements [bucketlite.Fetcher]. A URL without a file stays a reference.
func (f *fileFetcher) Fetch(_ context.Context, url string) (*bucketlite.Fetched, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	blob, ok := f.blobs[url]
	if !ok {
		return nil, nil
	}
	return &bucketlite.Fetched{Body: &blobFile{root: f.root, blob: blob, bar: f.bar}, MIMEType: blob.MIMEType, Filename: blob.Filename}, nil
}

// add records the file with the content of a URL. It reports false if that contradicts
// an earlier record.
func (f *fileFetcher) add(blob fileBlob) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if old, ok := f.blobs[blob.URL]; ok && old != blob {
		return false
	}
	f.blobs[blob.URL] = blob
	return true
}

func (f *fileFetcher) clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.blobs)
}
