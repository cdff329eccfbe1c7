// Package httpapi serves a bucketlite store over HTTP, in the form of the Mixpeek
// bucket API, called the hosted service here. A client written for that service runs
// unchanged against a file.
//
//	h, err := httpapi.New(store, &httpapi.Options{Keys: []httpapi.Key{{Secret: secret}}})
//	…
//	err = http.ListenAndServe("127.0.0.1:8080", h)
//
// # Layers
//
// A [Handler] reads a request, calls the store, and writes the result. Every rule of
// the store, and every reason for a refusal, comes from the methods of package
// bucketlite. This package adds access by [Key], the form of requests and answers, and
// signed URLs.
//
// # Requests
//
// Every request needs an Authorization header with a key, except signed URLs,
// "/", /v1/health and the paths below it, /openapi.json, /docs and the paths below it. A
// request about buckets also needs a namespace, by name or id, in the header X-Namespace
// or as [Options].DefaultNamespace. In the header a name beyond ASCII is UTF-8, or Latin-1
// if the bytes are not UTF-8, or percent-encoded. The name as it stands comes first. A key
// is checked against the namespace that was found.
//
// Paths are not cleaned or redirected. A path with a segment that is empty, "." or
// "..", escaped or not, is not found, and "%2F" is part of its segment; use the id of a
// bucket or namespace with such a name. One slash at the end of the path of a GET or POST
// is ignored, with a Warning. A path without a route needs a key too. Then it is 404, or
// 405 with Allow if another method is served there. Known paths of the hosted service that
// this server does not have, such as /v1/collections, are 501, with the resource in
// details. A parameter of the query that cannot be parsed is 422, and a cursor 400. All of these answers have the form of an error and
// X-Request-Id.
// Before any handler runs, net/http itself answers 431 for a header that is too large,
// 400 for a request or path that cannot be parsed, 501 for an unknown Transfer-Encoding,
// and 505.
//
// A body has a limit of bytes: [Options].MaxBodyBytes, 64 MiB by default, for objects,
// 16 MiB for lists of ids and for uploads, 3 MiB for buckets and namespaces, and 1 MiB
// for other forms. It has at most one value per 192 bytes of its limit, or 16,384 if
// that is more. Beyond that the answer is 413, with max_bytes or max_values in its
// details, and the name of the option that sets the limit, if one does. A client that is still sending its body then can read the answer after
// sending up to 16 MiB more within 10 seconds; then the connection is closed. A client
// that expects "100 Continue" gets the refusal instead.
//
// JSON may begin with a byte order mark of UTF-8 or UTF-16. It may be compressed with gzip
// if Content-Encoding says so. The limits then hold for the decompressed body, which may be
// at most 100 times longer than the compressed one, or 1 MiB. Other encodings are 415.
//
// JSON is read strictly: a repeated member, or text that is not UTF-8, is refused. A body
// may be missing where all its members may, but is not null. A member that is null
// counts as absent, and unknown members are ignored, except those of objects, which are
// the user's fields, and those of changes in sets and by query, which are refused. Where known clients differ from the form, their meaning is
// accepted, and a Warning header says what was expected. In a schema a list of required
// fields, a combinator such as oneOf and a misspelt keyword are refused; other assertions
// that have no effect are kept with a Warning.
//
// A PUT of a bucket replaces its schema, and a PATCH merges fields into it; rename and
// drop name the fields that the new schema lacks. A request succeeds when the schema is
// in force. A change that takes longer than [Options].QueryTimeout is answered with 503
// and details.task_id; it continues, and the same request again waits for it. There is
// no dry run, so a request with dry_run is refused.
//
// POST /v1/apply makes a set of changes in buckets of the namespace, in one commit, or
// none; see [bucketlite.Store.Apply]. Its if_match is a string that holds an object's ETag.
// An error has the index of the refused change in details.change_index. A member that the
// operation of a change does not have is refused, since it may be a guard.
//
// POST …/objects/delete and …/objects/patch change the objects that match a query, at once
// or by a task; see [bucketlite.Bucket.DeleteObjects]. A request that needs a task is
// answered with its task_id and status PENDING as soon as the task is accepted. Unknown
// members and parameters are refused, since one may be meant to select fewer objects.
//
// POST …/objects/explain takes the body of a list, and tells how its page is found. It needs
// a key for all namespaces that may write.
//
// POST …/objects/export streams the objects of a list without pages, as JSON lines, as an
// array (format=json) or as a table (format=csv), whose columns are those of select. In a
// table, text that a spreadsheet would take for a formula begins with ', unless formulas=keep
// asks for the text as it is. An export has no timeout. If it fails after its beginning, the
// connection is cut. There is no GET of that path, since "export" may be the id of an object.
//
// # Answers
//
// An error is {"success": false, "status", "error": {"type", "message", "details"}}.
// One of status 422 lists every reason in details.validation_errors, as type,
// location and message, and once more as detail, as loc, msg and type. Conflicts share
// one type; details.kind is "exists" if a name, id or key is taken, "version" if an
// object has another version than the request expects, and "state" if the state of an
// item or of the bucket forbids the request.
// A list that is sorted by created_at alone is in order of creation, or for desc in reverse,
// at the same cost; see [bucketlite.Query].Reverse. A clock that is set back can make
// created_at go back along that order.
//
// Times are RFC 3339 in UTC. An unknown value is null, or left out where the hosted
// service allows it. Lists carry statistics of the whole list, not only of the page;
// on a page that a cursor leads to they may be a minute old. With stats=false in the
// query of the URL they are left out.
//
// A request that only reads ends after [Options].QueryTimeout, and when its client
// disconnects. After the timeout the answer is 503, with query_timeout_seconds in its
// details. Scans wait for one another (see package bucketlite). A list of objects takes
// a scan for its statistics, unless they are known from the page before.
//
// Analytics are computed from the present contents of the store: deleted objects, and
// uploads whose records have been deleted, count nowhere. There are no costs, credits
// or synchronisations: those are 0, or empty.
//
// The answer about one object has its version as ETag. A request about the object with
// If-Match is refused with status 412 unless the header lists that ETag; one that changes
// or deletes it with If-None-Match, if the header lists it. A weak ETag, or one of another
// form, is no error and matches no object (If-None-Match compares weakly). A GET ignores
// If-None-Match, since processing changes an object's status without its version. This
// is not in the hosted service's form.
//
// auto_process stores objects and submits them in one commit, in a batch of their own.
//
// # Uploads and signed URLs
//
// Only the answer that creates an upload has its presigned_url. The URL is valid until
// the upload expires. Anyone who has it may PUT the bytes, without a key, as often as
// they like until the upload is confirmed; the answer's ETag is the SHA-256 of the
// bytes. The bytes must match the announced type, size and hash. The body of the PUT is
// the file and nothing else: a form (multipart/form-data) is refused with 415, a
// Content-Encoding other than identity too, a Content-Range with 400, and an aws-chunked
// body or a streaming signature with 501. Any other Content-Type is accepted. Bytes that
// do not match a digest in a header are refused with 400. These headers are verified:
// Content-MD5, Repr-Digest and Content-Digest (RFC 9530; sha-256, sha-512, sha, md5;
// others are ignored), X-Amz-Content-Sha256, and X-Amz-Checksum-Crc32, -Crc32c,
// -Crc64nvme, -Sha1 and -Sha256. Confirming is fast for any number of bytes, so a task
// does it only if async=true asks for one. Cancelling an upload drops its bytes; with
// delete_s3_object=false it is refused if there are any.
//
// With return_presigned_urls, blobs with stored content, and confirmed uploads that
// have become such a blob, get a presigned_url that is valid for an hour. It serves GET
// and HEAD, with ranges and conditions. Types that a browser could run are sent as
// attachments, and types that it shows are kept from running anything.
// With thumb=160, 320 or 640 in its query it serves a thumbnail whose longest edge has so many
// pixels, of a JPEG, PNG, GIF, WebP or BMP; see [Handler.Thumb]. The signature does not cover
// that parameter.
//
// Both are signed with [Options].SigningKey. They stay valid if the key that asked for
// them is removed, but not if their upload or blob is. A locked bucket refuses the PUT,
// and a suspended one refuses both.
//
// # Events
//
// GET /v1/events, and /v1/buckets/{bucket}/events, are streams of server-sent events
// that last until either side ends them. Each event has its cursor as id, its kind as
// event and its JSON as data. A stream begins with the next change; with after=CURSOR,
// or the Last-Event-ID of a client that reconnects, after that event; with
// from_start=true, at the oldest event that is kept. Unless the watched bucket or
// namespace has ended, the last event of a stream is "error" with the form of an error.
// A client that does not read for a minute is disconnected.
// [Options].MaxStreamsPerKey and MaxStreams bound the number of streams; beyond that the
// answer is 429 or 503, with Retry-After. /metrics counts the streams.
//
// EventSource, the client of browsers, cannot send a key. POST /v1/events/url, and
// /v1/buckets/{bucket}/events/url, return a URL with which it can open a stream for 5
// minutes; an open one continues. The URL has the rights that its key has at the time, and
// its streams count among those of the key. A client that reconnects after the expiry gets
// 403, and asks for another URL, to which it adds after= and the id of its last event.
//
// # Browsers
//
// Pages of the origins in [Options].CORSOrigins may read the answers of paths below /v1/ and
// of /openapi.json, errors included, and these headers: Content-Disposition, Content-Range,
// ETag, Retry-After, Warning, X-Request-Id. A preflight needs no key and is 204, for any path,
// method and header; one of another origin is 403. Cookies are never allowed.
//
// # Check and backup
//
// POST /v1/check and GET /v1/backup are about the whole store, and need a key for all
// namespaces that may write. They have no timeout. One check runs at a time, and one backup
// exists, whether a request or [Handler.StartCheck] and [Handler.Backup] began it: others
// are 503. A check repairs nothing, and ends when its client leaves. With Accept:
// text/event-stream its progress is streamed. A backup is copied to a temporary file in
// [Options].TempDir before the answer begins, so that the answer has a Content-Length and a
// failure is an error. HEAD of a backup makes no copy.
//
// # Operation
//
// Answers above 1 MiB are held in memory until their clients have read them, for a
// minute at most. Together they take at most 512 MiB, and 256 MiB for one key; beyond
// that, requests that read are answered with 503 and Retry-After.
//
// GET /v1/health has the form of the hosted service. It is 200 with status OK while the
// store answers and takes writes, and 503 with status DEGRADED and the reason while it
// refuses writes. A store that was opened read-only need not take writes. GET
// /v1/health/readiness is 200 or 503 for the same reasons, for probes. GET
// /v1/health/liveness is 200 while the process answers. GET /metrics is for Prometheus,
// and needs a key that is not limited to namespaces. The log has a line for each
// request. It never contains a key, a signature or a body, and of a client's error only
// the type.
//
// # Document
//
// /openapi.json is an OpenAPI document of the whole API, from which clients can be
// generated, and /docs shows it as a page. Additions to the hosted service's API are
// marked x-extension.
package httpapi
