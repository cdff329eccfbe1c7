package httpapi_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// A PUT whose headers contradict its body is refused, and nothing is stored.
// The bytes are "123456789", whose check values are those of the catalogues.
func TestUploadPutDigests(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	data := []byte("123456789")
	announce := func() *reply {
		return s.announce(map[string]any{"filename": "a.txt", "content_type": "text/plain", "blob_property": "notes"})
	}
	b64 := base64.StdEncoding.EncodeToString
	field := func(sum []byte) string { return ":" + b64(sum) + ":" }
	md5Sum, sha1Sum, sha256Sum, sha512Sum := md5.Sum(data), sha1.Sum(data), sha256.Sum256(data), sha512.Sum512(data)
	crc := func(sum uint32) string { return b64(binary.BigEndian.AppendUint32(nil, sum)) }
	other32 := sha256.Sum256(nil)

	for _, test := range []struct {
		name, header, value string
		status              int
	}{
		{"MD5", "Content-MD5", b64(md5Sum[:]), 200},
		{"another MD5", "Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==", 400},
		{"an MD5 in hexadecimal", "Content-MD5", hex.EncodeToString(md5Sum[:]), 400},
		{"SHA-256 of the representation", "Repr-Digest", "sha-256=" + field(sha256Sum[:]), 200},
		{"another SHA-256 of the representation", "Repr-Digest", "sha-256=" + field(other32[:]), 400},
		{"SHA-512 of the content", "Content-Digest", "sha-512=" + field(sha512Sum[:]), 200},
		{"several", "Content-Digest", "sha-256=" + field(sha256Sum[:]) + ", sha-512=" + field(sha512Sum[:]) + ";x=1", 200},
		{"several, one of others", "Content-Digest", "sha-256=" + field(other32[:]) + ",sha-512=" + field(sha512Sum[:]), 400},
		{"MD5 as a field", "Content-Digest", "md5=" + field(md5Sum[:]), 200},
		{"SHA-1 as a field", "Content-Digest", "sha=" + field(sha1Sum[:]), 200},
		{"an unknown algorithm", "Content-Digest", "unixsum=:AAAA:", 200},
		{"an unknown algorithm beside another hash", "Content-Digest", "unixsum=:AAAA:, md5=:AAAAAAAAAAAAAAAAAAAAAA==:", 400},
		{"without colons", "Repr-Digest", "sha-256=" + b64(sha256Sum[:]), 400},
		{"too short", "Repr-Digest", "sha-256=:AAAA:", 400},
		{"no hash", "Repr-Digest", "sha-256", 400},
		{"CRC-32", "x-amz-checksum-crc32", crc(0xcbf43926), 200},
		{"another CRC-32", "x-amz-checksum-crc32", crc(0xcbf43927), 400},
		{"CRC-32C", "x-amz-checksum-crc32c", crc(0xe3069283), 200},
		{"CRC-32C that is a CRC-32", "x-amz-checksum-crc32c", crc(crc32.ChecksumIEEE(data)), 400},
		{"CRC-64/NVME", "x-amz-checksum-crc64nvme", b64(binary.BigEndian.AppendUint64(nil, 0xae8b14860a799888)), 200},
		{"another CRC-64/NVME", "x-amz-checksum-crc64nvme", "AAAAAAAAAAA=", 400},
		{"SHA-1", "x-amz-checksum-sha1", b64(sha1Sum[:]), 200},
		{"SHA-256", "x-amz-checksum-sha256", b64(sha256Sum[:]), 200},
		{"another SHA-256", "x-amz-checksum-sha256", b64(other32[:]), 400},
		{"of parts", "x-amz-checksum-sha256", b64(sha256Sum[:]) + "-2", 400},
		{"signed", "x-amz-content-sha256", strings.ToUpper(hex.EncodeToString(sha256Sum[:])), 200},
		{"signed with another", "x-amz-content-sha256", hex.EncodeToString(other32[:]), 400},
		{"unsigned", "x-amz-content-sha256", "UNSIGNED-PAYLOAD", 200},
		{"signed with nonsense", "x-amz-content-sha256", "nonsense", 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			up := announce()
			got := s.anyone().as(test.header, test.value).do("PUT", up.text("presigned_url"), data)
			want := etag(data)
			if test.status != http.StatusOK {
				got.wantError(test.status, "BadRequestError")
				want = "<nil>"
			}
			got.want(test.status)
			s.do("GET", "/v1/buckets/films/uploads/"+up.text("upload_id"), nil).want(http.StatusOK).wantAt("etag", want).wantAt("status", "PENDING")
		})
	}

	t.Run("both values are reported", func(t *testing.T) {
		got := s.anyone().as("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==").do("PUT", announce().text("presigned_url"), data)
		got.wantAt("error.message", "header Content-MD5: the bytes have "+b64(md5Sum[:])+", the header says AAAAAAAAAAAAAAAAAAAAAA==")
	})
	t.Run("bytes that were there stay", func(t *testing.T) {
		up := announce()
		s.anyone().do("PUT", up.text("presigned_url"), data).want(http.StatusOK)
		s.anyone().as("Content-MD5", "AAAAAAAAAAAAAAAAAAAAAA==").do("PUT", up.text("presigned_url"), bytes.Repeat([]byte("a"), 1<<20)).want(http.StatusBadRequest)
		s.do("GET", "/v1/buckets/films/uploads/"+up.text("upload_id"), nil).wantAt("etag", etag(data))
	})
}

