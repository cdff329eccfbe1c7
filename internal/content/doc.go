// Package content keeps the bytes of blobs and uploads: each content once, for any number
// of references, addressed by its SHA-256 and cut into chunks.
//
// A content comes in one of two ways. Short ones are written with what refers to them.
// Longer ones are staged: written piece by piece, each piece in a transaction of its
// own, and adopted by the transaction that refers to them. A lease protects what is
// staged. A content without references waits until it is collected, in slices.
package content
