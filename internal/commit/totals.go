package commit

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/bucketlite/bucketlite/internal/engine"
)

// Each commit changes the totals of buckets. Writing them to the buckets' own rows, which
// may be long, would cost a page or more each time. So they ride in the row of the commit's
// events, which is written anyway: the newest row carries the running totals of the buckets
// that have changed last. Running totals are changes since the last fold, which adds them
// to the bucket's row.
//
// Running totals count only if their clock is beyond that of the bucket's row. So a fold
// need not take them out of the newest row, and they outlive a deleted bucket harmlessly.

const (
	maxRunning = 32  // buckets in a row; the one that has not changed for longest is folded
	maxCommits = 256 // that change a bucket between two folds
	maxTally   = 512 // bytes of a running tally, after which it is folded

	// maxLeft is the number of bytes up to which totals stay in a row that is no longer the
	// newest. To take out longer ones costs a statement, to leave them costs space.
	maxLeft = 64
)

// Running are the running totals of a bucket: the changes since the last fold.
type Running struct {
	Bucket  int64 // buckets.num
	Clock   int64 // the bucket's clock after the newest of them
	Commits int64 // how many there are
	Objects int64 // change of the object count
	Size    int64 // change of the total size
	Upload  int64 // latest upload, 0 for none
	Pending Pending
	Tally   []byte // packed
}

// newestRow is what a transaction has to know of the newest row of events.
type newestRow struct {
	last    int64 // its number, 0 if there are no events
	running []Running
	size    int // bytes of the totals in the row
}

// ErrTotals reports totals in the newest row of events that cannot be read.
var ErrTotals = errors.New("the totals in the newest row of events cannot be read")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// PackTotals returns the value of the column events.running, nil if there are none: the running
// totals of each bucket, and a CRC-32C.
func PackTotals(all []Running) []byte {
	if len(all) == 0 {
		return nil
	}
	data := make([]byte, 0, 64*len(all))
	for i := range all {
		t := &all[i]
		for _, v := range [...]int64{t.Bucket, t.Clock, t.Commits, t.Objects, t.Size, t.Upload} {
			data = binary.AppendVarint(data, v)
		}
		data = binary.AppendVarint(data, t.Pending.Objects)
		if p := &t.Pending; p.Objects != 0 {
			data = binary.AppendVarint(data, t.Clock-p.After)
			data = binary.AppendVarint(data, p.Min)
			data = binary.AppendVarint(data, p.Max-p.Min)
		}
		data = binary.AppendUvarint(data, uint64(len(t.Tally)))
		data = append(data, t.Tally...)
	}
	return binary.BigEndian.AppendUint32(data, crc32.Checksum(data, castagnoli))
}

// UnpackTotals is the inverse of [PackTotals]. The results share the memory of data.
// Errors: [ErrTotals].
func UnpackTotals(data []byte) (all []Running, err error) {
	d, err := openTotals(data)
	for err == nil && len(d.data) > 0 {
		var t Running
		t, err = d.running()
		all = append(all, t)
	}
	return all, err
}

// openTotals returns a decoder of the running totals of buckets, if their checksum is right.
func openTotals(data []byte) (totalsDecoder, error) {
	if data == nil {
		return totalsDecoder{}, nil
	}
	end := len(data) - crc32.Size
	if end < 0 || binary.BigEndian.Uint32(data[end:]) != crc32.Checksum(data[:end], castagnoli) {
		return totalsDecoder{}, corruptTotals("their checksum differs")
	}
	return totalsDecoder{data: data[:end]}, nil
}

// running decodes the next running totals.
func (d *totalsDecoder) running() (Running, error) {
	t := Running{Bucket: d.varint(), Clock: d.varint(), Commits: d.varint(), Objects: d.varint(), Size: d.varint(), Upload: d.varint()}
	if t.Pending.Objects = d.varint(); t.Pending.Objects != 0 {
		t.Pending.After = t.Clock - d.varint()
		t.Pending.Min = d.varint()
		t.Pending.Max = t.Pending.Min + d.varint()
	}
	t.Tally = d.bytes()
	if d.failed {
		return Running{}, corruptTotals("they end early")
	}
	return t, nil
}

