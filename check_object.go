package bucketlite

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/index"
	"github.com/bucketlite/bucketlite/internal/jsonb"
	"github.com/bucketlite/bucketlite/internal/schema"
	"github.com/bucketlite/bucketlite/internal/value"
)

// Limits of one page of objects or contents.
const (
	checkRows  = 500
	checkBytes = 4 << 20
)

// checkedBucket is the bucket of checked objects, as far as it concerns their partition.
type checkedBucket struct {
	num       int64
	id        string
	partition int64
	there     bool
	current   bool // the bucket uses the partition
	subject   string
	clock     int64
	def       *definition // of the objects; nil if it cannot be read, or if the bucket has left them
	whole     *definition // of the bucket; nil if it cannot be read
}

// indexed returns what package index has to know of the partition, whose definition is known.
func (b *checkedBucket) indexed() index.Bucket {
	return index.Bucket{Num: b.num, Partition: b.partition, ID: b.id, Plan: b.def.plan}
}

// checkedObject is an object and the data to check it against, from one snapshot.
type checkedObject struct {
	objectRow
	bucket   *checkedBucket
	blobs    []Blob
	unread   error            // the error of decoding the blobs
	contents map[string]int64 // sizes of the existing contents, by hash
}

// lateVersion is the highest version of a bucket's objects that is beyond the
// bucket's clock.
type lateVersion struct {
	bucket  *checkedBucket // nil if there is none
	version int64
}

