package bucketlite_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql/driver"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
	"modernc.org/sqlite"
)

// checkedFilm is the bytes of the film in the file newChecked makes: three chunks.
var checkedFilm = storetest.Film(7, 600<<10)

// newChecked makes a file that has something for every rule to judge. The namespace
// "test" is number 1; the buckets "items", "films" and "plain" are 1 to 3, "indexed"
// is 5, and its indexes of tags, v and all texts are 1 to 3.
func newChecked(t *testing.T) string {
	t.Helper()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "checked.db")
	st := storetest.OpenPath(t, path)
	b := storetest.Items(t, st)
	for _, k := range []string{"a", "b"} { // share a content
		storetest.PutItem(t, b, storetest.ItemWithDoc(k, "text"))
	}
	storetest.PutItem(t, b, storetest.Item("c", "value"))
	storetest.Put(t, storetest.Films(t, st), storetest.FilmInput("film", bytes.NewReader(checkedFilm)), "")
	plain := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "plain", Schema: storetest.Schema(t, `"n":{"type":"integer","minimum":0}, "file":{"type":"text"}`)})
	storetest.Put(t, plain, storetest.Input(t, `{"n":1, "more":[null]}`), "")
	storetest.Put(t, plain, storetest.Input(t, `{"blobs":[{"property":"n","data":5},{"property":"file","data":"inline"}]}`), "")
	storetest.Put(t, plain, storetest.Input(t, `{"blobs":[{"property":"file","data":"https://example.com/a.txt"}]}`), "")
	createObject := false
	upload(t, b, bucketlite.UploadInput{Filename: "doc.txt", ContentType: "text/plain", CreateObject: &createObject}, "upload")
	task := mustDelete(t, storetest.Bucket(t, st, storetest.ItemsConfig("deleted")))
	if _, err := st.Wait(ctx, task.ID); err != nil {
		t.Fatal(err)
	}
	indexed := storetest.Bucket(t, st, bucketlite.BucketConfig{Name: "indexed"})
	storetest.Ensure(t, indexed, "tags", "v")
	storetest.Put(t, indexed, storetest.Input(t, `{"v":"first","tags":["a","b"]}`), "")
	storetest.Put(t, indexed, storetest.Input(t, `{"v":"`+strings.Repeat("long ", 200)+`"}`), "")
	storetest.Put(t, indexed, storetest.Input(t, `{"v":"last one"}`), "")
	storetest.EnsureText(t, indexed)
	// A batch in progress, with a job of each kind, and one that has ended.
	var objects []string
	for o, err := range b.Objects(ctx, bucketlite.Query{Limit: 3}) {
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, o.ID)
	}
	storetest.Submit(t, b, objects...)
	ended := storetest.Submit(t, b, objects[0])
	processing, stop := context.WithCancel(ctx)
	defer stop()
	err := st.Process(processing, func(_ context.Context, j *bucketlite.Job) error {
		switch {
		case j.BatchID == ended:
			stop()
		case j.Object.ID == objects[1]:
			return &bucketlite.JobError{Category: bucketlite.CategoryNetwork, Permanent: true}
		case j.Object.ID == objects[2]:
			return errors.New("later")
		}
		return nil
	}, &bucketlite.ProcessOptions{Concurrency: 1, Backoff: time.Hour})
	storetest.WantError(t, err, context.Canceled)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// A broken is a way to break a rule. Objects that are edited get new checksums, unless
// that is the rule.
type broken struct {
	rule       string
	statements string
	edit       func(t *testing.T, path string) // instead of statements
	repairable bool
}

