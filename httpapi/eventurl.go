package httpapi

import (
	"crypto/hmac"
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// feedURLTime is for how long a stream may be opened with the URL of a feed. Open streams
// last longer.
const feedURLTime = 5 * time.Minute

var eventURLRoutes = []route{
	{"POST /v1/events/url", scoped, reads, noBody, (*call).namespaceFeed},
	{"POST /v1/buckets/{bucket}/events/url", scoped, reads, noBody, (*call).bucketFeed},
	{"GET /v1/presigned/events/{namespace}", lent, reads, noBody, (*call).watchNamespace},
	{"GET /v1/presigned/events/{namespace}/{bucket}", lent, reads, noBody, (*call).watchBucket},
}

// feed is the URL of a stream of events, for an EventSource, which cannot send a key.
type feed struct {
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expires_at"`
}

// namespaceFeed returns a URL for the events of the namespace.
func (c *call) namespaceFeed() (any, error) { return c.feed(c.ns.ID()) }

// bucketFeed returns a URL for the events of a bucket.
func (c *call) bucketFeed() (any, error) { return c.feed(c.ns.ID(), c.bucket.ID()) }

// feed returns a URL with the rights of the request's key.
func (c *call) feed(ids ...string) (any, error) {
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	path := "/v1/presigned/events/" + strings.Join(ids, "/")
	expires := c.h.opts.Now().Add(feedURLTime).UTC().Truncate(time.Second)
	until, key := strconv.FormatInt(expires.Unix(), 10), c.h.AccessID(c.key)
	query := url.Values{"expires": {until}, "key": {key}, "signature": {hex.EncodeToString(c.h.signFeed(path, until, key))}}
	return feed{base + path + "?" + query.Encode(), expires}, nil
}

// signFeed returns the signature of the URL of a feed.
func (h *Handler) signFeed(path, until, key string) []byte {
	return h.Sign("events", []byte(path+"\n"+until+"\n"+key))
}

// verifyFeed checks the signature of the URL of a feed, and enters the namespace of the URL
// with the key that made it. The rights are those that the key has now.
func (c *call) verifyFeed() error {
	until, key := c.query.Get("expires"), c.query.Get("key")
	given, err := hex.DecodeString(c.query.Get("signature"))
	if err != nil || !hmac.Equal(given, c.h.signFeed(c.r.URL.EscapedPath(), until, key)) {
		return errSignature
	}
	if err := c.expired(until); err != nil {
		return err
	}
	if c.key = c.h.AccessByID(key); c.key == nil {
		return forbidden("the key that made the URL is not known any more")
	}
	c.w.key = c.key.Name
	return c.locate(c.r.PathValue("namespace"))
}
