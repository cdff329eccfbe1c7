package bucketlite

import (
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/value"
)

// keptContent returns the stored content of a blob, to be shared by another.
func keptContent(b *Blob) (*content.Content, error) {
	c, ok := content.Kept(b.Details.Hash, b.Details.Size)
	if !ok {
		return nil, errorf("blob %q: hash %s: %w", b.ID, value.Show(b.Details.Hash), ErrCorrupt)
	}
	return c, nil
}

// checkContents refuses contents whose bytes are gone by now: an operation must
// know before it writes.
func checkContents(tx *commit.Tx, contents []*content.Content) error {
	return contentError(content.Check(tx, contents))
}

// keepContent adds a reference to a content that has been checked.
func keepContent(tx *commit.Tx, c *content.Content) error { return contentError(content.Keep(tx, c)) }

// contentError gives an error of package content its public identity.
func contentError(err error) error {
	if gone, ok := err.(*content.GoneError); ok {
		return notFound("content %x", gone.Hash)
	}
	return public(err)
}

// exchange references an object's new contents and drops those of blobs that
// went. New ones come first, so that what both share never looks unused.
func exchange(tx *commit.Tx, object string, contents []*content.Content, gone []Blob) error {
	if err := adopt(tx, contents, object); err != nil {
		return err
	}
	return dropContents(tx, gone)
}

// adopt references an object's new contents. An upload that brought one learns
// which object took it first.
func adopt(tx *commit.Tx, contents []*content.Content, object string) error {
	for _, c := range contents {
		if err := keepContent(tx, c); err != nil {
			return err
		}
		if c.Upload == 0 {
			continue
		}
		if _, err := tx.Exec("UPDATE uploads SET object = ? WHERE num = ? AND object IS NULL", object, c.Upload); err != nil {
			return err
		}
	}
	return nil
}

// dropContents takes back one reference for each of blobs that is stored content.
func dropContents(tx *commit.Tx, blobs []Blob) error {
	for i := range blobs {
		if hash := blobs[i].Details.Hash; hash != "" {
			if err := content.Drop(tx, hash); err != nil {
				return err
			}
		}
	}
	return nil
}