var brokens = map[string]broken{
	"page that is lost": {rule: "file.integrity",
		statements: "PRAGMA writable_schema = 1; DELETE FROM sqlite_schema WHERE name = 'uploads_hash'"},
	"row that an index lacks": {rule: "file.integrity", statements: `
PRAGMA writable_schema = 1; CREATE TEMP TABLE saved AS SELECT * FROM sqlite_schema WHERE name = 'tasks_ended';
DELETE FROM sqlite_schema WHERE name = 'tasks_ended'; PRAGMA writable_schema = RESET; UPDATE tasks SET ended_at = 5 WHERE ended_at IS NOT NULL;
PRAGMA writable_schema = 1; INSERT INTO sqlite_schema SELECT * FROM saved`},
	"page of zeros": {rule: "file.integrity", edit: overwriteSizes},

	"content, flipped byte": {rule: "content.checksum", edit: flipFilm},
	"content, wrong checksum": {rule: "content.checksum",
		statements: "UPDATE chunks SET sum = sum + 1 WHERE id = (SELECT max(id) FROM chunks)"},
	"content, other bytes with their checksum": {rule: "content.hash",
		statements: fmt.Sprintf("UPDATE chunks SET data = x'6e657874', sum = %d WHERE data = x'74657874'", checksum("next"))},
	"content, no first chunk":  {rule: "content.chunks", statements: "DELETE FROM chunks WHERE id = (SELECT num << 24 FROM contents WHERE size > 1000)"},
	"content, no middle chunk": {rule: "content.chunks", statements: "DELETE FROM chunks WHERE id = (SELECT num << 24 | 1 FROM contents WHERE size > 1000)"},
	"content, no last chunk":   {rule: "content.chunks", statements: "DELETE FROM chunks WHERE id = (SELECT max(id) FROM chunks)"},
	"content, no chunk":        {rule: "content.chunks", statements: "DELETE FROM chunks WHERE length(data) = 4"},
	"content, a chunk more": {rule: "content.chunks",
		statements: "INSERT INTO chunks SELECT id + 1, sum, data FROM chunks WHERE id = (SELECT max(id) FROM chunks)"},
	"content, wrong size": {rule: "content.size", repairable: true, statements: fmt.Sprintf(`
INSERT INTO contents (num, hash, size, uses, lease_until) VALUES (90, x'%x', 7, 0, 1 << 62);
INSERT INTO chunks VALUES (90 << 24, %d, x'6e657874'); UPDATE store SET waiting_bytes = waiting_bytes + 7`, sha256.Sum256([]byte("next")), checksum("next"))},
	"chunk of no content":               {rule: "chunk.content", repairable: true, statements: "INSERT INTO chunks VALUES (99 << 24, 0, x'00'), (99 << 24 | 7, 0, x'00')"},
	"content, too many references":      {rule: "content.references", repairable: true, statements: "UPDATE contents SET uses = uses + 1 WHERE size = 4"},
	"content, too few references":       {rule: "content.references", repairable: true, statements: "UPDATE contents SET uses = uses - 1 WHERE size = 4"},
	"content, a reference of an upload": {rule: "content.references", repairable: true, statements: "UPDATE uploads SET holds = 0, object = 'o'"},
	"content, referred to without hash": {rule: "content.references", repairable: true, statements: "INSERT INTO contents (size, uses) VALUES (0, 1)"},
	"bytes of content":                  {rule: "store.content", repairable: true, statements: "UPDATE store SET live_bytes = live_bytes + 1"},
	"bytes that wait":                   {rule: "store.content", repairable: true, statements: "UPDATE store SET waiting_bytes = waiting_bytes + 1"},

	"object, flipped letter":   {rule: "object.checksum", edit: flipValue},
	"object, another id":       {rule: "object.checksum", statements: "UPDATE object SET id = 'other' WHERE partition = 2"},
	"object, another version":  {rule: "object.checksum", statements: "UPDATE object SET version = 1 << 50 WHERE partition = 2"},
	"object, flipped key":      {rule: "object.checksum", statements: "UPDATE object SET key = x'730162' WHERE partition = 2"},
	"object, another prefix":   {rule: "object.checksum", statements: "UPDATE object SET key_prefix = 'p' WHERE partition = 2"},
	"object, another creation": {rule: "object.checksum", statements: "UPDATE object SET created_at = created_at + 1 WHERE partition = 2"},
	"object, another update":   {rule: "object.checksum", statements: "UPDATE object SET updated_at = updated_at + 1 WHERE partition = 2"},
	"object, another expiry":   {rule: "object.checksum", statements: "UPDATE object SET expires_at = 1 << 60 WHERE partition = 2"},
	"object, another place":    {rule: "object.checksum", statements: "UPDATE object SET seq = seq + 7 WHERE partition = 2"},
	"object, flipped hash": {rule: "object.checksum", statements: `
UPDATE object SET blobs = json_set(blobs, '$[0].details.hash', printf('%064x', 1)) WHERE partition = 1 AND blobs IS NOT NULL`},
	"object, wrong checksum": {rule: "object.checksum", statements: "UPDATE object SET checksum = checksum + 1"},

	"object, elsewhere": {rule: "object.place", statements: "UPDATE object SET seq = seq + (7 << 40) WHERE partition = 3; " + storetest.Uncount},
	"object without bucket": {rule: "object.place",
		statements: "DELETE FROM buckets WHERE num = 3"},
	"object, fields that are no JSON":   {rule: "object.json", statements: `UPDATE object SET fields = jsonb('[]') WHERE partition = 3`},
	"object, fields that end early":     {rule: "object.json", statements: `UPDATE object SET fields = substr(fields, 1, length(fields) - 1) WHERE partition = 3`},
	"object, fields as text":            {rule: "object.json", statements: `UPDATE object SET fields = CAST(json(fields) AS BLOB) WHERE partition = 1`},
	"object, field with an escape":      {rule: "object.json", statements: `UPDATE object SET fields = jsonb('{"k":"c","v":"valu\u0065"}') WHERE json(fields) = '{"k":"c","v":"value"}'`},
	"object, fields out of order":       {rule: "object.json", statements: `UPDATE object SET fields = jsonb('{"v":"value","k":"c"}') WHERE json(fields) = '{"k":"c","v":"value"}'`},
	"object, field twice":               {rule: "object.json", statements: `UPDATE object SET fields = jsonb('{"k":"c","k":"value"}') WHERE json(fields) = '{"k":"c","v":"value"}'`},
	"object, blobs that are no JSON":    {rule: "object.json", statements: `UPDATE object SET blobs = 'none' WHERE partition = 1 AND blobs IS NOT NULL`},
	"object, blobs of another spelling": {rule: "object.json", statements: `UPDATE object SET blobs = replace(blobs, '"details"', '"Details"') WHERE partition = 1`},
	"object, empty list of blobs":       {rule: "object.json", statements: `UPDATE object SET blobs = '[]' WHERE blobs IS NULL`},
	"object, value of another type":     {rule: "object.schema", statements: `UPDATE object SET fields = jsonb(replace(json(fields), '"value"', '1234567'))`},
	"object, assertion":                 {rule: "object.schema", statements: `UPDATE object SET fields = jsonb('{"more":[123],"n":-1}') WHERE json(fields) = '{"more":[null],"n":1}'`},
	"object, null in a declared field":  {rule: "object.schema", statements: `UPDATE object SET fields = jsonb('{"mo":[123],"n":null}') WHERE json(fields) = '{"more":[null],"n":1}'`},
	"object, undeclared blob":           {rule: "object.schema", statements: `UPDATE object SET blobs = replace(blobs, '"doc"', '"cod"') WHERE partition = 1`},
	"object, blob of another type":      {rule: "object.schema", statements: `UPDATE object SET blobs = replace(blobs, '"type":"text"', '"type":"pdf"') WHERE partition = 1`},
	"object, inline value":              {rule: "object.schema", statements: `UPDATE object SET blobs = replace(blobs, '"data":5', '"data":-5'), fields = jsonb(replace(json(fields), '5', '-5')) WHERE partition = 3`},
	"object, inline value lost":         {rule: "object.inline", repairable: true, statements: `UPDATE object SET fields = jsonb_remove(fields, '$.n') WHERE blobs LIKE '%"data":5%'`},
	"object, inline value exchanged":    {rule: "object.inline", repairable: true, statements: `UPDATE object SET fields = jsonb(json_replace(fields, '$.file', 'other')) WHERE blobs LIKE '%"data":5%'`},
	"object, wrong key":                 {rule: "object.key", repairable: true, statements: "UPDATE object SET key = x'00' WHERE partition = 2"},
	"object, no key":                    {rule: "object.key", repairable: true, statements: "UPDATE object SET key = NULL WHERE partition = 2"},
	"object, key where none is":         {rule: "object.key", repairable: true, statements: "UPDATE object SET key = CAST(id AS BLOB) WHERE partition = 3"},
	"object, keys exchanged": {rule: "object.key", statements: `UPDATE object SET key = x'00' WHERE key = x'730161';
UPDATE object SET key = x'730161' WHERE key = x'730162'; UPDATE object SET key = x'730162' WHERE key = x'00'`},
	"object, wrong size": {rule: "object.size", repairable: true,
		statements: "UPDATE object SET size = size + 1 WHERE partition = 2; UPDATE buckets SET total_size = total_size + 1 WHERE num = 2; " + storetest.Uncount},
	"object, content that is gone": {rule: "object.content", statements: `
UPDATE store SET live_bytes = live_bytes - 4; DELETE FROM chunks WHERE length(data) = 4; DELETE FROM contents WHERE size = 4`},
	"object, content of another size": {rule: "object.content", statements: `
UPDATE object SET blobs = replace(blobs, '"size_bytes":4', '"size_bytes":5'), size = size + 1 WHERE partition = 1 AND blobs IS NOT NULL;
UPDATE buckets SET total_size = total_size + 2 WHERE num = 1; ` + storetest.Uncount},
	"object, hash in capitals": {rule: "object.content",
		statements: `UPDATE object SET blobs = replace(blobs, blobs ->> '$[0].details.hash', upper(blobs ->> '$[0].details.hash')) WHERE partition = 1`},

	"bucket, broken schema":            {rule: "bucket.definition", statements: `UPDATE buckets SET schema = '{"properties":{"a":{"type":"none"}}}' WHERE num = 1`},
	"bucket, unique key of no field":   {rule: "bucket.definition", statements: `UPDATE buckets SET unique_key = '{"fields":["none"]}' WHERE num = 1`},
	"bucket without namespace":         {rule: "bucket.namespace", statements: "UPDATE buckets SET namespace = 99 WHERE num = 3"},
	"bucket, metadata":                 {rule: "bucket.json", statements: "UPDATE buckets SET metadata = '{' WHERE num = 3"},
	"bucket, count":                    {rule: "bucket.statistics", repairable: true, statements: "UPDATE buckets SET object_count = object_count + 1 WHERE num = 1"},
	"bucket, size":                     {rule: "bucket.statistics", repairable: true, statements: "UPDATE buckets SET total_size = total_size - 1 WHERE num = 1"},
	"bucket, change of the count":      {rule: "bucket.statistics", repairable: true, statements: editTotals("'objects', 1")},
	"bucket, change of the size":       {rule: "bucket.statistics", repairable: true, statements: editTotals("'size', -1")},
	"bucket, clock behind":             {rule: "bucket.clock", repairable: true, statements: "UPDATE object SET version = version + 1000 WHERE partition = 1"},
	"bucket, clock beyond all":         {rule: "bucket.clock", statements: "UPDATE object SET version = 1 << 50 WHERE partition = 1"},
	"bucket, growth":                   {rule: "bucket.growth", repairable: true, statements: "INSERT INTO hours VALUES (1, 5, 1, 1)"},
	"bucket, sizes":                    {rule: "bucket.sizes", repairable: true, statements: "UPDATE sizes SET objects = objects + 1 WHERE partition = 1"},
	"bucket, size of no object":        {rule: "bucket.sizes", repairable: true, statements: "INSERT INTO sizes VALUES (2, 5, 1)"},
	"bucket, sizes that are missing":   {rule: "bucket.sizes", repairable: true, statements: "DELETE FROM sizes"},
	"bucket, size of new objects":      {rule: "bucket.sizes", repairable: true, statements: "UPDATE events SET running = edit_totals(running, 0, 'largest', 1) WHERE last = (SELECT max(last) FROM events)"},
	"sizes of no bucket":               {rule: "bucket.sizes", repairable: true, statements: "INSERT INTO sizes VALUES (99, 5, 1)"},
	"growth of no bucket":              {rule: "bucket.growth", repairable: true, statements: "INSERT INTO hours VALUES (99, 5, 1, 1)"},
	"progress of no bucket":            {rule: "bucket.growth", repairable: true, statements: "INSERT INTO untallied VALUES (99, 5)"},
	"bucket, statuses":                 {rule: "bucket.statuses", repairable: true, statements: "INSERT INTO status_counts VALUES (1, 'CANCELED', 1)"},
	"statuses of no bucket":            {rule: "bucket.statuses", repairable: true, statements: "INSERT INTO status_counts VALUES (99, 'DRAFT', 1)"},
	"bucket, count of batches":         {rule: "bucket.batches", repairable: true, statements: "UPDATE batch_counts SET failed = failed + 1"},
	"bucket, no count of batches":      {rule: "bucket.batches", repairable: true, statements: "DELETE FROM batch_counts"},
	"count of batches of no bucket":    {rule: "bucket.batches", repairable: true, statements: "INSERT INTO batch_counts VALUES (99, 0, 0, 0, 0)"},
	"retention of no bucket":           {rule: "bucket.retention", repairable: true, statements: "INSERT INTO retention VALUES (99, 1000000, NULL, NULL)"},
	"retention without index":          {rule: "bucket.retention", repairable: true, statements: "INSERT OR REPLACE INTO retention VALUES (1, NULL, 1000, NULL)"},
	"retention, limit of none":         {rule: "bucket.retention", statements: "INSERT INTO retention VALUES (1, NULL, 0, NULL); " + unbuilt(ageIndex)},
	"retention, no limit":              {rule: "bucket.retention", statements: "INSERT INTO retention VALUES (1, NULL, NULL, NULL); " + unbuilt(ageIndex)},
	"retention, entry that is missing": {rule: "index.entry", repairable: true, statements: "INSERT OR REPLACE INTO retention VALUES (1, NULL, 1000, NULL); " + ageIndex},
	"change that nobody prepares":      {rule: "bucket.change", statements: "INSERT INTO schema_changes SELECT 1, 2, NULL, 'task_none', NULL, 5, 0, 0, 5, 0, 1, NULL, NULL, schema FROM buckets WHERE num = 1"},
	"change, wrong size":               {rule: "bucket.change", statements: openTask("api_namespaces_migrations_run", "1") + "; INSERT INTO schema_changes SELECT 1, 2, NULL, 'task_1', 90, 5, 0, 0, 5, 7, 1, NULL, NULL, schema FROM buckets WHERE num = 1"},
	"change of no bucket":              {rule: "bucket.change", repairable: true, statements: "INSERT INTO schema_changes VALUES (99, 2, 1, 'task_none', NULL, 0, 0, 0, 0, 0, 1, '{}', NULL, NULL)"},
	"partition in use":                 {rule: "bucket.change", repairable: true, statements: "INSERT INTO old_partitions VALUES (1, 1)"},
	"task without change":              {rule: "task.target", statements: openTask("api_namespaces_migrations_run", "1")},
	"bucket, deleted by nobody":        {rule: "bucket.deletion", statements: "UPDATE buckets SET status = 'IN_PROGRESS' WHERE num = 3"},
	"bucket, deleted by what ended":    {rule: "bucket.deletion", statements: "UPDATE buckets SET status = 'IN_PROGRESS', delete_task = (SELECT id FROM tasks) WHERE num = 3"},
	"bucket, active and deleted":       {rule: "bucket.deletion", statements: openTask("api_buckets_delete", "3") + "; UPDATE buckets SET delete_task = 'task_1' WHERE num = 3"},
	"namespace, deleted by nobody":     {rule: "namespace.deletion", statements: "UPDATE namespaces SET delete_task = 'task_none'"},
	"namespace, payload indexes":       {rule: "namespace.json", statements: "UPDATE namespaces SET payload_indexes = '{'"},
	"task without bucket":              {rule: "task.target", statements: openTask("api_buckets_delete", "99")},
	"task without namespace":           {rule: "task.target", statements: openTask("api_namespaces_delete", "NULL") + "; UPDATE tasks SET namespace = 99 WHERE id = 'task_1'"},
	"task, inputs":                     {rule: "task.json", statements: "UPDATE tasks SET inputs = '{}'"},
	"task, outputs":                    {rule: "task.json", statements: "UPDATE tasks SET outputs = '['"},
	"task, open and ended":             {rule: "task.status", statements: openTask("api_buckets_batches_process", "1") + "; UPDATE tasks SET ended_at = 1 << 60 WHERE id = 'task_1'"},
	"task, ended at no time":           {rule: "task.status", statements: "UPDATE tasks SET ended_at = NULL"},
	"task, no such status":             {rule: "task.status", statements: "UPDATE tasks SET status = 'DONE'"},
	"events that are not packed":       {rule: "event.data", statements: "UPDATE events SET data = x'ff' WHERE last = (SELECT max(last) FROM events)"},
	"events, fewer than are counted":   {rule: "event.data", statements: "UPDATE events SET data = x'' WHERE last = 3"},
	"events that are missing":          {rule: "event.order", statements: "DELETE FROM events WHERE last = 3"},
	"events, numbers below 1":          {rule: "event.order", statements: "UPDATE events SET last = last - 1"},

	"index, entry missing": {rule: "index.entry", repairable: true,
		statements: "DELETE FROM entries WHERE idx = 2 AND (key, seq) = (SELECT key, seq FROM entries WHERE idx = 2 LIMIT 1)"},
	"index, entry too many":  {rule: "index.entry", repairable: true, statements: "INSERT INTO entries SELECT 2, x'037a00', min(seq) FROM object WHERE partition = 5"},
	"index, other entry":     {rule: "index.entry", repairable: true, statements: "UPDATE entries SET key = x'037a00' WHERE idx = 1 AND key = x'036200'"},
	"index, entry elsewhere": {rule: "index.entry", repairable: true, statements: "UPDATE entries SET seq = seq + 1 WHERE idx = 1 AND key = x'036200'"},
	"index, entry of no object": {rule: "index.entry", repairable: true,
		statements: "INSERT INTO entries VALUES (1, x'06', (5 << 40) + 99)"},
	"index, several values":     {rule: "index.flags", repairable: true, statements: "UPDATE indexes SET many = 0"},
	"index, long value":         {rule: "index.flags", repairable: true, statements: "UPDATE indexes SET cut = 0"},
	"index, no such kind":       {rule: "index.status", statements: "UPDATE indexes SET kind = 'none' WHERE num = 1"},
	"index, no such status":     {rule: "index.status", statements: "UPDATE indexes SET status = 'NONE' WHERE num = 1"},
	"index without bucket":      {rule: "index.orphan", repairable: true, statements: "UPDATE indexes SET partition = 99 WHERE num = 1"},
	"text index without bucket": {rule: "index.orphan", repairable: true, statements: "INSERT INTO indexes SELECT 9, 99, 'text', 'v', 'BUILDING', 5, 0, 0, 2"},
	"entries without index":     {rule: "index.orphan", repairable: true, statements: "INSERT INTO entries VALUES (99, x'06', 1), (99, x'06', 2)"},
	"text without index":        {rule: "index.orphan", repairable: true, statements: "INSERT INTO texts (rowid, text) VALUES (99 << 40, 'abc'), (1 << 40, 'abc')"},
	"text without object":       {rule: "index.orphan", repairable: true, statements: "INSERT INTO texts (rowid, text) VALUES ((5 << 40) + 99, 'abc'), ((5 << 40) + 98, '')"},
	"text index, text missing": {rule: "index.text", repairable: true,
		statements: "DELETE FROM texts WHERE rowid = (SELECT max(seq) FROM object WHERE partition = 5)"},
	"text index, other text": {rule: "index.text", repairable: true, statements: `
DELETE FROM texts WHERE rowid = (SELECT max(seq) FROM object WHERE partition = 5); INSERT INTO texts (rowid, text) SELECT max(seq), 'other' FROM object WHERE partition = 5`},
	"text index, damaged":      {rule: "file.integrity", statements: "UPDATE texts_data SET block = zeroblob(length(block)) WHERE id = (SELECT max(id) FROM texts_data)"},
	"text index, page missing": {rule: "file.integrity", statements: "DELETE FROM texts_data WHERE id = (SELECT max(id) FROM texts_data)"},

	"upload without bucket":            {rule: "upload.bucket", statements: "UPDATE uploads SET bucket = 99"},
	"upload, content that is gone":     {rule: "upload.content", statements: "UPDATE contents SET uses = 0 WHERE size = 6; UPDATE store SET live_bytes = live_bytes - 6, waiting_bytes = waiting_bytes + 6; UPDATE uploads SET hash = x'00'"},
	"upload, content of another size":  {rule: "upload.content", statements: "UPDATE uploads SET size = 5"},
	"upload, open and ended":           {rule: "upload.status", statements: "UPDATE uploads SET status = 'PENDING'"},
	"upload, confirmed by nobody":      {rule: "upload.status", statements: "UPDATE uploads SET status = 'PROCESSING', ended_at = NULL, task = 'task_none'"},
	"upload, skipped with bytes":       {rule: "upload.status", statements: "UPDATE uploads SET status = 'SKIPPED', object = 'o'"},
	"upload, no such status":           {rule: "upload.status", statements: "UPDATE uploads SET status = 'DONE'"},
	"upload, held twice":               {rule: "upload.status", statements: "UPDATE uploads SET holds = 2"},
	"upload, request":                  {rule: "upload.json", statements: "UPDATE uploads SET request = '{'"},
	"batch without bucket":             {rule: "batch.bucket", statements: "INSERT INTO batches SELECT 3, 'btch_3', 99, 'DRAFT', NULL, NULL, 0, 0, 0, 0, NULL, NULL, NULL, 0, 1, 1"},
	"batch, metadata":                  {rule: "batch.json", statements: "UPDATE batches SET metadata = '{'"},
	"batch, total":                     {rule: "batch.jobs", repairable: true, statements: "UPDATE batches SET total = total + 1"},
	"batch, open":                      {rule: "batch.jobs", repairable: true, statements: "UPDATE batches SET open = 2 WHERE num = 1"},
	"batch, failed":                    {rule: "batch.jobs", repairable: true, statements: "UPDATE jobs SET status = 'SKIPPED' WHERE position = 2"},
	"batch, skipped":                   {rule: "batch.jobs", repairable: true, statements: "UPDATE batches SET skipped = 1 WHERE num = 1"},
	"batch, failures":                  {rule: "batch.jobs", repairable: true, statements: `UPDATE batches SET failures = '{"runtime":1}' WHERE num = 1`},
	"batch, failures that are no JSON": {rule: "batch.jobs", repairable: true, statements: "UPDATE batches SET failures = '{' WHERE num = 1"},
	"batch, no failures":               {rule: "batch.jobs", repairable: true, statements: "UPDATE batches SET failures = NULL WHERE num = 1"},
	"job without batch":                {rule: "job.batch", statements: "INSERT INTO jobs (batch, position, object, status, attempts, retries, due_at) VALUES (99, 1, 'o', 'FAILED', 1, 0, 0)"},
	"job, error":                       {rule: "job.json", statements: "UPDATE jobs SET error = '{' WHERE position = 2"},
	"job, object of another bucket":    {rule: "job.object", statements: "UPDATE jobs SET seq = (2 << 40) + 1 WHERE position = 2"},
}

