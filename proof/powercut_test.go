package proof_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/bucketlite/bucketlite/internal/storetest"
)

// recording is what a workload did to its directory, and printed, step by step.
type recording []func(*disk, *ledger)

// recorded are the system calls that change files, and the one that prints.
const recorded = "pwrite64,fsync,fdatasync,ftruncate,open,openat,unlink,unlinkat,link,linkat,rename,renameat,renameat2,write"

// record runs the workload in a directory and returns what it did there.
func record(dir string, how manner) (recording, error) {
	log := logIn(dir)
	if _, err := runWorkload(dir, how, strace(log, recorded, "-xx", "-y", "-s", "16777216")...); err != nil {
		return nil, err
	}
	f, err := os.Open(log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	p := parser{dir: dir, syncs: make(map[string]*syncing)}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		p.line(lines.Text())
	}
	return p.steps, errors.Join(lines.Err(), p.err)
}

// parser reads the log of an strace. A call that others interrupt has two lines: it
// counts as done from the first on, but a sync from the second.
type parser struct {
	dir   string
	steps recording
	syncs map[string]*syncing // that have begun, by thread
	err   error
}

// syncing is a sync that has begun.
type syncing struct{ end func() }

var (
	callLine = regexp.MustCompile(`^(\d+) +(\w+)\((.*?)(?: <unfinished \.\.\.>|\) += (-?\d+).*)$`)
	resumed  = regexp.MustCompile(`^(\d+) +<\.\.\. (\w+) resumed>`)
	quoted   = regexp.MustCompile(`"((?:\\x[0-9a-f]{2})*)"`)
	onFile   = regexp.MustCompile(`^(\d+)<((?:\\x[0-9a-f]{2})*)>`)
	numbers  = regexp.MustCompile(`, (\d+)(?:, (\d+))?$`)
)

func (p *parser) line(line string) {
	if m := resumed.FindStringSubmatch(line); m != nil {
		if s := p.syncs[m[1]]; s != nil {
			delete(p.syncs, m[1])
			p.step(func(*disk, *ledger) { s.end() })
		}
		return
	}
	m := callLine.FindStringSubmatch(line)
	if m == nil {
		return // the end of a thread
	}
	thread, call, arguments, result := m[1], m[2], m[3], m[4]
	if strings.HasPrefix(result, "-") {
		return
	}
	var texts []string
	for _, q := range quoted.FindAllStringSubmatch(arguments, -1) {
		texts = append(texts, p.unescape(q[1]))
	}
	path, fd := "", ""
	if m := onFile.FindStringSubmatch(arguments); m != nil {
		fd, path = m[1], p.unescape(m[2])
	}
	var n [2]int64
	if m := numbers.FindStringSubmatch(arguments); m != nil {
		for i := range n {
			n[i], _ = strconv.ParseInt(m[i+1], 10, 64)
		}
	}
	switch call {
	case "write":
		if fd == "1" {
			p.step(func(_ *disk, l *ledger) {
				for line := range strings.Lines(texts[0]) {
					l.note(strings.TrimSuffix(line, "\n"))
				}
			})
		}
	case "pwrite64":
		p.change(path, change{n[1], []byte(texts[0])})
	case "ftruncate":
		p.change(path, change{at: n[0]})
	case "fsync", "fdatasync":
		p.sync(thread, path, result == "")
	case "open", "openat":
		if strings.Contains(arguments, "O_CREAT") {
			p.named(texts[0], func(d *disk, name string) { d.create(name) })
		}
		if strings.Contains(arguments, "O_TRUNC") {
			p.change(texts[0], change{})
		}
	case "unlink", "unlinkat":
		p.named(texts[0], func(d *disk, name string) { d.name(name, nil) })
	case "link", "linkat", "rename", "renameat", "renameat2":
		p.named(texts[1], func(d *disk, name string) {
			d.name(name, d.names[filepath.Base(texts[0])])
			if call[0] == 'r' {
				d.name(filepath.Base(texts[0]), nil)
			}
		})
	}
}

