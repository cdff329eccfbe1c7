package bucketlite

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Fetcher gets the bytes that a URL stands for; see [Options].Fetcher. Package
// httpfetch has one for http and https. It must be safe for concurrent use.
type Fetcher interface {
	// Fetch begins to read what url, which is of scheme http, https, s3, gs or
	// file, stands for. It must end when ctx does, which also holds for the body.
	// Without a result and an error the blob stays a reference. The text of an
	// error, also of one that the body's Read returns, becomes part of a message
	// for the user, so it must hold no secret.
	Fetch(ctx context.Context, url string) (*Fetched, error)
}

// Fetched is what a [Fetcher] has got.
type Fetched struct {
	// Body gives the bytes. Whoever gets it closes it.
	Body io.ReadCloser
	// MIMEType is what the source says the bytes are. It counts only if nothing
	// was declared with the URL, and if it fits the field.
	MIMEType string
	// Filename is what the source calls the bytes, or empty. It counts only if
	// nothing was declared with the URL, and must be a name without a path.
	Filename string
}

// fetchesAtOnce is how many URLs one PutMany fetches at once.
const fetchesAtOnce = 8

// maxCause is how many bytes of a fetcher's own words become part of a message.
const maxCause = 500

// link is a blob that is a reference, and is to be brought in.
type link struct {
	blob    int        // its place among the input's blobs
	path    value.Path // of its data
	field   *schema.Field
	refetch bool
	given   BlobDetails // what came with the URL: filename and MIME type

	settled bool             // the source has been asked
	content *content.Content // what it has come to; nil for a reference
}

// links returns which blobs of a sound input are to be brought in.
func (b *Bucket) links(in *ObjectInput, blobs []Blob) []link {
	if b.store.opts.Fetcher == nil {
		return nil
	}
	var links []link
	for i := range blobs {
		blob, given := &blobs[i], &in.Blobs[i]
		if _, isReference := blob.Properties["url"]; !isReference || orElse(given.KeepReference, in.KeepReference) {
			continue
		}
		f := b.def.plan.Field(blob.Property)
		if f.Type == schema.Array {
			f = f.Items
		}
		l := link{blob: i, path: slices.Clip(blobsPath.Item(i).Member("data")), field: f, refetch: orElse(given.Refetch, in.Refetch)}
		l.given.Filename = blob.Details.Filename
		l.given.MIMEType, _, _ = mime.ParseMediaType(blob.Details.MIMEType)
		links = append(links, l)
	}
	return links
}

// orElse returns what p points to, or else v.
func orElse(p *bool, v bool) bool {
	if p != nil {
		return *p
	}
	return v
}

// fetch brings in what the links among blobs stand for. A link that has the same
// source as a blob of the same property in stored keeps that blob's content; with
// anew none does. It reports whether any does. Nothing is fetched twice.
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

// sameSource returns the stored blob whose content came from where blob refers
// to, and is what was declared with the reference; or nil.
func (l *link) sameSource(blob *Blob, stored []Blob) *Blob {
	i := slices.IndexFunc(stored, func(old Blob) bool {
		return old.Property == blob.Property && old.Details.Hash != "" && old.Properties["url"] == blob.Properties["url"] &&
			(l.given.MIMEType == "" || l.given.MIMEType == old.Details.MIMEType)
	})
	if i < 0 {
		return nil
	}
	return &stored[i]
}

// fetchLink asks the source of one blob, and stores what it gives.
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
		return b.unfetched(l, source, errors.New("the fetcher gave no body"))
	}
	j := &judge{}
	builder := blobBuilder{ctx: ctx, bucket: b, judge: j}
	r := content.NewInflow(ctx, got.Body)
	err = builder.read(l.path, r, cmp.Or(l.given.Filename, got.Filename), cmp.Or(l.given.MIMEType, fitting(l.field.Type, got.MIMEType)), l.field, blob)
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

// fitting returns the MIME type a source claims if it can be that of a value of
// the field, else nothing: servers often know no better, and what the bytes show
// is judged in any case.
func fitting(t, claimed string) string {
	if base, _, err := mime.ParseMediaType(claimed); err == nil && schema.Fits(t, base) {
		return base
	}
	return ""
}

// unfetched says that a source gave nothing, and why. The error's own text must
// not hold what is secret in the URL.
func (b *Bucket) unfetched(l *link, source string, cause error) error {
	text := cause.Error()
	if e := (*url.Error)(nil); errors.As(cause, &e) {
		text = e.Err.Error() // what comes before it is a URL
	}
	text = strings.ReplaceAll(text, source, withoutSecrets(source))
	if len(text) > maxCause {
		text = text[:maxCause] + "…"
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r // and the replacement character for what is not UTF-8
	}, text)
	issue := Issue{l.path.String(), ruleFetch, fmt.Sprintf("%s cannot be fetched: %s", value.Show(withoutSecrets(source)), text)}
	return &ValidationError{Subject: b.String(), Issues: []Issue{issue}, cause: cause}
}

// withoutSecrets returns a URL without the parts that may be secret: user,
// query, fragment.
func withoutSecrets(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "the URL"
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// withLinks returns the contents of an input: those that came with it, and those
// of its links.
func withLinks(own []*content.Content, links []link) []*content.Content {
	contents := slices.Clip(own)
	for i := range links {
		if c := links[i].content; c != nil {
			contents = append(contents, c)
		}
	}
	return contents
}

// fetch brings in what the input refers to, before it is put. What would be
// refused anyway is not fetched.
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

// meet reads the object the input will be put onto, nil if there is none, and
// refuses what the writer would refuse, as far as that can be known.
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