// editTotals is a statement that changes what the newest events carry for the bucket
// number 1.
func editTotals(edit string) string {
	return "UPDATE events SET running = edit_totals(running, 1, " + edit + ") WHERE last = (SELECT max(last) FROM events)"
}

// openTask is an open task that another process works on.
func openTask(kind, bucket string) string {
	return fmt.Sprintf(`INSERT INTO tasks (id, type, status, namespace, bucket, inputs, detail, processed, total, created_at, updated_at, lease_owner, lease_until)
VALUES ('task_1', '%s', 'PENDING', 1, %s, '[]', '{}', 0, 0, 1, 1, 'nobody', 1 << 62)`, kind, bucket)
}

func checksum(data string) uint32 {
	return crc32.Checksum([]byte(data), crc32.MakeTable(crc32.Castagnoli))
}

// flipFilm flips a bit within the film.
func flipFilm(t *testing.T, path string) {
	editFile(t, path, func(data []byte) {
		i := bytes.Index(data, checkedFilm[300<<10:300<<10+64])
		if i < 0 {
			t.Fatal("the film is not found in the file")
		}
		data[i] ^= 1
	})
}

// overwriteSizes makes nothing of the table that statistics are read from.
func overwriteSizes(t *testing.T, path string) {
	page := 0
	db := storetest.OpenRaw(t, path)
	if err := db.QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = 'sizes'").Scan(&page); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	editFile(t, path, func(data []byte) { clear(data[(page-1)*4096 : page*4096]) })
}

