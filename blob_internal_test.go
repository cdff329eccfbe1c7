package bucketlite

import (
	"strings"
	"testing"
)

// Files of older releases hold blobs that are empty without their size, and blobs of
// today are not mistaken for damaged ones.
func TestStoredBlobs(t *testing.T) {
	t.Parallel()
	const older = `[{"blob_id":"b","property":"p","type":"text","properties":{},"details":{"mime_type":"text/plain","hash":"` + sha256OfNothing + `"}},` +
		`{"blob_id":"c","property":"q","type":"text","properties":{"data":""},"details":{"mime_type":"text/plain"}}]`
	const reference = `[{"blob_id":"b","property":"p","type":"image","properties":{"url":"s3://a"},"details":{}}]`
	now, ok := blobsText(older)
	if n := strings.Count(string(now), `"size_bytes":0`); !ok || n != 2 {
		t.Errorf("got %s, want 2 sizes of 0", now)
	}
	for text, want := range map[string]bool{older: true, string(now): true, reference: true, "": true, strings.Replace(older, `"b"`, `"b" `, 1): false,
		strings.Replace(reference, "{}", `{"size_bytes":0}`, 1): false, "[]": false} {
		blobs, err := decodeBlobs(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := isStoredForm(text, blobs); got != want {
			t.Errorf("%s: got %t, want %t", text, got, want)
		}
	}
	if text, ok := blobsText(reference); !ok || string(text) != reference {
		t.Errorf("got %s, %t, want %s", text, ok, reference)
	}
	if _, ok := blobsText(`[{"data":""`); ok {
		t.Error("got broken JSON, want none")
	}
}