// checkObjects checks each object by itself, in order of seq and so bucket by bucket.
// A page of objects, with the rows they refer to, is read in one snapshot.
func (c *checker) checkObjects() error {
	for after := int64(-1 << 63); ; {
		var page []checkedObject
		err := c.read(func(conn *engine.Conn) error {
			return conn.Snapshot(func() (err error) {
				page, err = c.selectObjects(conn, "SELECT o.partition, "+objectColumns+" FROM object o WHERE o.seq > ? ORDER BY o.seq LIMIT ?",
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
		if err := turnPage(&after, page[len(page)-1].object.seq); err != nil {
			return err
		}
		c.report.Objects += int64(len(page))
		c.progress.Objects = c.report.Objects
		c.tell()
	}
}

// selectObjects reads objects, up to checkBytes.
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

// selectBucket reads the bucket that a partition belongs to. It compiles the definition
// only if the previous page did not.
func (c *checker) selectBucket(conn *engine.Conn, partition int64) (*checkedBucket, error) {
	b := &checkedBucket{partition: partition, subject: fmt.Sprintf("bucket number %d", partition)}
	var stored storedDefinition
	var err error
	b.there, err = conn.QueryRow("SELECT b.name, b.id, "+commit.CountColumns+", "+definitionColumns+
		" FROM buckets b "+joinChange+" WHERE b.num = ("+ownerOfPartition+")", []any{partition},
		func(r engine.Row) {
			b.num, b.id, b.subject = r.Int(2), r.Text(1), bucketSubject(r.Text(0), r.Text(1))
			counts, corrupt := commit.ScanCounts(r, 2)
			if b.clock = counts.Clock; corrupt != nil { // checkTotals has reported it
				b.clock = math.MaxInt64
			}
			stored.scan(r, 2+commit.CountWidth)
		})
	if err != nil || !b.there {
		return b, err
	}
	known := c.buckets[partition]
	if known == nil || known.whole == nil || known.whole.number != stored.number {
		b.whole, _ = stored.restore() // checkBuckets reports its faults
	} else {
		b.whole = known.whole
	}
	switch {
	case partition == stored.partition:
		b.current = true
		b.def = b.whole
	case b.whole != nil && b.whole.next.rewrites() && partition == b.whole.next.partition:
		b.def = &b.whole.next.definition
	}
	return b, nil
}

// ownerOfPartition is an SQL query for the number of the bucket that uses a partition,
// prepares it for a change of its schema, or has left it.
const ownerOfPartition = `SELECT num FROM buckets WHERE partition = ?1
UNION ALL SELECT bucket FROM schema_changes WHERE since IS NULL AND partition = ?1
UNION ALL SELECT bucket FROM old_partitions WHERE num = ?1 LIMIT 1`

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

// judgePage checks a page of objects, repairs derivable values, and reports the
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

// checkVersion compares the object's version and seq with its bucket's clock. A
// bucket has at most one such problem, which is known after its last object.
func (c *checker) checkVersion(o *checkedObject) error {
	if c.late.bucket != nil && c.late.bucket.partition != o.bucket.partition {
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

// endBucket reports the problem that checkVersion found in a bucket.
func (c *checker) endBucket() error {
	late := c.late
	c.late = lateVersion{}
	if late.bucket == nil {
		return nil
	}
	p := Problem{Rule: "bucket.clock", Subject: late.bucket.subject,
		Message: fmt.Sprintf("an object has version %d, but the last assigned version is %d", late.version, late.bucket.clock)}
	if c.repairs() && late.version < 1<<commit.ClockBits {
		if err := c.write(func(tx *commit.Tx) error { return advance(tx, late.bucket.num, late.version) }); err != nil {
			return err
		}
		p.Repaired = true
	}
	c.add(p)
	return nil
}

// verdict holds the faults of an object, and its correct values.
type verdict struct {
	problems []Problem
	size     *int64 // nil if unknown
	key      *[]byte
	fields   []byte // nil if unknown, or if the stored ones are correct
	unread   bool   // the references of its blobs cannot be read, or not be trusted
}

func (v *verdict) wrongSize(o *checkedObject) bool { return v.size != nil && *v.size != o.object.Size }
func (v *verdict) wrongKey(o *checkedObject) bool  { return v.key != nil && !bytes.Equal(*v.key, o.key) }

// subject returns the object's name in the form used in problems.
func (o *checkedObject) subject() string {
	return o.bucket.subject + ": object " + value.Show(o.object.ID)
}

// report receives the faults of an object.
type report func(rule, format string, args ...any)

// judge checks an object. If the row does not match its checksum, no other rule is
// checked, since any value may be wrong.
func (o *checkedObject) judge() *verdict {
	v := &verdict{}
	subject := o.subject()
	fault := func(rule, format string, args ...any) {
		v.problems = append(v.problems, Problem{Rule: rule, Subject: subject, Message: fmt.Sprintf(format, args...)})
	}
	if o.damaged {
		v.unread = true
		fault("object.checksum", "row does not match its checksum, and cannot be restored from other rows: delete the object or restore it from a backup")
		return v
	}
	if !o.bucket.there {
		fault("object.place", "its bucket does not exist")
	} else if o.object.seq>>commit.ClockBits != o.bucket.partition {
		fault("object.place", "its seq %d is outside the range of its bucket", o.object.seq)
	}
	fields, err := jsonb.Parse(o.fields)
	var again []byte
	if err != nil {
		fault("object.json", "its fields cannot be read: %v", err)
	} else if again, _ = jsonb.Append(nil, fields); !bytes.Equal(again, o.fields) {
		fault("object.json", "its fields are not in the stored form")
	}
	if o.unread != nil {
		v.unread = true
		fault("object.json", "its blobs cannot be read: %v", o.unread)
	} else if !isStoredForm(o.objectRow.blobs, o.blobs) {
		v.unread = true // SQL may not find their references
		fault("object.json", "its blobs are not in the stored form")
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
		fault("object.size", "%d bytes are recorded, but its fields and blobs have %d", o.object.Size, *v.size)
	}
	for i := range o.blobs {
		o.judgeContent(&o.blobs[i], fault)
	}
	if o.bucket.def == nil {
		return v
	}
	conforms := o.judgeSchema(v, fields, fault)
	if !bytes.Equal(data.JSONB, again) {
		fault("object.inline", "the inline data of its blobs differs from its fields")
		if conforms {
			v.fields = data.JSONB
		}
	}
	return v
}

// judgeSchema checks that an object has the key of its fields and conforms to its
// bucket's schema. It reports whether the object conforms.
func (o *checkedObject) judgeSchema(v *verdict, fields map[string]any, fault report) bool {
	def := o.bucket.def
	// A string accepted before the cost of patterns was limited is not damage.
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
		return false // fields that violate the schema have no correct key
	}
	v.key = &key
	switch {
	case !v.wrongKey(o):
	case def.key == nil:
		fault("object.key", "it has a unique key, but its bucket has none")
	default:
		fault("object.key", "its unique key differs from that of its fields, %s", def.key.Describe(fields))
	}
	return !j.Any()
}

// judgeContent checks that the content of a blob exists.
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
		fault("object.content", "blob %s: its content has %d bytes, %d are recorded", value.Show(b.ID), size, b.Details.Size)
	}
}