// flipValue flips a bit in the value "value" of an object's field v.
func flipValue(t *testing.T, path string) { flip(t, path, "\x17v\x57value", 3) }

// flip flips a bit at an offset into what stands somewhere in the file, and also in
// the copies of it that SQLite has left behind.
func flip(t *testing.T, path, what string, offset int) {
	t.Helper()
	editFile(t, path, func(data []byte) {
		if !bytes.Contains(data, []byte(what)) {
			t.Fatalf("%q is not found in the file", what)
		}
		flipped := []byte(what)
		flipped[offset] ^= 1
		copy(data, bytes.ReplaceAll(data, []byte(what), flipped))
	})
}

func editFile(t *testing.T, path string, edit func(data []byte)) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edit(data)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// breakFile breaks the closed file at path.
func breakFile(t *testing.T, path string, b broken) {
	t.Helper()
	if b.edit != nil {
		b.edit(t, path)
		return
	}
	db := storetest.OpenRaw(t, path)
	db.SetMaxOpenConns(1)
	statements := b.statements
	if b.rule != "object.checksum" {
		statements += reseal
	}
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// Each way of breaking a rule is found, and that rule named and no other.
func TestCheckNamesWhatIsBroken(t *testing.T) {
	t.Parallel()
	sound := newChecked(t)
	for name, b := range brokens {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := storetest.CopyFile(t, sound)
			breakFile(t, path, b)
			given := "SELECT partition, id, fields, blobs FROM object NOT INDEXED ORDER BY seq"
			if b.rule == "object.inline" {
				given = "SELECT partition, id, blobs FROM object NOT INDEXED ORDER BY seq"
			}
			before := storetest.Dump(t, storetest.OpenRaw(t, path), given)
			st := storetest.OpenPath(t, path, &bucketlite.Options{ReadOnly: true})
			wantBroken(t, st, nil, false, b.rule)
			if err := st.Close(); err != nil {
				t.Fatal(err)
			}
			st = storetest.OpenPath(t, path)
			wantBroken(t, st, &bucketlite.CheckOptions{Repair: true}, b.repairable, b.rule)
			if b.repairable {
				storetest.WantNoProblem(t, st)
			} else {
				wantBroken(t, st, nil, false, b.rule)
			}
			if after := storetest.Dump(t, storetest.OpenRaw(t, path), given); after != before {
				t.Errorf("objects: got %s, want %s", after, before)
			}
		})
	}
}

