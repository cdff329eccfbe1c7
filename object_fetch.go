package bucketlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Fetcher fetches the content of URLs; see [Options].Fetcher. Package httpfetch
// implements it for http and https. A Fetcher must be safe for concurrent use.
type Fetcher interface {
	// Fetch starts to fetch url, whose scheme is http, https, s3, gs or file. Fetch
	// and reads of the body must end when ctx does. If both results are nil, the blob
	// stays a reference. The text of an error, also of one from the body's Read,
	// becomes part of a message for the user, so it must not contain secrets.
	Fetch(ctx context.Context, url string) (*Fetched, error)
}

// Fetched is the response of a [Fetcher].
type Fetched struct {
	// Body is the content. The caller of Fetch closes it.
	Body io.ReadCloser
	// MIMEType is the type that the source declares. It is used only if the blob
	// input declares none, and if it fits the field. A page of text that comes in
	// place of another kind of file is refused.
	MIMEType string
	// Filename is the source's name for the content, or empty. It is used only if the
	// blob input has none, and must be a name without a path.
	Filename string
}

// fetchesAtOnce is the number of inputs for which one PutMany or Apply fetches URLs at the
// same time.
const fetchesAtOnce = 8

// fetchTogether calls fetch for each of n inputs that have links, several at once, since
// most of the time is spent waiting.
func fetchTogether(n int, fetch func(i int)) {
	var wg sync.WaitGroup
	var next atomic.Int64
	var panicked atomic.Pointer[any]
	for range min(fetchesAtOnce, n) {
		wg.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					panicked.Store(&r)
				}
			}()
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				fetch(int(i - 1))
			}
		})
	}
	wg.Wait()
	if r := panicked.Load(); r != nil {
		panic(*r) // in the caller's goroutine, where it can be recovered
	}
}

// maxCause limits the bytes of a fetcher's error text in a message.
const maxCause = 500

// link is a blob whose URL is to be fetched.
type link struct {
	blob    int        // index among the input's blobs
	path    value.Path // of its data
	field   *schema.Field
	refetch bool
	given   BlobDetails // the filename and MIME type given with the URL
	mime    string      // that type, unless it says nothing
	allow   bool        // a document in a field of text

	settled bool             // the fetch is done
	content *content.Content // the fetched or kept content; nil if the blob stays a reference
}

// links returns the blobs of a valid input that are to be fetched.
func (b *Bucket) links(in *ObjectInput, blobs []Blob) []link {
	if b.store.opts.Fetcher == nil {
		return nil
	}
	var links []link
	for i := range blobs {
		blob, given := &blobs[i], &in.Blobs[i]
		if _, isReference := blob.Properties["url"]; !isReference || given.Reader != nil || orElse(given.KeepReference, in.KeepReference) {
			continue
		}
		f := b.def.plan.Field(blob.Property)
		if f.Type == schema.Array {
			f = f.Items
		}
		l := link{blob: i, path: slices.Clip(blobsPath.Item(i).Member("data")), field: f, refetch: orElse(given.Refetch, in.Refetch), allow: given.AllowDocument}
		l.mime, _ = schema.Content{Declared: blob.Details.MIMEType, Documents: l.allow}.Type(f.Type)
		l.given.Filename, l.given.MIMEType = blob.Details.Filename, cmp.Or(l.mime, schema.Base(blob.Details.MIMEType))
		links = append(links, l)
	}
	return links
}

// orElse returns *p, or v if p is nil.
func orElse(p *bool, v bool) bool {
	if p != nil {
		return *p
	}
	return v
}

// fetch fetches the links of blobs, none twice. A link whose URL is that of a stored
// blob of the same property keeps that blob's content, unless anew is set. fetch
// reports whether a link keeps content.
func (b *Bucket) fetch(ctx context.Context, links []link, blobs, stored []Blob, anew bool) (keeps bool, err error) {
	for i := range links {
		l := &links[i]
		if l.settled {
			continue
		}
		l.content = nil
		blob := &blobs[l.blob]
		if old := l.sameSource(blob, stored); old != nil && !anew && !l.refetch {
			if l.content, err = keptContent(old); err != nil {
				return keeps, err
			}
			blob.Details = old.Details
			blob.Details.Filename = cmp.Or(l.given.Filename, old.Details.Filename)
			keeps = true
			continue
		}
		if err := b.fetchLink(ctx, l, blob); err != nil {
			return keeps, err
		}
		l.settled = true
	}
	return keeps, nil
}