func (p *parser) step(f func(*disk, *ledger)) { p.steps = append(p.steps, f) }

// named adds a step if the path is that of a file in the directory. The shared memory
// of the log is not for a disk.
func (p *parser) named(path string, f func(d *disk, name string)) {
	if filepath.Dir(path) == p.dir && !strings.HasSuffix(path, "-shm") {
		p.step(func(d *disk, _ *ledger) { f(d, filepath.Base(path)) })
	}
}

func (p *parser) change(path string, c change) {
	p.named(path, func(d *disk, name string) { d.change(name, c) })
}

func (p *parser) sync(thread, path string, unfinished bool) {
	name := ""
	switch {
	case path == p.dir:
	case filepath.Dir(path) == p.dir:
		name = filepath.Base(path)
	default:
		return
	}
	s := new(syncing)
	p.step(func(d *disk, _ *ledger) { s.end = d.mark(name) })
	if unfinished {
		p.syncs[thread] = s
		return
	}
	p.step(func(*disk, *ledger) { s.end() })
}

// unescape returns the bytes of a string that strace has printed.
func (p *parser) unescape(s string) string {
	b := make([]byte, 0, len(s)/4)
	for i := 0; i+4 <= len(s); i += 4 {
		n, err := strconv.ParseUint(s[i+2:i+4], 16, 8)
		p.err = errors.Join(p.err, err)
		b = append(b, byte(n))
	}
	return string(b)
}

// cutPower cuts the power at any step of a workload, where the disk keeps as much as it
// likes of what was not synced, and checks the rest each time. With
// [bucketlite.DurabilityNormal], calls that were acknowledged may be lost.
func cutPower(t *testing.T, how manner) {
	needStrace(t)
	dir := filepath.Join(t.TempDir(), "recorded")
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	steps, err := record(dir, how)
	if err != nil {
		t.Fatal(err)
	}
	const cuts = 1000
	r, start := storetest.NewRand(t), time.Now()
	points := make([]int, cuts)
	for i := range points {
		points[i] = r.IntN(len(steps) + 1)
	}
	slices.Sort(points)

	var wg sync.WaitGroup
	turns := make(chan struct{}, 2*runtime.NumCPU())
	d, l, done := newDisk(), newLedger(), 0
	for _, point := range points {
		for ; done < point; done++ {
			steps[done](d, l)
		}
		known := l.settled()
		if how.durability == bucketlite.DurabilityNormal {
			known = l.loosened()
		}
		for loss := range losses {
			image := d.cut(r, loss)
			turns <- struct{}{}
			wg.Go(func() {
				defer func() { <-turns }()
				if err := judgeImage(image, known); err != nil {
					t.Errorf("cut at step %d of %d, loss %d: %v", point, len(steps), loss, err)
				}
			})
		}
	}
	wg.Wait()
	t.Logf("%d cuts of the power at %d of %d steps, in %.0f s", cuts*int(losses), len(slices.Compact(points)), len(steps), time.Since(start).Seconds())
}

// judgeImage checks the store and the backup after a cut of the power. An
// image with a fault is kept.
func judgeImage(image map[string][]byte, l *ledger) error {
	dir, err := os.MkdirTemp("", "bucketlite-image-")
	if err != nil {
		return err
	}
	if err := write(image, dir); err != nil {
		return err
	}
	if err := errors.Join(judgeStore(storeIn(dir), l), judgeBackup(backupIn(dir))); err != nil {
		os.RemoveAll(dir)
		if e := errors.Join(os.Mkdir(dir, 0o777), write(image, dir)); e != nil {
			return errors.Join(err, e)
		}
		return fmt.Errorf("%w\nThe image is in %s.", err, dir)
	}
	return os.RemoveAll(dir)
}