// wantBroken fails unless a check names the rules, and no others, and says of all
// problems whether they are repaired.
func wantBroken(t *testing.T, st *bucketlite.Store, opts *bucketlite.CheckOptions, repaired bool, rules ...string) *bucketlite.CheckReport {
	t.Helper()
	report, err := st.Check(context.Background(), opts)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range report.Problems {
		got = append(got, p.Rule)
		if p.Repaired != repaired {
			t.Errorf("%v: got repaired %t, want %t", p, p.Repaired, repaired)
		}
		if p.Subject == "" || p.Message == "" || !strings.Contains(p.String(), p.Rule) {
			t.Errorf("problem: got %+v, want a subject and a message", p)
		}
	}
	slices.Sort(got)
	slices.Sort(rules)
	if got = slices.Compact(got); !slices.Equal(got, rules) {
		t.Errorf("broken: got %v, want %v: %v", got, rules, report.Problems[:min(10, len(report.Problems))])
	}
	if err := report.Err(); errors.Is(err, bucketlite.ErrCorrupt) == repaired || (err == nil) != repaired {
		t.Errorf("got error %v, repaired %t", err, repaired)
	}
	return report
}

// A sound file of everything there is has no problem, and all of it is counted.
func TestCheckSound(t *testing.T) {
	t.Parallel()
	path := newChecked(t)
	db := storetest.OpenRaw(t, path)
	// A content that is being staged, one given up, and a batch that is being deleted;
	// an index that is being dropped, and one that is being built.
	storetest.Execute(t, db, `
INSERT INTO indexes SELECT 8, 5, 'value', 'w', 'DROPPING', 0, 0, 0, 2; INSERT INTO entries SELECT 8, x'06', value FROM json_each('[1,2,3]');
INSERT INTO indexes SELECT 9, 1, 'text', '', 'BUILDING', max(seq) + 1, 0, 0, 2 FROM object WHERE partition = 1;
INSERT INTO contents (size, uses, lease_until) VALUES (0, 0, 1 << 62), (0, 0, 0);
INSERT INTO batches SELECT 3, 'btch_3', 1, 'CANCELED', NULL, NULL, 9, 9, 9, 9, NULL, NULL, 'delete', 7, 1, 1`)
	for name, opts := range map[string]*bucketlite.Options{"writable": nil, "read-only": {ReadOnly: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report := storetest.WantNoProblem(t, storetest.OpenPath(t, path, opts))
			got := []int64{report.Buckets, report.Objects, report.Contents, report.ContentBytes}
			if want := []int64{4, 10, 3, 4 + 6 + int64(len(checkedFilm))}; !slices.Equal(got, want) {
				t.Errorf("buckets, objects, contents, bytes: got %v, want %v", got, want)
			}
		})
	}
}

