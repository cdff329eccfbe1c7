package bucketlite

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bucketlite/bucketlite/internal/commit"
	"github.com/bucketlite/bucketlite/internal/engine"
	"github.com/bucketlite/bucketlite/internal/value"
)

// CheckOptions configure [Store.Check]. Nil selects the defaults.
type CheckOptions struct {
	// Repair restores values that can be derived from others: statistics, counts of
	// references, sizes, keys and the like; see [Store.Check]. Default: false.
	Repair bool
	// Progress, unless nil, is called repeatedly with the progress so far. It is
	// called in Check's goroutine, and may use the store.
	Progress func(CheckProgress)
}

// CheckProgress is the progress of a check. The totals are estimates, since others
// may write at the same time. In the last call they equal the numbers checked.
type CheckProgress struct {
	Objects      int64 `json:"objects"` // checked, of TotalObjects
	TotalObjects int64 `json:"total_objects"`
	// ContentBytes of TotalContentBytes have been checked.
	ContentBytes      int64 `json:"content_bytes"`
	TotalContentBytes int64 `json:"total_content_bytes"`
}

// CheckReport is the result of [Store.Check].
type CheckReport struct {
	// Problems are the first 1,000 problems, and the first problem of each rule.
	Problems []Problem `json:"problems"`
	// Omitted counts the other problems.
	Omitted int `json:"omitted"`
	// Buckets, Objects and Contents count the checked items. ContentBytes is the size
	// of all contents, each counted once.
	Buckets      int64 `json:"buckets"`
	Objects      int64 `json:"objects"`
	Contents     int64 `json:"contents"`
	ContentBytes int64 `json:"content_bytes"`
	// WithoutChecksum counts the objects without a checksum, written by an older
	// version of the library. They get one in the background, or at their next write.
	// An object that violates a rule does not get one.
	WithoutChecksum int64 `json:"without_checksum"`

	broken int // problems that are not repaired, omitted ones included
}

// Problem is a violation of a rule in the file.
type Problem struct {
	// Rule is the rule's stable name, such as "object.schema" or
	// "bucket.statistics"; see [Store.Check].
	Rule string `json:"rule"`
	// Subject names the violating item: `bucket "videos" (bkt_…): object "obj_…"`.
	Subject string `json:"subject"`
	// Message says what was expected and what was found.
	Message string `json:"message"`
	// Repaired is true if the problem has been repaired.
	Repaired bool `json:"repaired"`
}

func (p Problem) String() string { return p.Subject + ": " + p.Message + " [" + p.Rule + "]" }

const maxProblems = 1000

// Err returns nil if the store has no problems, or all are repaired. Otherwise it
// returns an error that lists the first problems and matches [ErrCorrupt].
func (r *CheckReport) Err() error {
	if r.broken == 0 {
		return nil
	}
	const shown = 10
	var b strings.Builder
	told := 0
	for _, p := range r.Problems {
		if p.Repaired {
			continue
		}
		if told == shown {
			break
		}
		told++
		b.WriteString("; " + p.String())
	}
	if r.broken > told {
		fmt.Fprintf(&b, "; and %d more", r.broken-told)
	}
	return errorf("check: %w: %d problems%s", ErrCorrupt, r.broken, b.String())
}