func corruptTotals(problem string) error {
	return fmt.Errorf("%w: %w: %s", engine.ErrCorrupt, ErrTotals, problem)
}

// addTally adds the tally to t.
func (r *Running) addTally(t *Tally) error {
	if len(r.Tally) == 0 {
		return nil
	}
	return t.addPacked(r.Tally)
}

// Counts are what a bucket's row and its running totals say of its objects.
type Counts struct {
	Clock         int64 // the number of the bucket's last change
	Objects, Size int64
	Upload        int64 // time of the latest upload, 0 for none
	Pending       Pending
}

// CountColumns are the columns that [ScanCounts] reads, of buckets AS b.
const CountColumns = "b.num, b.clock, b.object_count, b.total_size, b.last_upload_at, " + selectTotals

// CountWidth is the number of CountColumns.
const CountWidth = 6

const selectTotals = "(SELECT running FROM events ORDER BY last DESC LIMIT 1)"

// ScanCounts reads [CountColumns], starting at column i. Errors: [ErrTotals].
func ScanCounts(r engine.Row, i int) (Counts, error) { return scanCounts(r, i, nil) }

// scanCounts also adds the running tally to t, unless it is nil.
func scanCounts(r engine.Row, i int, t *Tally) (Counts, error) {
	bucket, c := r.Int(i), Counts{Clock: r.Int(i + 1), Objects: r.Int(i + 2), Size: r.Int(i + 3), Upload: r.Int(i + 4)}
	d, err := openTotals(r.Bytes(i + 5))
	for err == nil && len(d.data) > 0 {
		var of Running
		if of, err = d.running(); err != nil || of.Bucket != bucket {
			continue
		}
		if of.Clock > c.Clock {
			c = Counts{of.Clock, c.Objects + of.Objects, c.Size + of.Size, max(c.Upload, of.Upload), of.Pending}
			if t != nil {
				err = of.addTally(t)
			}
		}
		break
	}
	return c, err
}

func init() {
	// The step to format 12 converts what the newest events carry. Everything that it cannot
	// read stays as it is.
	engine.RegisterFunction("bucketlite_running", 1, func(args [][]byte) []byte {
		d, err := openTotals(args[0])
		var all []Running
		for err == nil && len(d.data) > 0 && !d.failed {
			t := Running{Bucket: d.varint(), Clock: d.varint(), Commits: d.varint(), Objects: d.varint(), Size: d.varint(), Upload: d.varint()}
			t.Tally = d.bytes()
			all = append(all, t)
		}
		if err != nil || d.failed {
			return args[0]
		}
		return PackTotals(all)
	})
}

// resume continues the running totals of the bucket, if the newest row has any.
func (b *Bucket) resume(all []Running) error {
	for i := range all {
		if t := &all[i]; t.Bucket == b.Num && t.Clock > b.clock {
			b.clock, b.commits = t.Clock, t.Commits
			b.Objects, b.Size, b.Upload, b.pending.Pending = t.Objects, t.Size, t.Upload, t.Pending
			return t.addTally(&b.tally)
		}
	}
	return nil
}

// running returns the running totals of the bucket.
func (b *Bucket) running() Running {
	return Running{b.Num, b.clock, b.commits, b.Objects, b.Size, b.Upload, b.pending.Pending, b.tally.appendPacked(nil)}
}

// readNewest reads the newest row of events, unless the transaction knows it.
func (tx *Tx) readNewest() (err error) {
	if tx.newest == nil {
		tx.newest, err = readNewest(tx.Conn)
	}
	return err
}

func readNewest(conn *engine.Conn) (*newestRow, error) {
	var n newestRow
	var corrupt error
	_, err := conn.QueryRow("SELECT last, running FROM events ORDER BY last DESC LIMIT 1", nil, func(r engine.Row) {
		data := r.Bytes(1)
		n.last, n.size = r.Int(0), len(data)
		n.running, corrupt = UnpackTotals(data)
	})
	if err = cmp.Or(err, corrupt); err != nil {
		return nil, err
	}
	return &n, nil
}

