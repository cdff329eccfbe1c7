package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"
)

// blobStore is a peer that keeps blobs.
type blobStore interface {
	WriteBlob(ctx context.Context, name string, r io.Reader) error
	ReadBlob(ctx context.Context, name string, w io.Writer) error
	Close() error
}

// blobPeers open the peers that keep blobs.
var blobPeers = map[string]func(ctx context.Context, dir string, s settings) (blobStore, error){
	ours:       openBlobs,
	"NATS":     openObjects,
	"files":    openFiles,
	"fileblob": openFileblob,
}

// natsMost is the largest blob for NATS. Its client has no flow control: on a blob of 1
// GiB from a fast reader it gives up, or the server refuses to buffer more than 128 MB.
const natsMost = 100 << 20

// blobs are the works that write and read blobs. Each cell is a process of its own, whose
// peak of memory is measured.
func blobs() (works []*work) {
	for _, s := range []struct {
		name string
		size int64
		full bool
	}{{"64 KiB", 64 << 10, false}, {"16 MiB", 16 << 20, false}, {"1 GiB", 1 << 30, true}} {
		for _, durable := range []bool{true, false} {
			w := &work{section: blobbing, name: "blobs of " + s.name + " " + durability(durable), full: s.full,
				peers: []string{ours, "NATS", "files", "fileblob"},
				lines: []line{{name: "write durable " + s.name, unit: megabytes}}}
			if !durable {
				w.lines = []line{{name: "write relaxed " + s.name, unit: megabytes},
					{name: "read " + s.name, unit: megabytes}, {name: "peak memory " + s.name, unit: memoryBytes}}
			}
			w.begin = func(_ context.Context, b *bench, p *peer, dir string) (cell, error) {
				if durable && p.durable == "" || p.name == "NATS" && s.size > natsMost {
					return nil, errUnable
				}
				return &blobCell{task: blobTask{Peer: p.name, Dir: dir, Size: s.size, Durable: durable}, lines: len(w.lines)}, nil
			}
			works = append(works, w)
		}
	}
	return works
}

// blobTask is what a process of its own does: it writes blobs for a while, and reads
// them.
type blobTask struct {
	Peer    string
	Dir     string
	Size    int64
	Durable bool
	Budget  time.Duration
}

// blobResult is what such a process prints.
type blobResult struct {
	Write, Read float64 // MB/s
	Peak        float64 // bytes, or 0 where that is unknown
}

// blobCell is a cell that starts a process for each round.
type blobCell struct {
	task   blobTask
	lines  int
	rounds int
}

// taskVariable is the environment variable that has the task of a process of its own.
const taskVariable = "BENCH_BLOB_TASK"

func (c *blobCell) Round(ctx context.Context, budget time.Duration) ([]float64, error) {
	task := c.task
	task.Budget = budget / 2
	task.Dir = path(task.Dir, strconv.Itoa(c.rounds))
	c.rounds++
	if err := os.Mkdir(task.Dir, 0o755); err != nil {
		return nil, err
	}
	defer os.RemoveAll(task.Dir)
	text, err := json.Marshal(task)
	if err != nil {
		return nil, err
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(os.Environ(), taskVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var r blobResult
	if err := json.Unmarshal(out, &r); err != nil {
		return nil, err
	}
	if r.Peak == 0 {
		r.Peak = math.NaN()
	}
	return []float64{r.Write, r.Read, r.Peak}[:c.lines], nil
}

func (c *blobCell) Close(context.Context) error { return nil }

// runBlobTask does a task and prints its result.
func runBlobTask(ctx context.Context, text string, out io.Writer) error {
	var task blobTask
	if err := json.Unmarshal([]byte(text), &task); err != nil {
		return err
	}
	st, err := blobPeers[task.Peer](ctx, task.Dir, settings{durable: task.Durable})
	if err != nil {
		return err
	}
	r, err := task.do(ctx, st)
	if err := errors.Join(err, st.Close()); err != nil {
		return err
	}
	r.Peak = peakMemory()
	return json.NewEncoder(out).Encode(r)
}

// do writes blobs until the budget is over, and reads them in turn for as long.
func (t *blobTask) do(ctx context.Context, st blobStore) (r blobResult, err error) {
	written := 0
	r.Write, err = repeated(t.Budget, float64(t.Size)/1e6, func() error {
		written++
		return st.WriteBlob(ctx, blobName(written), newContent(written, t.Size))
	})
	if err != nil {
		return r, err
	}
	read := 0
	r.Read, err = repeated(t.Budget, float64(t.Size)/1e6, func() error {
		n := read%written + 1
		read++
		v := &verifier{want: newContent(n, t.Size)}
		if err := st.ReadBlob(ctx, blobName(n), v); err != nil {
			return err
		}
		return v.end()
	})
	return r, err
}

func blobName(n int) string { return fmt.Sprintf("blob-%06d", n) }

// content is the content of a blob: pseudo-random bytes that repeat after a MiB, except for
// the number of the blob and of the repetition at the beginning of each. So no two blobs
// have the same content, and making it takes little time.
type content struct {
	number int
	at     int64
	size   int64
}

var contentBlock = sync.OnceValue(func() []byte {
	block := make([]byte, 1<<20)
	r := rand.NewChaCha8([32]byte{1})
	r.Read(block)
	return block
})

const contentHead = 16

func newContent(number int, size int64) *content { return &content{number: number, size: size} }

func (c *content) Read(p []byte) (int, error) {
	if c.at == c.size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), c.size-c.at)]
	block := contentBlock()
	n := 0
	for n < len(p) {
		at := int(c.at % int64(len(block)))
		if at < contentHead {
			var head [contentHead]byte
			binary.BigEndian.PutUint64(head[:], uint64(c.number))
			binary.BigEndian.PutUint64(head[8:], uint64(c.at/int64(len(block))))
			k := copy(p[n:], head[at:])
			n, c.at = n+k, c.at+int64(k)
			continue
		}
		k := copy(p[n:], block[at:])
		n, c.at = n+k, c.at+int64(k)
	}
	return n, nil
}

// verifier compares what is written to it with a content.
type verifier struct {
	want *content
	buf  []byte
}

func (v *verifier) Write(p []byte) (int, error) {
	if len(v.buf) < len(p) {
		v.buf = make([]byte, len(p))
	}
	at := v.want.at
	n, err := io.ReadFull(v.want, v.buf[:len(p)])
	if err != nil || !bytes.Equal(p[:n], v.buf[:n]) {
		return 0, fmt.Errorf("blob %d: other bytes than were written, at %d to %d of %d", v.want.number, at, at+int64(len(p)), v.want.size)
	}
	return len(p), nil
}

// end reports an error unless all bytes have come.
func (v *verifier) end() error {
	if v.want.at != v.want.size {
		return fmt.Errorf("blob %d: got %d bytes, want %d", v.want.number, v.want.at, v.want.size)
	}
	return nil
}

// peakMemory returns the most memory that this process has had, where the system tells
// it, or else 0.
func peakMemory() float64 {
	kilobytes, err := strconv.Atoi(strings.TrimSuffix(firstAfter("/proc/self/status", "VmHWM"), " kB"))
	if err != nil {
		return 0
	}
	return float64(kilobytes) * 1024
}
