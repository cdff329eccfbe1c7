package bucketlite

import (
	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/content"
	"github.com/bucketlite/bucketlite/internal/value"
)

// keptContent returns the stored content of a blob, for another blob to share.
func keptContent(b *Blob) (*content.Content, error) {
	c, ok := content.Kept(b.Details.Hash, b.Details.Size)
	if !ok {
		return nil, errorf("blob %q: hash %s: %w", b.ID, value.Show(b.Details.Hash), ErrCorrupt)
	}
	return c, nil
}

// checkContents returns an error if the bytes of a content are deleted. An operation
// calls it before its first write.
func checkContents(tx *commit.Tx, contents []*content.Content) error {
	return contentError(content.Check(tx, contents))
}

// keepContent adds a reference to a content that checkContents has checked.
func keepContent(tx *commit.Tx, c *content.Content) error { return contentError(content.Keep(tx, c)) }

// contentError converts an error of package content to a refusal. It returns an error
// of the engine unchanged: a refused operation has written nothing, but one that an
// error of the engine ends may have.
func contentError(err error) error {
	if gone, ok := err.(*content.GoneError); ok {
		return notFound("content %x", gone.Hash)
	}
	if err == content.ErrGivenUp {
		return public(err)
	}
	return err
}

// exchange references an object's new contents, then drops those of replaced or
// removed blobs. With this order, contents that both sides share always have a
// reference.
func exchange(tx *commit.Tx, object string, contents []*content.Content, gone []Blob) error {
	if err := adopt(tx, contents, object); err != nil {
		return err
	}
	return dropContents(tx, gone)
}

// adopt references an object's new contents. It records the first object that uses an
// upload's content in the upload.
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

// dropContents drops one content reference for each of blobs that has stored content.
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
