// Package httpapi serves a bucketlite store over HTTP, in the form of the Mixpeek
// bucket API, called the hosted service here: what was written for that runs
// unchanged against a file.
//
//	h, err := httpapi.New(store, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret}}})
//	…
//	err = http.ListenAndServe("127.0.0.1:8080", h)
//
// # Layers
//
// A [Handler] reads a request, calls the store, and writes what that returns. No
// rule of the store is decided here: what is refused, and why, is what the methods
// of package bucketlite say. Its own are who may ask ([Key]), what a request looks
// like, and the URLs that need no key.
//
// # Requests
//
// Every request but those of signed URLs, /v1/health, /v1/health/liveness,
// /openapi.json and /docs needs an Authorization header with a key. Those about
// buckets need a namespace too, its name or id, in the header X-Namespace or as
// [Options].DefaultNamespace.
//
// Paths are taken as they are sent: nothing is cleaned or redirected. A path with a
// segment that is empty, "." or "..", escaped or not, is not found, and "%2F" is part of
// the segment it is in; a bucket or namespace that has such a name is reached by its
// id. A path that no route has needs a key like one that a route has, before it is 404
// or, if another method is served there, 405 with Allow. A query with broken escapes is
// refused with 400. All of these answers have the form of an error and X-Request-Id.
// The exceptions are what net/http answers before any handler runs: 431 for a header
// that is too large, 400 for a request or an escape in its path that cannot be parsed,
// 501 for an unknown Transfer-Encoding, and 505.
//
// A body has a limit of bytes: [Options].MaxBodyBytes, 64 MiB by default, for objects,
// 16 MiB for lists of ids and for uploads, 3 MiB for buckets and namespaces, and 1 MiB
// for other forms. It has at most one value per 192 bytes of its limit, or 16,384 if
// that is more. Beyond that the answer is 413, with max_bytes or max_values in its
// details. A client that still sends a body when the answer comes can read the answer
// when it has sent up to 16 MiB within 10 seconds; the connection is closed then. One
// that expects "100 Continue" gets a refusal in its place.
//
// JSON is read strictly: a member that occurs twice, or text that is not UTF-8, is
// refused. Null counts as absent, and unknown members are ignored, except those of
// objects, which are the user's fields. Where known clients differ from the form,
// what they mean is taken, and the answer has a Warning header that says what was
// expected.
//
// # Answers
//
// An error is {"success": false, "status", "error": {"type", "message", "details"}}.
// One of status 422 lists every reason in details.validation_errors, as type,
// location and message, and once more as detail, as loc, msg and type.
// Times are RFC 3339 in UTC. What is not known is null, or left out where the hosted
// service allows it. Lists carry statistics of all they have, not only of the page;
// those of a page that a cursor leads to may be a minute old.
//
// A request that only reads ends after [Options].QueryTimeout, and when its client goes
// away. The answer then is 503, with query_timeout_seconds in its details. Scans wait for
// one another (see package bucketlite); a list of objects takes one for its statistics,
// unless those are known from the page before.
//
// Analytics are computed from what the store has, and so are about what is still
// there: objects that have been deleted, and uploads whose records have been, count
// nowhere. There are no costs, credits or synchronisations: those are 0, or empty.
//
// The answer about one object has its version as ETag. Where a request that changes
// or deletes it has that as If-Match, it is refused with status 412 if the object has
// changed since. This is not in the hosted service's form.
//
// What auto_process stores stays stored if it cannot be submitted: the answer is the
// object, a draft, with a Warning header. Submit it in a batch, do not store it again.
//
// # Uploads and signed URLs
//
// An upload's presigned_url is told once, when it is created, and is good until the
// upload expires. Who has it may PUT the bytes, without a key, as often as he likes
// until they are confirmed; the answer's ETag is their SHA-256. They are held to the
// type, the number and the hash that were announced. The body of the PUT is the file and
// nothing else: a form (multipart/form-data) is refused with 415, so is a
// Content-Encoding other than identity, a Content-Range with 400, and an aws-chunked
// body or a streaming signature with 501. Any other Content-Type will do. Bytes that a
// header denies are refused with 400: Content-MD5, Repr-Digest and Content-Digest (RFC
// 9530; sha-256, sha-512, sha, md5; others are ignored), X-Amz-Content-Sha256, and
// X-Amz-Checksum-Crc32, -Crc32c, -Crc64nvme, -Sha1 and -Sha256. Confirming is quick for bytes of any number, so that
// it is left to a task only if async=true asks for one. Giving up an upload drops its
// bytes: with delete_s3_object=false it is refused if there are any.
//
// With return_presigned_urls, blobs that are stored content, and confirmed uploads that
// have become such a blob, get a presigned_url that is good for an hour. It answers to
// GET and HEAD, with ranges and conditions. What a browser could run is sent as an
// attachment, and what it shows is kept from running anything.
//
// Both are signed with [Options].SigningKey. They are good as long as they say, whatever
// becomes of the key that asked for them, but no longer than what they lead to is
// there; a locked bucket refuses the PUT and a suspended one both.
//
// # Events
//
// GET /v1/events, and /v1/buckets/{bucket}/events, go on until either side ends them:
// server-sent events, each with its cursor as id, its kind as event and its JSON as
// data. They begin with what happens next; with after=CURSOR, or the Last-Event-ID
// that a client sends when it comes back, after that event; with from_start=true, at
// the oldest that is kept. What ends the stream, if not the end of what is watched,
// is an event "error" with the envelope of an error. A client that does not read for
// a minute is cut off. How many streams there may be, of a key and in all, is for
// [Options].MaxStreamsPerKey and MaxStreams: beyond that the answer is 429 or 503, with
// Retry-After. /metrics has their number.
//
// # Operation
//
// Answers above 1 MiB are in memory until their clients have read them, for a minute at
// most. There may be 512 MiB of them, and 256 MiB of a key; beyond that a request that
// reads is answered with 503 and Retry-After.
//
// GET /v1/health is 200 while the store answers and takes writes, else 503 with the
// reason; a store that was opened read-only need not take writes. GET
// /v1/health/liveness is 200 while the process answers. GET /metrics is for Prometheus, and
// for keys that are not limited to namespaces. The log has a line for each request:
// never a key, a signature or a body, and of a client's fault only its type.
// # Document
//
// /openapi.json is an OpenAPI document of all that is served, from which clients can
// be generated, and /docs shows it to people. What the hosted service does not have
// is marked x-extension there.
package httpapi
