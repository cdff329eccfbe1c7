package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/bucketlite/bucketlite"
)

// Confirmations names uploads.
func Confirmations(ids ...string) (list []bucketlite.Confirmation) {
	for _, id := range ids {
		list = append(list, bucketlite.Confirmation{UploadID: id})
	}
	return list
}

// DocUpload announces the document of an item.
func DocUpload(k string) bucketlite.UploadInput {
	return bucketlite.UploadInput{Filename: "doc.txt", ContentType: "text/plain", ObjectMetadata: map[string]any{"k": k}}
}

// CreateUpload creates an upload that must be accepted.
func CreateUpload(t testing.TB, b *bucketlite.Bucket, in bucketlite.UploadInput) *bucketlite.Upload {
	t.Helper()
	u, err := b.CreateUpload(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// WriteUpload writes bytes that must be accepted.
func WriteUpload(t testing.TB, b *bucketlite.Bucket, id string, data string) *bucketlite.Upload {
	t.Helper()
	u, err := b.WriteUpload(context.Background(), id, strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// MustUpload reads an upload.
func MustUpload(t testing.TB, b *bucketlite.Bucket, id string) *bucketlite.Upload {
	t.Helper()
	u, err := b.Upload(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// HashOf returns the SHA-256 of data in hexadecimal.
func HashOf(data string) string {
	s := sha256.Sum256([]byte(data))
	return hex.EncodeToString(s[:])
}

// ConfirmUpload confirms an upload that must be accepted.
func ConfirmUpload(t testing.TB, b *bucketlite.Bucket, id string) *bucketlite.Upload {
	t.Helper()
	u, err := b.ConfirmUpload(context.Background(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