func TestCheckEmpty(t *testing.T) {
	t.Parallel()
	for kind, st := range map[string]*bucketlite.Store{"file": storetest.Open(t), "memory": storetest.OpenMemory(t)} {
		if report := storetest.WantNoProblem(t, st); report.Buckets+report.Objects+report.Contents != 0 {
			t.Errorf("%s: got %+v, want nothing", kind, report)
		}
	}
}

// However much is broken, a report is bounded, and counts the rest.
func TestCheckIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	st := storetest.OpenPath(t, path)
	storetest.PutItems(t, storetest.Items(t, st), 2500, 10)
	storetest.Execute(t, storetest.OpenRaw(t, path), "UPDATE object SET version = version, fields = CAST(json(fields) AS BLOB)"+reseal)
	report := wantBroken(t, st, nil, false, "object.json")
	if len(report.Problems) != 1000 || report.Omitted != 1500 {
		t.Errorf("got %d problems and %d omitted, want 1000 and 1500", len(report.Problems), report.Omitted)
	}
	if text := report.Err().Error(); len(text) > 5000 {
		t.Errorf("error: got %d bytes, want few", len(text))
	}
}

// Progress rises, may use the store, and ends at the totals.
func TestCheckProgress(t *testing.T) {
	t.Parallel()
	for kind, st := range map[string]*bucketlite.Store{"file": storetest.Open(t), "memory": storetest.OpenMemory(t)} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			storetest.PutItems(t, storetest.Items(t, st), 1200, 10)
			storetest.Put(t, storetest.Films(t, st), storetest.FilmInput("a", bytes.NewReader(storetest.Film(1, 9*storetest.MiB))), "")
			var seen []bucketlite.CheckProgress
			_, err := st.Check(context.Background(), &bucketlite.CheckOptions{Progress: func(p bucketlite.CheckProgress) {
				seen = append(seen, p)
				if _, err := st.Stats(context.Background()); err != nil {
					t.Error(err)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			var last bucketlite.CheckProgress
			for _, p := range seen {
				if p.Objects < last.Objects || p.ContentBytes < last.ContentBytes || p.Objects > p.TotalObjects || p.ContentBytes > p.TotalContentBytes {
					t.Errorf("progress: got %+v after %+v", p, last)
				}
				last = p
			}
			if want := (bucketlite.CheckProgress{Objects: 1201, TotalObjects: 1201, ContentBytes: 9 * storetest.MiB, TotalContentBytes: 9 * storetest.MiB}); last != want {
				t.Errorf("in the end: got %+v, want %+v", last, want)
			}
			if len(seen) < 5 {
				t.Errorf("progress: got %d calls, want several", len(seen))
			}
		})
	}
}

// A running check ends when its context does, or the store is closed.
func TestCheckEndsEarly(t *testing.T) {
	t.Parallel()
	for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "a.db"), "memory": ":memory:"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			st := storetest.OpenPath(t, path)
			storetest.PutItems(t, storetest.Items(t, st), 1200, 10)
			ctx, cancel := context.WithCancel(context.Background())
			report, err := st.Check(ctx, &bucketlite.CheckOptions{Progress: func(bucketlite.CheckProgress) { cancel() }})
			if !errors.Is(err, context.Canceled) || report != nil {
				t.Errorf("cancelled: got %v, %v, want Canceled", report, err)
			}
			report, err = st.Check(context.Background(), &bucketlite.CheckOptions{Progress: func(bucketlite.CheckProgress) { st.Close() }})
			if !errors.Is(err, bucketlite.ErrClosed) || report != nil {
				t.Errorf("closed: got %v, %v, want ErrClosed", report, err)
			}
		})
	}
}

