package bucketlite

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// What is read of the objects, or of the contents, at once.
const (
	checkRows  = 500
	checkBytes = 4 << 20
)

// errEnough ends a query that has read as much as is wanted.
var errEnough = errors.New("enough")

// checkedBucket is a bucket that objects are checked against.
type checkedBucket struct {
	num     int64
	there   bool
	subject string
	clock   int64
	def     *definition // nil if it cannot be read
}

// checkedObject is an object and what it is checked against, all of one moment.
type checkedObject struct {
	objectRow
	bucket   *checkedBucket
	blobs    []Blob
	unread   error            // why blobs cannot be read
	contents map[string]int64 // sizes by hash, of what is there
}

// lateVersion is the highest version of a bucket's objects that is beyond the
// bucket's clock.
type lateVersion struct {
	bucket  *checkedBucket // nil if there is none
	version int64
}

// checkObjects checks each object by itself, in order of seq and thus bucket by
// bucket. A page of them is read at one moment, with what they refer to.
func (c *checker) checkObjects() error {
	for after := int64(-1 << 63); ; {
		var page []checkedObject
		err := c.read(func(conn *engine.Conn) error {
			return conn.Snapshot(func() (err error) {
				page, err = c.selectObjects(conn, "SELECT o.bucket, "+objectColumns+" FROM object o WHERE o.seq > ? ORDER BY o.seq LIMIT ?",
					after, int64(checkRows))
				return err
			})
		})
		if err != nil {
			return err
		}
		if len(page) == 0 {
			return c.endBucket()
		}
		if err := c.judgePage(page); err != nil {
			return err
		}
		after = page[len(page)-1].object.seq
		c.report.Objects += int64(len(page))
		c.progress.Objects = c.report.Objects
		c.tell()
	}
}

// selectObjects reads objects, at most as many bytes as are wanted at once.
func (c *checker) selectObjects(conn *engine.Conn, query string, args ...any) ([]checkedObject, error) {
	var objects []checkedObject
	var nums []int64
	size := 0
	err := conn.Query(query, args, func(r engine.Row) error {
		var o checkedObject
		o.scan(r, 1)
		objects, nums = append(objects, o), append(nums, r.Int(0))
		if size += len(o.fields) + len(o.objectRow.blobs); size > checkBytes {
			return errEnough
		}
		return nil
	})
	if err != nil && err != errEnough {
		return nil, err
	}
	buckets := make(map[int64]*checkedBucket)
	for i := range objects {
		o := &objects[i]
		if o.bucket = buckets[nums[i]]; o.bucket == nil {
			if o.bucket, err = c.selectBucket(conn, nums[i]); err != nil {
				return nil, err
			}
			buckets[nums[i]] = o.bucket
		}
		if o.blobs, o.unread = decodeBlobs(o.objectRow.blobs); o.unread == nil {
			if err := o.selectContents(conn); err != nil {
				return nil, err
			}
		}
	}
	c.buckets = buckets
	return objects, nil
}

// selectBucket reads a bucket; its definition, which never changes, only if the
// page before did not need it.
func (c *checker) selectBucket(conn *engine.Conn, num int64) (*checkedBucket, error) {
	b := &checkedBucket{num: num, subject: fmt.Sprintf("bucket number %d", num)}
	var err error
	b.there, err = conn.QueryRow("SELECT b.name, b.id, max(b.clock, ifnull(d.clock, 0)) FROM buckets b "+commit.JoinDelta+" WHERE b.num = ?", []any{num},
		func(r engine.Row) { b.subject, b.clock = bucketSubject(r.Text(0), r.Text(1)), r.Int(2) })
	if err != nil || !b.there {
		return b, err
	}
	if known := c.buckets[num]; known != nil && known.there {
		b.def = known.def
		return b, nil
	}
	stored, exists, err := selectDefinition(conn, num)
	if err == nil && exists {
		b.def, _ = stored.restore() // checkBuckets reports what is wrong with it
	}
	return b, err
}

