package httpapi

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"strings"

	"github.com/bucketlite/bucketlite/internal/value"
)

// A digest is a hash that a header gives of the bytes in the body.
type digest struct {
	header string // the header and, where it takes several, the algorithm
	want   []byte
	encode func([]byte) string // as the header writes it
	hash   hash.Hash
}

// nvme is the table of CRC-64/NVME, whose polynomial is given in reversed bit order.
var nvme = crc64.MakeTable(0x9a6c9329ac4bc9b5)

// headerHashes are the headers that give one hash, in base64.
var headerHashes = []struct {
	header string
	hash   func() hash.Hash
}{
	{"Content-MD5", md5.New},
	{"X-Amz-Checksum-Crc32", func() hash.Hash { return crc32.NewIEEE() }},
	{"X-Amz-Checksum-Crc32c", func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }},
	{"X-Amz-Checksum-Crc64nvme", func() hash.Hash { return crc64.New(nvme) }},
	{"X-Amz-Checksum-Sha1", sha1.New},
	{"X-Amz-Checksum-Sha256", sha256.New},
}

// fieldHashes are the algorithms of Repr-Digest and Content-Digest, RFC 9530. Others
// are ignored, as it says.
var fieldHashes = map[string]func() hash.Hash{
	"sha-256": sha256.New,
	"sha-512": sha512.New,
	"md5":     md5.New,
	"sha":     sha1.New,
}

const (
	contentSHA256   = "X-Amz-Content-Sha256"
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// digestsOf returns the digests of the body that a header gives.
func digestsOf(h http.Header) (digests []*digest, err error) {
	add := func(name, text string, decode func(string) ([]byte, error), encode func([]byte) string, newHash func() hash.Hash) {
		d := &digest{header: name, encode: encode, hash: newHash()}
		var decodeErr error
		if d.want, decodeErr = decode(text); err == nil && (decodeErr != nil || len(d.want) != d.hash.Size()) {
			err = badRequest(fmt.Sprintf("header %s: got %s, want %d bytes such as %s", name, value.Show(text), d.hash.Size(), encode(d.hash.Sum(nil))))
		}
		digests = append(digests, d)
	}
	for _, of := range headerHashes {
		for _, text := range h.Values(of.header) {
			add(of.header, strings.TrimSpace(text), base64.StdEncoding.DecodeString, base64.StdEncoding.EncodeToString, of.hash)
		}
	}
	for _, text := range h.Values(contentSHA256) {
		if !strings.EqualFold(text, unsignedPayload) {
			add(contentSHA256, text, hex.DecodeString, hex.EncodeToString, sha256.New)
		}
	}
	for _, name := range []string{"Repr-Digest", "Content-Digest"} {
		members := strings.Join(h.Values(name), ",")
		if strings.TrimSpace(members) == "" {
			continue
		}
		for member := range strings.SplitSeq(members, ",") {
			algorithm, text, ok := strings.Cut(strings.TrimSpace(member), "=")
			if !ok {
				return nil, badRequest("header " + name + ": got " + value.Show(member) + ", want an algorithm and a hash such as sha-256=:…:")
			}
			if newHash := fieldHashes[strings.ToLower(algorithm)]; newHash != nil {
				add(name+" "+algorithm, text, decodeField, encodeField, newHash)
			}
		}
	}
	return digests, err
}

// decodeField reads a byte sequence of a structured field, RFC 9651: base64 between
// colons, and perhaps parameters, which mean nothing here.
func decodeField(text string) ([]byte, error) {
	text, _, _ = strings.Cut(text, ";")
	text, opened := strings.CutPrefix(strings.TrimSpace(text), ":")
	text, closed := strings.CutSuffix(text, ":")
	if !opened || !closed {
		return nil, base64.CorruptInputError(0)
	}
	return base64.StdEncoding.DecodeString(text)
}

func encodeField(sum []byte) string { return ":" + base64.StdEncoding.EncodeToString(sum) + ":" }

// A digestedBody is a body that is held to its digests: at its end it fails if the
// bytes have others, so that they are not stored.
type digestedBody struct {
	r       io.Reader
	digests []*digest
	err     error // why the bytes are not those of the digests
}

func (b *digestedBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	for _, d := range b.digests {
		d.hash.Write(p[:n])
	}
	if err == io.EOF && b.err == nil {
		b.err = b.check()
	}
	if err == io.EOF && b.err != nil {
		err = b.err
	}
	return n, err
}

func (b *digestedBody) check() error {
	for _, d := range b.digests {
		got, want := d.encode(d.hash.Sum(nil)), d.encode(d.want)
		if got != want {
			return badRequest(fmt.Sprintf("header %s: the bytes have %s, the header says %s", d.header, got, want))
		}
	}
	return nil
}
