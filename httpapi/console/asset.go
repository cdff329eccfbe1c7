package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

var assetRoutes = []route{
	{"GET /assets/{name}", anyone, reads, (*request).asset},
}

// assetFiles are the style sheets and scripts: the console's own, and those of others,
// which are as they were published; see assets/README.md.
//
//go:embed assets
var assetFiles embed.FS

// assetHashes are the beginnings of the hashes of the files, by name.
var assetHashes = sync.OnceValue(func() map[string]string {
	hashes := make(map[string]string)
	fs.WalkDir(assetFiles, "assets", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			text, _ := assetFiles.ReadFile(name) // it is part of the program
			sum := sha256.Sum256(text)
			hashes[path.Base(name)] = hex.EncodeToString(sum[:6])
		}
		return nil
	})
	return hashes
})

// asset answers with one of the files. The address that pages have changes with the
// file, so that browsers need not ask again.
func (q *request) asset() error {
	name := q.r.PathValue("name")
	text, err := assetFiles.ReadFile("assets/" + name)
	if err != nil {
		return errNoPage
	}
	h := q.w.Header()
	kind := mime.TypeByExtension(path.Ext(name))
	switch path.Ext(name) { // what the system says may differ
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".svg":
		kind = "image/svg+xml"
	}
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-cache")
	if q.query("v") == assetHashes()[name] {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(q.r.Header.Get("Accept-Encoding"), "gzip") {
		text = compressedAsset(name, text)
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(len(text)))
	q.wrote = true
	q.w.WriteHeader(http.StatusOK)
	q.w.Write(text) // if it fails the browser is gone
	return nil
}

var compressedAssets sync.Map // by name

func compressedAsset(name string, text []byte) []byte {
	if known, ok := compressedAssets.Load(name); ok {
		return known.([]byte)
	}
	small := compressed(text)
	compressedAssets.Store(name, small)
	return small
}