// Check reads the whole store and reports every violation of a rule. It returns an
// error only if it cannot complete: ctx ends, [ErrClosed], a disk failure; with
// Repair also [ErrReadOnly] and [ErrBusy].
//
// The rules, by the names in [Problem]:
//
//   - file.integrity: SQLite's own structures are sound, and no page is lost;
//   - content.chunks, content.checksum, content.hash, content.size: a content is
//     complete, each chunk and the whole match their checksums, and its size is right;
//     chunk.content: every chunk belongs to a content;
//   - content.references: the recorded number of references to a content is right;
//     store.content: the recorded number of bytes of all contents is right;
//   - object.checksum: an object's row matches its checksum; if it does not, no other
//     rule of the object is checked;
//   - object.place, object.json: an object belongs to a bucket, and can be read;
//   - object.schema, object.key, object.size: an object conforms to its bucket's schema,
//     and has the unique key and the size of its fields and blobs;
//   - object.inline: the inline data of an object's blobs equals that in its fields;
//     object.content: the content of an object's blobs exists;
//   - bucket.definition, bucket.namespace, bucket.json: a bucket can be read, and
//     belongs to a namespace;
//   - bucket.statistics, bucket.batches, bucket.clock: a bucket's statistics equal a
//     recount, and no object's version is higher than the last assigned one;
//     bucket.totals: the changes of statistics that the newest events carry can be read;
//     otherwise the rules of a bucket's statistics are not checked;
//   - bucket.growth, bucket.statuses, bucket.sizes: the counts of objects by hour of
//     creation and by status, as far as they exist, and by size equal a recount, and belong
//     to a bucket;
//   - bucket.change: a change of a schema that is not in force has an open task, and what it
//     has prepared is in use by nobody else;
//   - bucket.deletion, namespace.deletion, task.target: a bucket or namespace that is
//     being deleted has an open task, and an open deletion or schema change has a target;
//   - upload.bucket, upload.content, batch.bucket, batch.jobs, job.batch, job.object:
//     uploads, batches and jobs refer to existing items, and the recorded numbers of
//     jobs are right;
//   - index.entry, index.flags, index.text: an index has exactly the entries of its
//     bucket's objects, and the right flags; of text indexes, a sample of some hundred
//     objects in each bucket is looked up;
//     index.orphan: every entry belongs to an index of a bucket;
//   - upload.status, task.status, index.status: the status fits the other values;
//   - event.data, event.order: the events can be read, and have no gaps;
//   - namespace.json, task.json, upload.json, batch.json, job.json: stored JSON can be
//     read.
//
// Others may read and write during a check: each rule is evaluated on a consistent
// snapshot. The use of memory is bounded. A store at ":memory:" has a single
// connection, which Check holds during some long statements.
//
// Repair restores derivable values in small transactions, each of which checks again
// first. It repairs bucket.statistics, bucket.batches, bucket.clock, bucket.totals, bucket.sizes,
// batch.jobs, content.references, content.size, store.content, chunk.content,
// object.size, object.inline if the object conforms to its schema, and object.key
// unless another object has the right key. For index.entry, index.flags, index.text
// and index.orphan it rebuilds indexes in the background, and for bucket.growth and
// bucket.statuses the counts. It never deletes an object
// or referenced content, and never guesses a value. If file.integrity is violated, it
// repairs nothing: copy the readable objects to a new store.
func (s *Store) Check(ctx context.Context, opts *CheckOptions) (*CheckReport, error) {
	if opts == nil {
		opts = &CheckOptions{}
	}
	if opts.Repair && s.db.ReadOnly() {
		return nil, public(ErrReadOnly)
	}
	c := &checker{store: s, ctx: ctx, opts: *opts, report: &CheckReport{}}
	if err := c.run(); err != nil {
		return nil, public(err)
	}
	return c.report, nil
}

// checker is one Check call.
type checker struct {
	store    *Store
	ctx      context.Context
	opts     CheckOptions
	report   *CheckReport
	progress CheckProgress

	damaged bool // SQLite's own structures are damaged
	unread  bool // some blobs cannot be read, so counts of references are unknown

	buckets map[int64]*checkedBucket // the buckets of the objects read last
	late    lateVersion
}

// run runs the checks one after the other. Contents come before objects, whose blobs
// are compared with them.
func (c *checker) run() error {
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"totals", c.estimate}, {"file", c.checkFile}, {"totals", c.checkTotals}, {"contents", c.checkStored}, {"objects", c.checkObjects}, {"indexes", c.checkIndexes},
		{"buckets", c.checkBuckets}, {"records", c.checkRows}, {"events", c.checkEvents}, {"references", c.checkReferences}, {"totals", c.checkContentBytes},
	} {
		err := step.do()
		if errors.Is(err, ErrCorrupt) { // this part cannot be read, others may be readable
			c.damaged = true
			c.add(Problem{Rule: "file.integrity", Subject: step.name, Message: err.Error()})
		} else if err != nil {
			return err
		}
	}
	p := &c.progress
	p.TotalObjects, p.TotalContentBytes = p.Objects, p.ContentBytes
	c.tell()
	return nil
}

// add adds a problem to the report.
func (c *checker) add(p Problem) {
	if !p.Repaired {
		c.report.broken++
	}
	if len(c.report.Problems) >= maxProblems && slices.ContainsFunc(c.report.Problems, func(q Problem) bool { return q.Rule == p.Rule }) {
		c.report.Omitted++
		return
	}
	c.report.Problems = append(c.report.Problems, p)
}

// turnPage sets after, the number behind which a page of rows begins, to the number of
// the page's last row. On a damaged page of the file rows may be out of order; without
// the error Check would read them again and again.
func turnPage(after *int64, last int64) error {
	if last <= *after {
		return errorf("%w: row number %d comes after row number %d", ErrCorrupt, last, *after)
	}
	*after = last
	return nil
}

// tell reports progress. It holds no connection while it does.
func (c *checker) tell() {
	if c.opts.Progress == nil {
		return
	}
	p := c.progress
	p.TotalObjects, p.TotalContentBytes = max(p.Objects, p.TotalObjects), max(p.ContentBytes, p.TotalContentBytes)
	c.opts.Progress(p)
}

// read calls f with a connection, for a short read.
func (c *checker) read(f func(*engine.Conn) error) error { return c.store.db.Read(c.ctx, f) }

// readLong runs a long statement and calls each with its rows. It calls begin before
// the first row, since the statement may run again.
func (c *checker) readLong(query string, args []any, begin func(), each func(engine.Row)) error {
	return c.store.db.ReadAside(c.ctx, func(ctx context.Context, conn *engine.Conn) error {
		begin()
		return conn.LongQuery(ctx, query, args, func(r engine.Row) error { each(r); return nil })
	})
}

