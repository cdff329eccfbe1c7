package bucketlite

import "testing"

// The name of an exported file comes from nothing but its hash and a harmless extension.
func TestExportNames(t *testing.T) {
	t.Parallel()
	const hash = "251f30971b9aa7bd71af7fb8fed9ab01d7e925eeec902f1583273f4e5684ac2c"
	for filename, ext := range map[string]string{
		"": "", "a.jpg": ".jpg", "a.JPG": ".jpg", "a.tar.gz": ".gz", "a": "", "a.": "", ".": "", "..": "",
		"a.j pg": "", "a.jpg:stream": "", "a.é": "", "a.abcdefghijk": "", "../../a": "", `..\..\a.b\c`: "", "a.mp4": ".mp4",
	} {
		got := exportName(&Blob{Details: BlobDetails{Hash: hash, Filename: filename}})
		if want := "files/25/" + hash + ext; got != want {
			t.Errorf("%q: got %s, want %s", filename, got, want)
		}
	}
	if got := exportName(&Blob{Details: BlobDetails{Filename: "a.jpg"}}); got != "" {
		t.Errorf("a blob that is not stored: got %q, want none", got)
	}
}