// sameSource returns the stored blob of the same property whose content came from
// blob's URL, and has the type declared with it; or nil.
func (l *link) sameSource(blob *Blob, stored []Blob) *Blob {
	i := slices.IndexFunc(stored, func(old Blob) bool {
		return old.Property == blob.Property && old.Details.Hash != "" && old.Properties["url"] == blob.Properties["url"] &&
			(l.mime == "" || l.mime == old.Details.MIMEType)
	})
	if i < 0 {
		return nil
	}
	return &stored[i]
}

// fetchLink fetches one blob and stores its content.
func (b *Bucket) fetchLink(ctx context.Context, l *link, blob *Blob) error {
	source := blob.Properties["url"].(string)
	got, err := b.store.opts.Fetcher.Fetch(ctx, source)
	if got != nil && got.Body != nil {
		defer got.Body.Close()
	}
	blob.Details = l.given
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return b.unfetched(l, source, err)
	case got == nil:
		return nil
	case got.Body == nil:
		return b.unfetched(l, source, errors.New("the fetcher returned no body"))
	}
	j := &judge{}
	builder := blobBuilder{ctx: ctx, bucket: b, judge: j, document: l.allow}
	r := content.NewInflow(ctx, got.Body)
	about := schema.Content{Declared: l.given.MIMEType, Claimed: got.MIMEType, Filename: cmp.Or(l.given.Filename, got.Filename)}
	err = builder.read(l.path, r, about, l.field, blob)
	switch broken := r.Broken(); {
	case err != nil && broken != nil && ctx.Err() == nil:
		return b.unfetched(l, source, broken)
	case err != nil:
		return err
	case j.Any():
		return b.refusal(j)
	}
	l.content = builder.contents[0]
	return nil
}

// unfetched returns the error for a URL that could not be fetched. Its text must not
// contain the secret parts of the URL.
func (b *Bucket) unfetched(l *link, source string, cause error) error {
	text := cause.Error()
	if e := (*url.Error)(nil); errors.As(cause, &e) {
		text = e.Err.Error() // the text before it is a URL
	}
	text = strings.ReplaceAll(text, source, withoutSecrets(source))
	if len(text) > maxCause {
		text = text[:maxCause] + "…"
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r // also the replacement character, for invalid UTF-8
	}, text)
	issue := Issue{l.path.String(), ruleFetch, fmt.Sprintf("%s cannot be fetched: %s", value.Show(withoutSecrets(source)), text)}
	return &ValidationError{Subject: b.String(), Issues: []Issue{issue}, cause: cause}
}

// withoutSecrets returns a URL without the parts that may be secret: user, query and
// fragment.
func withoutSecrets(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "the URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// withLinks returns all contents of an input: its own, and those of its links.
func withLinks(own []*content.Content, links []link) []*content.Content {
	contents := slices.Clip(own)
	for i := range links {
		if c := links[i].content; c != nil {
			contents = append(contents, c)
		}
	}
	return contents
}

// fetch fetches the input's links before the put. It fetches nothing for an input
// that will be refused.
func (p *putter) fetch(ctx context.Context, anew bool) error {
	if len(p.links) == 0 {
		return nil
	}
	old, err := p.meet(ctx)
	if err != nil {
		return err
	}
	var stored []Blob
	if old != nil {
		if stored, err = decodeBlobs(old.blobs); err != nil {
			return errorf("%s: object %q: %w: %v", p.bucket, old.object.ID, ErrCorrupt, err)
		}
	}
	own := p.contents[:p.read]
	defer func() { p.contents = withLinks(own, p.links) }() // also if a fetcher panics
	keeps, err := p.bucket.fetch(ctx, p.links, p.blobs, stored, anew)
	if err != nil {
		return err
	}
	p.keptFrom = 0
	if keeps {
		p.keptFrom = old.object.Version
	}
	p.encoded, err = encodeBlobs(p.blobs)
	return err
}

// meet reads the object that the input will replace, or nil, and returns the errors
// of the writer that can be foreseen.
func (p *putter) meet(ctx context.Context) (*objectRow, error) {
	b := p.bucket
	if b.store.db.ReadOnly() {
		return nil, public(ErrReadOnly)
	}
	where, arg := "o.key = ?2", any(p.key)
	if p.key == nil {
		where, arg = "o.id = ?2", p.id
	}
	var old *objectRow
	err := b.store.read(ctx, func(c *engine.Conn) (err error) {
		old, err = b.selectObject(c, writeObjects, where, arg)
		return err
	})
	if err == nil && !p.batched {
		err = p.admit(old)
	}
	return old, err
}