// A body that is not the bytes of the file, but a part of them or a wrapping, is not
// stored in their place.
func TestUploadPutWrapped(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", "film.mp4")
	if err != nil {
		t.Fatal(err)
	}
	part.Write(noise(100))
	w.Close()

	const chunked = "5;chunk-signature=aa\r\nhello\r\n0;chunk-signature=bb\r\n\r\n"
	for _, test := range []struct {
		name          string
		body          any
		header, value string
		status        int
		kind          string
	}{
		{"a form", form.Bytes(), "Content-Type", w.FormDataContentType(), 415, "UnsupportedMediaTypeError"},
		{"a form, in capitals", form.Bytes(), "Content-Type", "Multipart/Form-Data ; boundary=x", 415, "UnsupportedMediaTypeError"},
		{"a part of a file", noise(50), "Content-Range", "bytes 50-99/100", 400, "BadRequestError"},
		{"the whole as a part", noise(100), "Content-Range", "bytes 0-99/100", 400, "BadRequestError"},
		{"gzip", noise(50), "Content-Encoding", "gzip", 415, "UnsupportedMediaTypeError"},
		{"identity and gzip", noise(50), "Content-Encoding", "identity, GZIP", 415, "UnsupportedMediaTypeError"},
		{"aws-chunked", chunked, "Content-Encoding", "aws-chunked", 501, "NotImplementedError"},
		{"aws-chunked gzip", chunked, "Content-Encoding", "gzip,aws-chunked", 501, "NotImplementedError"},
		{"a streaming signature", chunked, "X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", 501, "NotImplementedError"},
		{"a streaming trailer", chunked, "X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", 501, "NotImplementedError"},
		{"a decoded length", chunked, "X-Amz-Decoded-Content-Length", "5", 501, "NotImplementedError"},
		{"identity", noise(50), "Content-Encoding", "identity", 200, ""},
		{"another multipart", noise(50), "Content-Type", "multipart/related; boundary=x", 200, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			up := s.announce(nil)
			got := s.anyone().as(test.header, test.value).do("PUT", up.text("presigned_url"), test.body).want(test.status)
			if test.status != http.StatusOK {
				got.wantError(test.status, test.kind)
				s.do("GET", "/v1/buckets/films/uploads/"+up.text("upload_id"), nil).wantAt("etag", "<nil>")
			}
		})
	}
}

// Bytes that lack the signature that all files of the announced type have are not of it.
// Those of a type that has none are believed.
func TestUploadPutSignatures(t *testing.T) {
	t.Parallel()
	s := serve(t, nil)
	s.do("POST", "/v1/buckets", films("films")).want(http.StatusOK)
	for _, contentType := range []string{"image/png", "image/jpeg", "image/gif", "image/webp"} {
		up := s.announce(map[string]any{"filename": "poster", "content_type": contentType, "blob_property": "poster"})
		s.anyone().do("PUT", up.text("presigned_url"), noise(1000)).wantFaults("body.content mime")
	}
	s.anyone().do("PUT", s.announce(nil).text("presigned_url"), noise(1000)).want(http.StatusOK)
}
