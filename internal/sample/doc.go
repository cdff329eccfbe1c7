// Package sample writes an HTTP request as a program in one of four languages. The
// programs need no library beside what each language has: curl, Python's urllib,
// JavaScript's fetch in Node, and Go's net/http. They take the server's address from
// $BUCKETLITE_URL and the key from $BUCKETLITE_API_KEY, so no secret is in them.
//
// Every string of a request is quoted for the language that it stands in. A number that a
// language cannot hold keeps its digits, since the whole body is then written as text.
package sample
