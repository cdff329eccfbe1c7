package bucketlite

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"net/url"

	"github.com/bucketlite/bucketlite/internal/value"
)

// fileBlob is a blob of a JSON record whose bytes are in a file.
type fileBlob struct {
	// File is the path, with slashes, below the directory that the files are read from.
	File     string `json:"file"`
	URL      string `json:"url,omitempty"` // the source of fetched bytes
	Filename string `json:"filename,omitempty"`
	MIMEType string `json:"mime_type,omitempty"`
	Size     int64  `json:"size_bytes,omitempty"`
	Hash     string `json:"hash,omitempty"` // SHA-256 in hexadecimal; checked if it is there
}

// attach gives the blobs of a record that name files their readers.
func (im *importer) attach(item *importItem, text []byte) error {
	for i, blob := range filesOf(text, item.in) {
		if blob.File == "" {
			continue
		}
		if im.opts.Files == nil && !im.opts.ValidateOnly {
			return fileRefusal(blobsPath.Item(i).Member("file"), "no directory of files was given")
		}
		b := &item.in.Blobs[i]
		b.Origin, b.Filename, b.MIMEType = blob.URL, blob.Filename, blob.MIMEType
		item.size += max(blob.Size, 0)
		im.open(item, b, im.opts.Files, blob.File, blob.Hash)
	}
	return nil
}

// fileRefusal is the error of a record that names a file where it may not.
func fileRefusal(at value.Path, message string) error {
	return &ValidationError{Subject: "object", Issues: []Issue{{at.String(), "file", message}}}
}

// filesOf returns the file of each blob of a record's input, or nil if it names none.
func filesOf(text []byte, in ObjectInput) []fileBlob {
	var doc struct {
		Blobs []fileBlob `json:"blobs"`
	}
	// A value of another type names no file, and was refused already.
	if len(in.Blobs) == 0 || json.Unmarshal(text, &doc) != nil || len(doc.Blobs) != len(in.Blobs) {
		return nil
	}
	return doc.Blobs
}

// open lets a blob of an item read a file. It is opened when it is first read, since a
// batch may have more files than a process may have open.
func (im *importer) open(item *importItem, b *BlobInput, fsys fs.FS, name, sum string) {
	if im.opts.ValidateOnly {
		im.pretend(b, name)
		return
	}
	f := &importFile{im: im, fsys: fsys, name: name, want: sum}
	item.readers = append(item.readers, f)
	b.Reader = f
}

// pretend gives a blob a reference in place of bytes, with what is known of them.
func (im *importer) pretend(b *BlobInput, name string) {
	data := map[string]any{"url": "file:///" + url.PathEscape(name)}
	if b.Filename != "" {
		data["filename"] = b.Filename
	}
	if b.MIMEType != "" {
		data["mime_type"] = b.MIMEType
	}
	*b = BlobInput{Property: b.Property, Type: b.Type, KeyPrefix: b.KeyPrefix, Metadata: b.Metadata, Data: data}
}

// importFile reads a file of a record, and compares its hash at the end.
type importFile struct {
	im   *importer
	fsys fs.FS
	name string
	want string // SHA-256 in hexadecimal, or empty
	f    fs.File
	sum  hash.Hash
	err  error // of the last read, if it had one
}

func (r *importFile) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.f == nil {
		if r.f, r.err = openFile(r.fsys, r.name); r.err != nil {
			r.err = &ImportFileError{r.name, r.err}
			return 0, r.err
		}
		r.sum = sha256.New()
	}
	n, err := r.f.Read(p)
	if r.want != "" {
		r.sum.Write(p[:n])
	}
	r.im.readFile(n)
	switch {
	case err == io.EOF:
		r.f.Close()
		if sum := hex.EncodeToString(r.sum.Sum(nil)); r.want != "" && sum != r.want {
			err = &ImportFileError{r.name, fmt.Errorf("damaged: got SHA-256 %s, want %s", sum, r.want)}
		}
	case err != nil:
		err = &ImportFileError{r.name, err}
	}
	r.err = err
	return n, err
}

// close closes the file, if it was not read to its end.
func (r *importFile) close() {
	if r.f != nil {
		r.f.Close() // closed already if all has been read
	}
}
