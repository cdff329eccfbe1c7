// Package content stores the bytes of blobs and uploads: each content once, for any
// number of references, addressed by its SHA-256 and cut into chunks.
//
// Short contents are written together with their reference. Longer contents are
// staged: written piece by piece, each piece in a transaction of its own, and then
// adopted by the transaction that adds the reference. A lease protects staged
// contents. A content without references is deleted later, in slices.
package content