// selectContents finds the contents that the object's blobs refer to.
func (o *checkedObject) selectContents(conn *engine.Conn) error {
	for i := range o.blobs {
		hash := o.blobs[i].Details.Hash
		if hash == "" {
			continue
		}
		_, err := conn.QueryRow("SELECT size FROM contents WHERE hash = unhex(?)", []any{hash}, func(r engine.Row) {
			if o.contents == nil {
				o.contents = make(map[string]int64)
			}
			o.contents[hash] = r.Int(0)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// judgePage judges a page of objects, has repaired what can be, and reports the
// problems.
func (c *checker) judgePage(page []checkedObject) error {
	var problems []Problem
	var derivable []int64
	for i := range page {
		o := &page[i]
		if o.unsummed {
			c.report.WithoutChecksum++
		}
		v := o.judge()
		problems = append(problems, v.problems...)
		c.unread = c.unread || v.unread
		if v.wrongSize(o) || v.wrongKey(o) || v.fields != nil {
			derivable = append(derivable, o.object.seq)
		}
		if err := c.checkVersion(o); err != nil {
			return err
		}
	}
	repaired := make(map[Problem]bool) // by rule and subject
	if c.repairs() {
		var err error
		if repaired, err = c.repairObjects(derivable); err != nil {
			return err
		}
	}
	for _, p := range problems {
		p.Repaired = repaired[Problem{Rule: p.Rule, Subject: p.Subject}]
		c.add(p)
	}
	return nil
}

// checkVersion compares what the object counts by with its bucket's clock. There
// is one problem for a bucket, and it is known at the last of its objects.
func (c *checker) checkVersion(o *checkedObject) error {
	if c.late.bucket != nil && c.late.bucket.num != o.bucket.num {
		if err := c.endBucket(); err != nil {
			return err
		}
	}
	highest := max(o.object.Version, o.object.seq&(1<<commit.ClockBits-1))
	if o.damaged || !o.bucket.there || highest <= o.bucket.clock || c.late.bucket != nil && highest <= c.late.version {
		return nil
	}
	c.late = lateVersion{o.bucket, highest}
	return nil
}

// endBucket reports what checkVersion found in a bucket.
func (c *checker) endBucket() error {
	late := c.late
	c.late = lateVersion{}
	if late.bucket == nil {
		return nil
	}
	p := Problem{Rule: "bucket.clock", Subject: late.bucket.subject,
		Message: fmt.Sprintf("an object has version %d, the last one given out is %d", late.version, late.bucket.clock)}
	if c.repairs() && late.version < 1<<commit.ClockBits {
		if err := c.write(func(tx *commit.Tx) error { return advance(tx, late.bucket.num, late.version) }); err != nil {
			return err
		}
		p.Repaired = true
	}
	c.add(p)
	return nil
}

// verdict is what is wrong with an object, and what it should be.
type verdict struct {
	problems []Problem
	size     *int64 // nil if nobody can tell
	key      *[]byte
	fields   []byte // nil if nobody can tell, or nothing is wrong with them
	unread   bool   // its blobs cannot be read for what they refer to, or not be trusted
}

func (v *verdict) wrongSize(o *checkedObject) bool { return v.size != nil && *v.size != o.object.Size }
func (v *verdict) wrongKey(o *checkedObject) bool  { return v.key != nil && !bytes.Equal(*v.key, o.key) }

// subject is how problems name the object.
func (o *checkedObject) subject() string {
	return o.bucket.subject + ": object " + value.Show(o.object.ID)
}

// report is where an object's faults go.
type report func(rule, format string, args ...any)

// judge checks an object. Of a row that does not match its checksum nothing more is
// known, so it is not judged any further.
func (o *checkedObject) judge() *verdict {
	v := &verdict{}
	subject := o.subject()
	fault := func(rule, format string, args ...any) {
		v.problems = append(v.problems, Problem{Rule: rule, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
	if o.damaged {
		v.unread = true
		fault("object.checksum", "its row does not match its checksum, and nothing tells what it was: delete the object or restore it from a backup")
		return v
	}
	if !o.bucket.there {
		fault("object.place", "its bucket does not exist")
	} else if o.object.seq>>commit.ClockBits != o.bucket.num {
		fault("object.place", "its place %d is not among those of its bucket", o.object.seq)
	}
	fields, err := jsonb.Parse(o.fields)
	var again []byte
	if err != nil {
		fault("object.json", "its fields cannot be read: %v", err)
	} else if again, _ = jsonb.Append(nil, fields); !bytes.Equal(again, o.fields) {
		fault("object.json", "its fields are not in the form they are stored in")
	}
	if o.unread != nil {
		v.unread = true
		fault("object.json", "its blobs cannot be read: %v", o.unread)
	} else if again, e := encodeBlobs(o.blobs); e != nil || again != nilIfBlank(o.objectRow.blobs) {
		v.unread = true // by whoever reads their names as they should be
		fault("object.json", "its blobs are not in the form they are stored in")
	}
	if err != nil || o.unread != nil {
		return v
	}
	takeInline(fields, o.blobs)
	var p *schema.Plan
	if o.bucket.def != nil {
		p = o.bucket.def.plan
	}
	data := p.Encode(fields, appendViews(nil, o.blobs))
	v.size = new(data.Size() + blobBytes(o.blobs))
	if v.wrongSize(o) {
		fault("object.size", "%d bytes are stated, its fields and blobs have %d", o.object.Size, *v.size)
	}
	for i := range o.blobs {
		o.judgeContent(&o.blobs[i], fault)
	}
	if o.bucket.def == nil {
		return v
	}
	conforms := o.judgeSchema(v, fields, fault)
	if !bytes.Equal(data.JSONB, again) {
		fault("object.inline", "the inline data of its blobs is not what stands among its fields")
		if conforms {
			v.fields = data.JSONB
		}
	}
	return v
}

// judgeSchema checks that an object conforms to its bucket's schema, which it
// reports, and has the key of its fields.
func (o *checkedObject) judgeSchema(v *verdict, fields map[string]any, fault report) bool {
	def := o.bucket.def
	// What was accepted before patterns had a bound is not damage.
	j := &judge{}
	j.NoDefaults, j.TrustCostly = true, true
	for i := range o.blobs {
		def.judgeBlob(j, blobsPath.Item(i), o.blobs, i)
	}
	if _, changed := def.validate(j, fields, o.blobs, false); changed {
		j.fault(nil, "null", "a declared field is null")
	}
	key := def.key.Encode(&j.Validation, fields)
	for _, issue := range j.issues() {
		fault("object.schema", "%s", issue)
	}
	if j.Any() && def.key != nil {
		return false // a key of what should not be is none
	}
	v.key = &key
	switch {
	case !v.wrongKey(o):
	case def.key == nil:
		fault("object.key", "its bucket has no unique key, it has one")
	default:
		fault("object.key", "its unique key is not that of %s", def.key.Describe(fields))
	}
	return !j.Any()
}

// judgeContent checks that the content a blob refers to is there.
func (o *checkedObject) judgeContent(b *Blob, fault report) {
	hash := b.Details.Hash
	if hash == "" {
		return
	}
	size, there := o.contents[hash]
	raw, err := hex.DecodeString(hash)
	switch {
	case err != nil || hex.EncodeToString(raw) != hash:
		fault("object.content", "blob %s: a SHA-256 in hexadecimal expected, got %s", value.Show(b.ID), value.Show(hash))
	case !there:
		fault("object.content", "blob %s: its content %s does not exist", value.Show(b.ID), hash)
	case size != b.Details.Size:
		fault("object.content", "blob %s: its content has %d bytes, %d are stated", value.Show(b.ID), size, b.Details.Size)
	}
}

// judgeBlob judges the i-th of an object's stored blobs.
func (d *definition) judgeBlob(j *judge, path value.Path, blobs []Blob, i int) {
	b := &blobs[i]
	f := d.blobField(j, path, b.Property, blobs[:i])
	if f == nil {
		return
	}
	if string(b.Type) != f.Type {
		j.fault(path, ruleType, fmt.Sprintf("%s expected for %s, got %s", f.Type, value.Show(b.Property), value.Show(string(b.Type))))
	}
	data, inline := b.Properties["data"]
	_, reference := b.Properties["url"]
	switch {
	case b.Details.Hash != "":
		if !f.IsFile() {
			j.fault(path, ruleData, "a value expected for a field of type "+f.Type+", got bytes")
		}
	case inline:
		f.Validate(&j.Validation, path.Member("data"), data)
		if size := inlineSize(data); size != b.Details.Size {
			j.fault(path, ruleSize, fmt.Sprintf("%d bytes are stated, there are %d", b.Details.Size, size))
		}
	case !reference || !f.IsFile():
		j.fault(path, ruleRequired, "it holds nothing")
	case b.Details.Size != 0:
		j.fault(path, ruleSize, fmt.Sprintf("a reference has no bytes, %d are stated", b.Details.Size))
	}
}