// A store that is being written is sound at every moment.
func TestCheckAmidWrites(t *testing.T) {
	t.Parallel()
	rounds := 4
	if *storetest.Long {
		rounds = 200
	}
	t.Logf("%d checks beside writes, on a file and in memory", rounds)
	for kind, path := range map[string]string{"file": filepath.Join(t.TempDir(), "a.db"), "memory": ":memory:"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			st := storetest.OpenPath(t, path, &bucketlite.Options{Durability: bucketlite.DurabilityNormal})
			stop := writeBusily(t, st)
			for range rounds {
				storetest.WantNoProblem(t, st)
				if path != ":memory:" {
					other := storetest.OpenPath(t, path)
					storetest.WantNoProblem(t, other)
					if err := other.Close(); err != nil {
						t.Fatal(err)
					}
				}
			}
			stop()
			if path != ":memory:" {
				storetest.WantSound(t, path)
			}
		})
	}
}

// writeBusily puts, patches, uploads and deletes objects that share contents, and
// creates and deletes buckets, until the function it returns is called.
func writeBusily(t *testing.T, st *bucketlite.Store) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	b := storetest.IndexItems(t, storetest.Items(t, st))
	shared := storetest.Films(t, st)
	ended := make(chan error)
	writers := []func(i int) error{
		func(i int) error {
			return storetest.ErrorOf(b.Put(ctx, storetest.ItemWithDoc(fmt.Sprint(i%40), fmt.Sprint("doc ", i%7)), nil))
		},
		func(i int) error {
			return storetest.PutManyError(b.PutMany(ctx, []bucketlite.ObjectInput{storetest.Item(fmt.Sprint(i%60), "v"), storetest.ItemWithDoc(fmt.Sprint("p", i), "doc 1")}, nil))
		},
		func(i int) error {
			o, err := b.ObjectByKey(ctx, map[string]any{"k": fmt.Sprint(i % 40)})
			if err == nil {
				_, err = b.Patch(ctx, o.ID, bucketlite.ObjectInput{Fields: map[string]any{"doc": nil, "n": i}}, nil)
			}
			return err
		},
		func(i int) error {
			o, err := b.ObjectByKey(ctx, map[string]any{"k": fmt.Sprint("p", i)})
			if err == nil {
				err = b.DeleteObject(ctx, o.ID, nil)
			}
			return err
		},
		func(i int) error {
			o, err := shared.Put(ctx, storetest.FilmInput(fmt.Sprint(i), bytes.NewReader(storetest.Film(uint64(i%2), 300<<10))), nil)
			if err == nil {
				err = shared.DeleteObject(ctx, o.Object.ID, nil)
			}
			return err
		},
		func(i int) error {
			u, err := b.CreateUpload(ctx, storetest.DocUpload(fmt.Sprint("u", i%20)))
			if err == nil {
				_, err = b.WriteUpload(ctx, u.ID, strings.NewReader(fmt.Sprint("doc ", i%7)))
			}
			switch {
			case err != nil:
				return err
			case i%3 == 0:
				return b.CancelUpload(ctx, u.ID)
			case i%3 == 1:
				return storetest.ErrorOf(b.ConfirmUpload(ctx, u.ID, nil))
			}
			return storetest.ErrorOf(b.ConfirmUploads(ctx, []bucketlite.Confirmation{{UploadID: u.ID}}))
		},
		func(i int) error {
			passing, err := storetest.Namespace(t, st).CreateBucket(ctx, storetest.ItemsConfig(fmt.Sprint("passing ", i)))
			if err == nil {
				err = storetest.FillItems(passing, 300, 10)
			}
			if err == nil {
				_, err = passing.Delete(ctx)
			}
			return err
		},
	}
	go func() {
		ended <- storetest.AtOnce(len(writers), func(w int) error {
			for i := 0; ctx.Err() == nil; i++ {
				if err := writers[w](i); err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, bucketlite.ErrNotFound) {
					return err
				}
			}
			return nil
		})
	}()
	return func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// Rows that a damaged page holds out of order do not keep a check from its end.