// CheckTotals returns [ErrTotals] if the totals in the newest row of events cannot be read.
func CheckTotals(conn *engine.Conn) error {
	n, err := readNewest(conn)
	if err != nil {
		return err
	}
	for i := range n.running {
		if err := n.running[i].addTally(&Tally{}); err != nil {
			return err
		}
	}
	return nil
}

// carry returns the running totals for a new row of events, and folds those that it is not
// to carry.
func (tx *Tx) carry() ([]Running, error) {
	all := make([]Running, 0, len(tx.newest.running)+len(tx.buckets))
	for _, t := range tx.newest.running {
		if b := tx.known(t.Bucket); b == nil || b.commits > 0 && !b.dirty && !b.Gone {
			all = append(all, t)
		}
	}
	for _, b := range tx.buckets {
		if !b.dirty || b.Gone {
			continue
		}
		b.dirty = false
		b.commits++
		if err := b.saveSizes(tx); err != nil {
			return nil, err
		}
		if p := &b.pending; p.stale || p.Objects > maxPending {
			if err := b.CountPending(tx); err != nil {
				return nil, err
			}
		}
		if t := b.running(); b.commits <= maxCommits && len(t.Tally) <= maxTally {
			all = append(all, t)
		} else if err := b.fold(tx); err != nil {
			return nil, err
		}
	}
	for ; len(all) > maxRunning; all = all[1:] {
		if err := tx.fold(&all[0]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// fold folds running totals that the newest row carries.
func (tx *Tx) fold(t *Running) error {
	b, err := tx.Bucket(t.Bucket)
	if err != nil || b == nil || b.commits == 0 {
		return err
	}
	return b.fold(tx)
}

// Unfolded are the running totals of the buckets in a namespace that are not being deleted.
type Unfolded struct{ Objects, Size int64 }

// ReadUnfolded returns the running totals by namespace. The caller has a snapshot.
func ReadUnfolded(conn *engine.Conn) (map[int64]Unfolded, error) {
	var data []byte
	if _, err := conn.QueryRow("SELECT "+selectTotals, nil, func(r engine.Row) { data = r.Bytes(0) }); err != nil {
		return nil, err
	}
	all, err := UnpackTotals(data)
	if err != nil {
		return nil, err
	}
	sums := make(map[int64]Unfolded)
	for i := range all {
		t := &all[i]
		_, err := conn.QueryRow("SELECT namespace FROM buckets WHERE num = ? AND clock < ? AND status <> 'IN_PROGRESS'", []any{t.Bucket, t.Clock}, func(r engine.Row) {
			sum := sums[r.Int(0)]
			sums[r.Int(0)] = Unfolded{sum.Objects + t.Objects, sum.Size + t.Size}
		})
		if err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// clockMargin is more than the clock of a bucket can count in maxCommits commits.
const clockMargin = 1 << 28

// DropTotals deletes the totals of the newest row if they cannot be read, and reports
// whether it has. Unless the transaction knows them from before the damage, the counts of
// some buckets are wrong then. The clocks of all buckets, which must not go back, move
// forward.
func (tx *Tx) DropTotals() (dropped bool, err error) {
	if tx.newest != nil {
		for i := range tx.newest.running {
			if err := tx.fold(&tx.newest.running[i]); err != nil {
				return false, err
			}
		}
	}
	if err := tx.Flush(); err != nil {
		return false, err
	}
	tx.newest, tx.buckets = nil, nil
	if err = CheckTotals(tx.Conn); !errors.Is(err, ErrTotals) {
		return false, err
	}
	for _, statement := range []string{
		"UPDATE events SET running = NULL WHERE last = (SELECT max(last) FROM events)",
		fmt.Sprintf("UPDATE buckets SET clock = clock + %d", clockMargin),
	} {
		if _, err := tx.Exec(statement); err != nil {
			return false, err
		}
	}
	return true, nil
}
