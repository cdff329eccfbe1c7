package httpapi

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/value"
)

const (
	// blobURLTime is for how long the URL of a blob is good.
	blobURLTime = time.Hour
	// maxBase bounds the beginning of URLs. The rest is ids, of which the longest
	// has 128 characters, and the signature: together the hosted service's 2083.
	maxBase = 1024
)

// uploadURL returns the URL to which anyone may PUT the bytes of an upload of the
// call's namespace, until the upload expires.
func (c *call) uploadURL(u *bucketlite.Upload) (string, error) {
	return c.signedURL(http.MethodPut, u.ExpiresAt, "uploads", c.ns.ID(), u.BucketID, u.ID)
}

// blobURL returns the URL from which anyone may GET a blob of an object of the call's
// namespace for an hour, as long as it is there and the bucket may be read. It must be
// stored content: a reference has nothing to give, and inline data is in the object.
func (c *call) blobURL(b *bucketlite.Bucket, objectID, blobID string) (string, error) {
	return c.signedURL(http.MethodGet, c.h.opts.Now().Add(blobURLTime), "blobs", c.ns.ID(), b.ID(), objectID, blobID)
}

// presignBlobs puts presigned_url into the properties of the object's blobs that are
// stored content. It writes to the object, which is the caller's.
func (c *call) presignBlobs(b *bucketlite.Bucket, o *bucketlite.Object) error {
	for i := range o.Blobs {
		blob := &o.Blobs[i]
		if blob.Details.Hash == "" {
			continue
		}
		signed, err := c.blobURL(b, o.ID, blob.ID)
		if err != nil {
			return err
		}
		if blob.Properties == nil {
			blob.Properties = make(map[string]any)
		}
		blob.Properties["presigned_url"] = signed
	}
	return nil
}

// signedURL returns a URL that is valid for one method and one target. Ids consist of
// characters that need no escaping in a path. The URL is not valid in the second in which
// it expires, so that it does not outlive its target.
func (c *call) signedURL(method string, expires time.Time, target ...string) (string, error) {
	base, err := c.base()
	if err != nil {
		return "", err
	}
	path := "/v1/presigned/" + strings.Join(target, "/")
	until := strconv.FormatInt(expires.Unix(), 10)
	return base + path + "?expires=" + until + "&signature=" + hex.EncodeToString(c.h.sign(method, path, until)), nil
}

// Sign returns a signature of data with the [Options].SigningKey. Signatures for different
// purposes differ, and none is that of a URL.
func (h *Handler) Sign(purpose string, data []byte) []byte {
	mac := hmac.New(sha256.New, h.opts.SigningKey)
	fmt.Fprintf(mac, "bucketlite %q\n", purpose)
	mac.Write(data)
	return mac.Sum(nil)
}

// UploadURL returns the URL of [Handler] to which anyone may PUT the bytes of the upload,
// as the API's answer has it, for a request to a mount.
func (h *Handler) UploadURL(r *http.Request, ns *bucketlite.Namespace, u *bucketlite.Upload) (string, error) {
	return (&call{h: h, r: r, ns: ns}).uploadURL(u)
}

// BlobURL returns the URL from which anyone may GET a blob of an object for an hour, as
// the API's answer has it, for a request to a mount.
func (h *Handler) BlobURL(r *http.Request, ns *bucketlite.Namespace, b *bucketlite.Bucket, objectID, blobID string) (string, error) {
	return (&call{h: h, r: r, ns: ns}).blobURL(b, objectID, blobID)
}

// base returns the beginning of the URLs that are handed out. A proxy's headers about
// the host are not trusted, since any client can send them.
func (c *call) base() (string, error) {
	if c.h.public != nil {
		return strings.TrimSuffix(c.h.public.String(), "/"), nil
	}
	base := "http://" + c.r.Host
	if c.r.TLS != nil {
		base = "https://" + c.r.Host
	}
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.Host != c.r.Host || len(base) > maxBase {
		return "", badRequest("header Host: a host expected, got " + value.Show(c.r.Host))
	}
	return base, nil
}

// sign returns the signature of a URL's path, as it is escaped, for one method, until
// a time in seconds. GET is for HEAD too.
func (h *Handler) sign(method, path, until string) []byte {
	if method == http.MethodHead {
		method = http.MethodGet
	}
	mac := hmac.New(sha256.New, h.opts.SigningKey)
	fmt.Fprintf(mac, "bucketlite presigned 1\n%s\n%s\n%s", method, path, until)
	return mac.Sum(nil)
}

// verify checks the signature of the request's URL, and enters the namespace that
// the URL leads to.
func (c *call) verify() error {
	until := c.query.Get("expires")
	given, err := hex.DecodeString(c.query.Get("signature"))
	if err != nil || !hmac.Equal(given, c.h.sign(c.r.Method, c.r.URL.EscapedPath(), until)) {
		return errSignature
	}
	if err := c.expired(until); err != nil {
		return err
	}
	return c.locate(c.r.PathValue("namespace"))
}

// errSignature is the error of a URL that was not signed as it is.
var errSignature = forbidden("the signature is not that of this URL and method")

// expired refuses a signed URL whose time, in seconds, has come.
func (c *call) expired(until string) error {
	expires, err := strconv.ParseInt(until, 10, 64)
	if err != nil || c.h.opts.Now().Unix() >= expires {
		return forbidden("the URL has expired")
	}
	return nil
}