func TestCheckOfRowsOutOfOrder(t *testing.T) {
	t.Parallel()
	path := newChecked(t)
	// A number of an object, as the table of objects and that of texts have it.
	rowid := func(n int64) (varint []byte) {
		for shift := 42; shift > 0; shift -= 7 {
			varint = append(varint, 0x80|byte(n>>shift))
		}
		return append(varint, byte(n)&0x7f)
	}
	editFile(t, path, func(data []byte) {
		old := rowid(5<<40 + 2)
		if !bytes.Contains(data, old) {
			t.Fatal("the object is not found in the file")
		}
		copy(data, bytes.ReplaceAll(data, old, rowid(5<<40+1000)))
	})
	for _, opts := range []*bucketlite.CheckOptions{nil, repairing} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		report, err := storetest.OpenPath(t, path).Check(ctx, opts)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(report.Problems, func(p bucketlite.Problem) bool { return p.Rule == "file.integrity" }) {
			t.Errorf("got %v, want file.integrity", report.Problems)
		}
	}
}

// Whatever bytes of a file are damaged, a check and a repair come to an end, and
// where they find nothing everything can be read.
func TestCheckOfDamage(t *testing.T) {
	t.Parallel()
	rounds := 40
	if *storetest.Long {
		rounds = 2000
	}
	t.Logf("%d files with damaged bytes", rounds)
	sound := newChecked(t)
	r := storetest.NewRand(t)
	for round := range rounds {
		path := storetest.CopyFile(t, sound)
		editFile(t, path, func(data []byte) {
			for range 1 + r.IntN(8) {
				data[r.IntN(len(data))] ^= byte(1 + r.IntN(255))
			}
		})
		for _, opts := range []*bucketlite.CheckOptions{nil, repairing} {
			st, err := bucketlite.Open(context.Background(), path, &bucketlite.Options{ReadOnly: opts == nil})
			if err != nil {
				continue // it is seen to be damaged
			}
			if report, err := st.Check(context.Background(), opts); err == nil && report.Err() == nil {
				if err := readAll(st); err != nil {
					t.Errorf("round %d: %v, though nothing was found", round, err)
				}
			}
			if err := st.Close(); err != nil {
				t.Errorf("round %d: close: %v", round, err)
			}
		}
	}
}

// readAll reads everything there is in a store.
func readAll(st *bucketlite.Store) error {
	ctx := context.Background()
	for info, err := range st.Namespaces(ctx, bucketlite.Query{}) {
		if err != nil {
			return err
		}
		ns, err := st.Namespace(ctx, info.ID)
		if err != nil {
			return err
		}
		for info, err := range ns.Buckets(ctx, bucketlite.Query{}) {
			if err != nil {
				return err
			}
			b, err := ns.Bucket(ctx, info.ID)
			if err != nil {
				return err
			}
			for o, err := range b.Objects(ctx, bucketlite.Query{}) {
				if err != nil {
					return err
				}
				if err := readAllBlobs(b, o); err != nil {
					return err
				}
			}
		}
	}
	return storetest.LastError(st.Tasks(ctx, bucketlite.TaskQuery{}))
}

func readAllBlobs(b *bucketlite.Bucket, o *bucketlite.Object) error {
	for _, blob := range o.Blobs {
		if blob.Details.Hash == "" {
			continue
		}
		r, err := b.OpenBlob(context.Background(), o.ID, blob.Property)
		if err != nil {
			return err
		}
		data, err := io.ReadAll(r)
		r.Close()
		if err != nil || int64(len(data)) != blob.Details.Size {
			return fmt.Errorf("object %q: %d bytes of %d: %v", o.ID, len(data), blob.Details.Size, err)
		}
	}
	return nil
}

// ageIndex adds the index of a bucket with limits, without its entries.
const ageIndex = "INSERT INTO indexes (partition, kind, path, status, built, many, cut, form) VALUES (1, 'age', '', 'READY', 1 << 40, 0, 0, 2)"

// unbuilt returns the statement that adds the index as one that covers no object yet.
func unbuilt(index string) string {
	return strings.Replace(index, "'READY', 1 << 40", "'BUILDING', (1 << 40) + 1000", 1)
}

// reseal gives every object the checksum of its row, after statements that edit rows
// as a fault of the library would.
const reseal = "; UPDATE object SET checksum = object_sum(seq, id, version, key, key_prefix, created_at, updated_at, fields, blobs, expires_at)"

func init() {
	sqlite.MustRegisterDeterministicScalarFunction("object_sum", 10, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		n := func(i int) int64 { v, _ := args[i].(int64); return v }
		text := func(i int) string { v, _ := args[i].(string); return v }
		blob := func(i int) []byte { v, _ := args[i].([]byte); return v }
		return bucketlite.ObjectSum(n(0), text(1), n(2), blob(3), text(4), n(5), n(6), blob(7), text(8), n(9)), nil
	})
}