// estimate sets the progress totals.
func (c *checker) estimate() error {
	return c.read(func(conn *engine.Conn) error {
		return conn.Snapshot(func() error {
			unfolded, err := commit.ReadUnfolded(conn)
			if err != nil && !errors.Is(err, commit.ErrTotals) {
				return err
			}
			_, err = conn.QueryRow("SELECT (SELECT coalesce(sum(object_count), 0) FROM buckets), live_bytes + waiting_bytes FROM store", nil,
				func(r engine.Row) { c.progress.TotalObjects, c.progress.TotalContentBytes = r.Int(0), r.Int(1) })
			for _, u := range unfolded {
				c.progress.TotalObjects += u.Objects
			}
			return err
		})
	})
}

// checkFile runs SQLite's own integrity check. FTS5 then checks the text index
// against the state that the connection has cached, which may be an older one.
// Reading the table first refreshes it.
func (c *checker) checkFile() error {
	var found []string
	err := c.store.db.ReadAside(c.ctx, func(ctx context.Context, conn *engine.Conn) error {
		found = nil
		return conn.Snapshot(func() error {
			_, unread := conn.QueryRow("SELECT 1 FROM texts LIMIT 1", nil, nil)
			err := conn.LongQuery(ctx, "SELECT integrity_check FROM pragma_integrity_check ORDER BY +rowid", nil, func(r engine.Row) error {
				if text := r.Text(0); text != "ok" {
					found = append(found, text)
				}
				return nil
			})
			if err == nil {
				err = unread
			}
			return err
		})
	})
	for _, text := range found {
		c.damaged = true
		c.add(Problem{Rule: "file.integrity", Subject: "file", Message: text})
	}
	return err
}

// bucketSubject returns a bucket's name and id in the form used in problems.
func bucketSubject(name, id string) string {
	return fmt.Sprintf("bucket %s (%s)", value.Show(name), id)
}

// checkBuckets checks the buckets' definitions and statistics.
func (c *checker) checkBuckets() error {
	type bucket struct {
		num     int64
		subject string
		stored  storedDefinition
	}
	for after := int64(0); ; {
		var buckets []bucket
		err := c.read(func(conn *engine.Conn) error {
			buckets = nil
			return conn.Query("SELECT b.num, b.name, b.id, "+definitionColumns+" FROM buckets b "+joinChange+" WHERE b.num > ? ORDER BY b.num LIMIT 100",
				[]any{after}, func(r engine.Row) error {
					b := bucket{num: r.Int(0), subject: bucketSubject(r.Text(1), r.Text(2))}
					b.stored.scan(r, 3)
					buckets = append(buckets, b)
					return nil
				})
		})
		if err != nil || len(buckets) == 0 {
			return err
		}
		for _, b := range buckets {
			c.report.Buckets++
			if _, err := b.stored.restore(); err != nil {
				c.add(Problem{Rule: "bucket.definition", Subject: b.subject, Message: err.Error()})
			}
			if err := c.checkStatistics(b.num, b.subject); err != nil {
				return err
			}
			if err := c.checkTally(b.num, b.subject); err != nil {
				return err
			}
			if err := c.checkSizes(b.num, b.subject); err != nil {
				return err
			}
		}
		if err := turnPage(&after, buckets[len(buckets)-1].num); err != nil {
			return err
		}
	}
}

func (c *checker) checkStatistics(num int64, subject string) error {
	var s counted
	var corrupt error
	err := c.readLong(selectCounted, []any{num}, func() { s, corrupt = counted{}, nil }, func(r engine.Row) { corrupt = s.scan(r) })
	if err != nil || corrupt != nil || s.agrees() {
		return err // checkTotals has reported totals that are corrupt
	}
	p := Problem{Rule: "bucket.statistics", Subject: subject, Message: s.String()}
	if c.repairs() {
		if err := c.write(func(tx *commit.Tx) error { return recount(tx, num) }); err != nil {
			return err
		}
		p.Repaired = true
	}
	c.add(p)
	return nil
}

// counted is a bucket's statistics and a recount.
type counted struct {
	commit.Counts             // as recorded
	actualObjects, actualSize int64
}

// selectCounted reads the columns of counted, in one snapshot. Sizes are summed in
// two parts: SQLite refuses a sum beyond 64 bits, and a damaged size may have any
// value.
const selectCounted = "SELECT o.n, o.high, o.low, " + commit.CountColumns + `
FROM buckets b, (SELECT count(*) AS n, coalesce(sum(size >> 20), 0) AS high, coalesce(sum(size & 0xfffff), 0) AS low
    FROM object WHERE partition = (SELECT partition FROM buckets WHERE num = ?1)) o
WHERE b.num = ?1`

func (s *counted) scan(r engine.Row) (err error) {
	s.actualObjects, s.actualSize = r.Int(0), r.Int(1)<<20+r.Int(2)
	s.Counts, err = commit.ScanCounts(r, 3)
	return err
}

func (s *counted) agrees() bool { return s.Objects == s.actualObjects && s.Size == s.actualSize }

func (s *counted) String() string {
	return fmt.Sprintf("%d objects of %d bytes are recorded, but there are %d of %d bytes", s.Objects, s.Size, s.actualObjects, s.actualSize)
}
